"""What goes into storage and what comes out of it: frozen records without a session.

Times are UTC-aware. Ids of chats, messages and people are Telegram's and carry the bot's id beside them, so
the local chat and a real bot never mix. `contributor_id` is the id of our own row, `user_id` Telegram's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

JsonObject = Mapping[str, Any]


class Consent(StrEnum):
    """What a person said to learning from their corrections."""

    NOT_ASKED = "not_asked"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    """Also what a plain "no" is stored as."""


class CorrectionState(StrEnum):
    """What becomes of a correction."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class CorrectionReason(StrEnum):
    """Why a correction is in its state; further reasons may be stored, these are those that storage sets."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    UNDONE = "undone"
    OTHER_LENGTH = "other_length"
    NOT_KEPT = "not_kept"
    """The glyphs of the prediction are not stored."""
    REVIEWED = "reviewed"


class Decision(StrEnum):
    """What a human reviewer decided on a correction."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class VersionState(StrEnum):
    """What became of a model version."""

    CANDIDATE = "candidate"
    REFUSED = "refused"
    """By the gate."""
    REJECTED = "rejected"
    """By an admin."""
    PROMOTED = "promoted"
    """It serves or has served."""


class RunState(StrEnum):
    """How far a training run is."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class InboxState(StrEnum):
    """Whether an update has been handled."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ContributorRecord:
    """A person who may correct.

    Attributes:
        consent_version: of the text that was agreed or disagreed to.
        consent_at: when.
        asked_at: when they were last asked, also where no answer came.
        wants_receipts: wants to be told when a correction of theirs helped.
    """

    id: int
    bot_id: int
    user_id: int
    consent: Consent
    consent_version: int | None
    consent_at: datetime | None
    asked_at: datetime | None
    wants_receipts: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright, full-size photo; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class SealedPixels:
    """784 bytes of a glyph as they are stored; `encryption.Keyring` makes and opens them.

    Attributes:
        token: the encrypted pixels.
        key_id: which key did it.
    """

    token: bytes = field(repr=False)
    key_id: str


@dataclass(frozen=True, slots=True)
class NewGlyph:
    """A glyph to store.

    Attributes:
        line: index of its line, from 0 at the top.
        probabilities: of the ten digits, as the serving network gave them.
        sealed: its pixels, or None where nothing may be kept.
    """

    line: int
    box: Box
    probabilities: tuple[float, ...]
    sealed: SealedPixels | None


@dataclass(frozen=True, slots=True)
class GlyphRecord:
    """A stored glyph.

    Attributes:
        position: in reading order, from 0.
        sealed: its pixels, or None where they were never kept or are kept no longer.
    """

    id: int
    prediction_id: int
    position: int
    line: int
    box: Box
    probabilities: tuple[float, ...]
    sealed: SealedPixels | None

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return max(range(10), key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of that digit, 0..1."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """A reading to store.

    Attributes:
        message_id: of the photo.
        file_unique_id: Telegram's; an edited message has another one.
        contributor_id: whose photo it is.
        digits: in reading order, lines joined by a newline; empty where abstained.
        confidence: that all of them are right, 0..1.
        abstention: the reason's name, or None.
        measured: the figures that the abstention was decided on.
        environment: processor and library versions, within which a replay must agree to the bit.
    """

    bot_id: int
    chat_id: int
    message_id: int
    file_unique_id: str
    contributor_id: int
    model_version_id: int
    preprocessing_version: int
    digits: str
    confidence: float
    glyphs: tuple[NewGlyph, ...]
    created_at: datetime
    abstention: str | None = None
    measured: JsonObject = field(default_factory=dict)
    environment: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """A stored reading; attributes as in `NewPrediction`.

    Attributes:
        answer_message_id: of the bot's answer, once it was sent.
        is_superseded: the message was edited to another photo since.
    """

    id: int
    bot_id: int
    chat_id: int
    message_id: int
    file_unique_id: str
    contributor_id: int
    model_version_id: int
    preprocessing_version: int
    digits: str
    confidence: float
    glyphs: tuple[GlyphRecord, ...]
    created_at: datetime
    abstention: str | None
    measured: JsonObject
    environment: JsonObject
    answer_message_id: int | None
    is_superseded: bool


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What a person says a prediction shows.

    Attributes:
        contributor_id: who says so.
        digits: in reading order, lines joined by a newline; empty for "no digit".
        reason: why it is in that state.
        by_admin: an admin said it; their label wins over the owner's.
    """

    prediction_id: int
    contributor_id: int
    digits: str
    created_at: datetime
    state: CorrectionState = CorrectionState.PENDING
    reason: str | None = None
    by_admin: bool = False


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """A stored correction.

    Attributes:
        owner_id: contributor whose photo it is; it is their consent that counts.
        labels_glyphs: as many digits as the prediction has glyphs; otherwise it tells of segmentation and
            trains nothing.
        is_current: neither replaced by a newer one of the same person nor undone, nor a note on segmentation.
        decision, decided_by, decided_at: a reviewer's, if there was one.
    """

    id: int
    prediction_id: int
    contributor_id: int
    owner_id: int
    digits: str
    labels_glyphs: bool
    by_admin: bool
    state: CorrectionState
    reason: str | None
    is_current: bool
    created_at: datetime
    undone_at: datetime | None
    decision: Decision | None
    decided_by: int | None
    decided_at: datetime | None

    @property
    def labels(self) -> tuple[int, ...]:
        """One digit for each glyph, in reading order."""
        return tuple(int(digit) for digit in self.digits if digit != "\n")


@dataclass(frozen=True, slots=True)
class StateChange:
    """The state that a correction is to have."""

    correction_id: int
    state: CorrectionState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Screening:
    """What a checkpoint reads in a glyph: what screening decides on, kept so that it is computed once.

    Attributes:
        confidence: how sure it may be of that digit, 0..1.
    """

    glyph_id: int
    digit: int
    confidence: float


@dataclass(frozen=True, slots=True)
class LabelledGlyph:
    """A glyph that somebody said the digit of.

    Attributes:
        contributor_id: who said so.
        owner_id: whose photo it is.
        label: what they say it is.
        is_trusted: an admin said it or has accepted it.
        screened_digit, screened_confidence: what the checkpoint `screened_by` (its SHA-256) reads, if it was
            asked already.
    """

    glyph_id: int
    correction_id: int
    prediction_id: int
    contributor_id: int
    owner_id: int
    position: int
    label: int
    sealed: SealedPixels
    state: CorrectionState
    reason: str | None
    is_trusted: bool
    created_at: datetime
    probabilities: tuple[float, ...]
    screened_by: str | None
    screened_digit: int | None
    screened_confidence: float | None


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A correction that waits for a reviewer, with the prediction that it is about."""

    correction: CorrectionRecord
    prediction: PredictionRecord


@dataclass(frozen=True, slots=True)
class Erased:
    """What forgetting or expiry removed.

    Attributes:
        marked_versions: ids of model versions that learned from it and were not marked before.
    """

    contributors: int
    predictions: int
    corrections: int
    marked_versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewModelVersion:
    """A network to store.

    Attributes:
        sha256: of the checkpoint, hexadecimal.
        checkpoint: the bytes of the safetensors file.
        parent_id: the version that training started from; None for one that came as a file.
        trigger: what it came from: "shipped", "command", "schedule", ...
        data: what it learned from, in figures.
        metrics: its report card, in figures.
    """

    sha256: str
    checkpoint: bytes = field(repr=False)
    architecture: str
    trigger: str
    created_at: datetime
    parent_id: int | None = None
    data: JsonObject = field(default_factory=dict)
    metrics: JsonObject = field(default_factory=dict)
    state: VersionState = VersionState.CANDIDATE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ModelVersionRecord:
    """A stored network, without its weights; attributes as in `NewModelVersion`.

    Attributes:
        forgotten_at: when something that it learned from was erased; it must not serve again.
        has_checkpoint: its weights are still stored.
    """

    id: int
    sha256: str
    architecture: str
    trigger: str
    created_at: datetime
    parent_id: int | None
    data: JsonObject
    metrics: JsonObject
    state: VersionState
    reason: str | None
    forgotten_at: datetime | None
    has_checkpoint: bool

    @property
    def is_forgotten(self) -> bool:
        """Something that it learned from was erased."""
        return self.forgotten_at is not None


@dataclass(frozen=True, slots=True)
class ServingRecord:
    """A version began to serve.

    Attributes:
        promoted_by: a user's id, or None where no person did it.
        how: the way it happened: "start", "promotion", "rollback", "automatic", ...
    """

    id: int
    version_id: int
    sha256: str
    started_at: datetime
    promoted_by: int | None
    how: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A correction that a version learned from, and whose author wants to hear of it."""

    contributor: ContributorRecord
    correction: CorrectionRecord
    prediction: PredictionRecord


@dataclass(frozen=True, slots=True)
class NewTrainingRun:
    """A training run that somebody or something asks for.

    Attributes:
        trigger: "command", "schedule", "forgetting", ...
        requested_by: a user's id, or None where no person did.
        slot: what makes a scheduled run happen once in all processes, such as "2026-11-24T03:00".
    """

    trigger: str
    created_at: datetime
    requested_by: int | None = None
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingRunRecord:
    """A training run; attributes as in `NewTrainingRun`.

    Attributes:
        holder: the process that runs it, by a name of its own choosing.
        stage: what it does at present.
        progress: of that stage, 0..1.
        heartbeat_at: when its process last said that it lives.
        is_cancel_requested: somebody wants it to stop.
        result: figures; `error` in words for the log where it failed.
        version_id: what it made.
    """

    id: int
    trigger: str
    state: RunState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None
    requested_by: int | None
    slot: str | None
    holder: str | None
    stage: str
    progress: float
    is_cancel_requested: bool
    result: JsonObject
    error: str | None
    version_id: int | None


@dataclass(frozen=True, slots=True)
class NewUpdate:
    """An update as it came from Telegram.

    Attributes:
        user_id: whose it is, so that it can be erased with that person; None where it is nobody's.
    """

    update_id: int
    payload: JsonObject = field(repr=False)
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class InboxRecord:
    """A stored update.

    Attributes:
        payload: the update's JSON; empty once it is done.
        tries: how often handling it was begun.
    """

    bot_id: int
    update_id: int
    user_id: int | None
    payload: JsonObject = field(repr=False)
    state: InboxState
    received_at: datetime
    tries: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of the doctor.

    Attributes:
        name: what was looked at.
        is_ok: whether it is as it should be.
        detail: the figure or the problem, for an administrator.
    """

    name: str
    is_ok: bool
    detail: str

    @classmethod
    def passed(cls, name: str, detail: str = "ok") -> Self:
        """A check without complaint."""
        return cls(name, True, detail)

    @classmethod
    def failed(cls, name: str, detail: str) -> Self:
        """A check with a complaint."""
        return cls(name, False, detail)
