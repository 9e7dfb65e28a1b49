"""The tables. Rows never leave `storage`; `to_record` makes what does.

Whose a row is, is a foreign key that cascades: erasing a contributor erases all that is theirs.
Row ids are never used twice: a button in an old message must not point at somebody else's row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from storage.column_types import BigInt, Flag, Json, Probability, TenProbabilities, UtcDateTime, Word
from storage.records import (
    Box,
    Consent,
    ContributorRecord,
    CorrectionRecord,
    CorrectionState,
    Decision,
    GlyphRecord,
    InboxRecord,
    InboxState,
    ModelVersionRecord,
    PredictionRecord,
    RunState,
    SealedPixels,
    ServingRecord,
    TrainingRunRecord,
    VersionState,
)

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

STRICT: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        bytes: LargeBinary,
        bool: Flag,
        datetime: UtcDateTime,
        **{
            words: Word(words)
            for words in (Consent, CorrectionState, Decision, InboxState, RunState, VersionState)
        },
    }


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """The column holds a member's value (or NULL)."""
    values = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def _digits_only(column: str) -> CheckConstraint:
    """The column holds digits, lines of them separated by a newline."""
    return CheckConstraint(f"ltrim({column}, '0123456789\n') = ''", name=f"{column}_only")


def _share(column: str) -> CheckConstraint:
    """The column is within 0..1 (or NULL)."""
    return CheckConstraint(f"{column} BETWEEN 0 AND 1", name=f"{column}_range")


class ContributorRow(Base):
    """A person, by bot and Telegram id; no names."""

    __tablename__ = "contributors"
    __table_args__ = (UniqueConstraint("bot_id", "user_id"), _one_of("consent", Consent), STRICT)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInt)
    user_id: Mapped[int] = mapped_column(BigInt, index=True)
    consent: Mapped[Consent]
    consent_version: Mapped[int | None] = mapped_column(Integer)
    consent_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    wants_receipts: Mapped[bool]
    created_at: Mapped[datetime]

    def to_record(self) -> ContributorRecord:
        """The row as a record."""
        return ContributorRecord(
            self.id,
            self.bot_id,
            self.user_id,
            self.consent,
            self.consent_version,
            self.consent_at,
            self.asked_at,
            self.wants_receipts,
            self.created_at,
        )


class CheckpointRow(Base):
    """The bytes of a network, by their own hash."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="sha256_length"),
        {"sqlite_strict": True},
    )

    sha256: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class ModelVersionRow(Base):
    """A network: where it comes from and how good it is."""

    __tablename__ = "model_versions"
    __table_args__ = (
        _one_of("state", VersionState),
        Index(
            "uq_model_versions_root",
            "sha256",
            unique=True,
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    sha256: Mapped[str] = mapped_column(index=True)
    architecture: Mapped[str]
    trigger: Mapped[str]
    created_at: Mapped[datetime]
    parent_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("model_versions.id"), index=True)
    data: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    state: Mapped[VersionState]
    reason: Mapped[str | None]
    forgotten_at: Mapped[datetime | None]

    def to_record(self, has_checkpoint: bool) -> ModelVersionRecord:
        """The row as a record."""
        return ModelVersionRecord(
            self.id,
            self.sha256,
            self.architecture,
            self.trigger,
            self.created_at,
            self.parent_id,
            self.data,
            self.metrics,
            self.state,
            self.reason,
            self.forgotten_at,
            has_checkpoint,
        )


class ServingRow(Base):
    """A version began to serve; only ever added to."""

    __tablename__ = "servings"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("model_versions.id"), index=True)
    started_at: Mapped[datetime]
    promoted_by: Mapped[int | None] = mapped_column(BigInt)
    how: Mapped[str]

    def to_record(self, sha256: str) -> ServingRecord:
        """The row as a record."""
        return ServingRecord(self.id, self.version_id, sha256, self.started_at, self.promoted_by, self.how)


class PredictionRow(Base):
    """What was read in a photo."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("bot_id", "chat_id", "message_id", "file_unique_id"),
        _digits_only("digits"),
        _share("confidence"),
        Index(None, "bot_id", "chat_id", "answer_message_id"),
        Index(None, "contributor_id", "chat_id", "id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInt)
    chat_id: Mapped[int] = mapped_column(BigInt)
    message_id: Mapped[int] = mapped_column(BigInt)
    file_unique_id: Mapped[str]
    contributor_id: Mapped[int] = mapped_column(BigInt, ForeignKey("contributors.id", ondelete="CASCADE"))
    answer_message_id: Mapped[int | None] = mapped_column(BigInt)
    model_version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("model_versions.id"), index=True)
    preprocessing_version: Mapped[int] = mapped_column(Integer)
    digits: Mapped[str]
    confidence: Mapped[float] = mapped_column(Probability)
    abstention: Mapped[str | None]
    measured: Mapped[Any] = mapped_column(Json)
    environment: Mapped[Any] = mapped_column(Json)
    is_superseded: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(index=True)

    glyphs: Mapped[list["GlyphRow"]] = relationship(
        order_by="GlyphRow.position", lazy="selectin", passive_deletes=True
    )

    def to_record(self) -> PredictionRecord:
        """The row and its glyphs as a record."""
        return PredictionRecord(
            self.id,
            self.bot_id,
            self.chat_id,
            self.message_id,
            self.file_unique_id,
            self.contributor_id,
            self.model_version_id,
            self.preprocessing_version,
            self.digits,
            self.confidence,
            tuple(glyph.to_record() for glyph in self.glyphs),
            self.created_at,
            self.abstention,
            self.measured,
            self.environment,
            self.answer_message_id,
            self.is_superseded,
        )


class GlyphRow(Base):
    """One digit-shaped piece of ink: where it was and, encrypted, what it looked like."""

    __tablename__ = "glyphs"
    __table_args__ = (
        UniqueConstraint("prediction_id", "position"),
        CheckConstraint("position >= 0 AND line >= 0", name="order"),
        CheckConstraint("screened_digit BETWEEN 0 AND 9", name="screened_digit"),
        _share("screened_confidence"),
        CheckConstraint("(token IS NULL) = (key_id IS NULL)", name="sealed"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    prediction_id: Mapped[int] = mapped_column(BigInt, ForeignKey("predictions.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    box_left: Mapped[int] = mapped_column(Integer)
    box_top: Mapped[int] = mapped_column(Integer)
    box_right: Mapped[int] = mapped_column(Integer)
    box_bottom: Mapped[int] = mapped_column(Integer)
    probabilities: Mapped[tuple[float, ...]] = mapped_column(TenProbabilities)
    screened_by: Mapped[str | None]
    screened_digit: Mapped[int | None] = mapped_column(Integer)
    screened_confidence: Mapped[float | None] = mapped_column(Probability)
    key_id: Mapped[str | None]
    token: Mapped[bytes | None]

    @property
    def sealed(self) -> SealedPixels | None:
        """The encrypted pixels, where they are kept."""
        if self.token is None or self.key_id is None:
            return None
        return SealedPixels(self.token, self.key_id)

    def to_record(self) -> GlyphRecord:
        """The row as a record."""
        return GlyphRecord(
            self.id,
            self.prediction_id,
            self.position,
            self.line,
            Box(self.box_left, self.box_top, self.box_right, self.box_bottom),
            self.probabilities,
            self.sealed,
        )


class CorrectionRow(Base):
    """What a person says that a prediction shows; all of them are kept, one of each person counts.

    `draw_key` is a digest of who corrected what, and no row number: an even order, the same for whoever is
    left after somebody was forgotten.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        _one_of("state", CorrectionState),
        _one_of("decision", Decision),
        _digits_only("digits"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("draw_key >= 0", name="draw_key"),
        Index(
            "uq_corrections_current",
            "prediction_id",
            "contributor_id",
            unique=True,
            sqlite_where=text("is_current = 1"),
            postgresql_where=text("is_current"),
        ),
        Index(
            "ix_corrections_drawn",
            "draw_key",
            "id",
            sqlite_where=text("is_current = 1 AND labels_glyphs = 1"),
            postgresql_where=text("is_current AND labels_glyphs"),
        ),
        Index(
            "ix_corrections_current_state",
            "state",
            "created_at",
            sqlite_where=text("is_current = 1"),
            postgresql_where=text("is_current"),
        ),
        Index(None, "contributor_id", "created_at"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    prediction_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("predictions.id", ondelete="CASCADE"), index=True
    )
    contributor_id: Mapped[int] = mapped_column(BigInt, ForeignKey("contributors.id", ondelete="CASCADE"))
    owner_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("contributors.id", ondelete="CASCADE"), index=True
    )
    digits: Mapped[str]
    labels_glyphs: Mapped[bool]
    by_admin: Mapped[bool]
    state: Mapped[CorrectionState]
    reason: Mapped[str | None]
    is_current: Mapped[bool]
    draw_key: Mapped[int] = mapped_column(BigInt)
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    decision: Mapped[Decision | None]
    decided_by: Mapped[int | None] = mapped_column(BigInt)
    decided_at: Mapped[datetime | None]

    def to_record(self) -> CorrectionRecord:
        """The row as a record."""
        return CorrectionRecord(
            self.id,
            self.prediction_id,
            self.contributor_id,
            self.owner_id,
            self.digits,
            self.labels_glyphs,
            self.by_admin,
            self.state,
            self.reason,
            self.is_current,
            self.created_at,
            self.undone_at,
            self.decision,
            self.decided_by,
            self.decided_at,
        )


class VersionCorrectionRow(Base):
    """Which version learned from which correction."""

    __tablename__ = "version_corrections"
    __table_args__ = ({"sqlite_strict": True},)

    version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("model_versions.id"), primary_key=True)
    correction_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("corrections.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    receipt_at: Mapped[datetime | None]
    """When its author was told."""


class TrainingRunRow(Base):
    """A training run; at most one of them is running, in all processes together."""

    __tablename__ = "training_runs"
    __table_args__ = (
        _one_of("state", RunState),
        _share("progress"),
        UniqueConstraint("slot"),
        Index(
            "uq_training_runs_running",
            "state",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    trigger: Mapped[str]
    state: Mapped[RunState]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    requested_by: Mapped[int | None] = mapped_column(BigInt)
    slot: Mapped[str | None]
    holder: Mapped[str | None]
    stage: Mapped[str]
    progress: Mapped[float] = mapped_column(Probability)
    is_cancel_requested: Mapped[bool]
    result: Mapped[Any] = mapped_column(Json)
    error: Mapped[str | None]
    version_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("model_versions.id"), index=True)

    def to_record(self) -> TrainingRunRecord:
        """The row as a record."""
        return TrainingRunRecord(
            self.id,
            self.trigger,
            self.state,
            self.created_at,
            self.started_at,
            self.finished_at,
            self.heartbeat_at,
            self.requested_by,
            self.slot,
            self.holder,
            self.stage,
            self.progress,
            self.is_cancel_requested,
            self.result,
            self.error,
            self.version_id,
        )


class InboxRow(Base):
    """An update, kept before Telegram is told that we have it; its content goes when it is done."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("bot_id", "update_id"),
        _one_of("state", InboxState),
        Index(None, "bot_id", "state"),
        Index(None, "bot_id", "user_id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInt)
    update_id: Mapped[int] = mapped_column(BigInt)
    user_id: Mapped[int | None] = mapped_column(BigInt)
    payload: Mapped[Any] = mapped_column(Json)
    state: Mapped[InboxState]
    received_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None]

    def to_record(self) -> InboxRecord:
        """The row as a record."""
        return InboxRecord(
            self.bot_id,
            self.update_id,
            self.user_id,
            self.payload,
            self.state,
            self.received_at,
            self.tries,
            self.error,
        )
