"""What people say that predictions show: history, states and review."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import (
    ContributorNotFoundError,
    CorrectionNotCountingError,
    CorrectionNotFoundError,
    PredictionNotFoundError,
)
from storage.labelled_glyphs import TRAINABLE, draw_key, is_consented
from storage.records import (
    CorrectionReason,
    CorrectionRecord,
    CorrectionState,
    Decision,
    NewCorrection,
    ReviewItem,
    StateChange,
)
from storage.tables import ContributorRow, CorrectionRow, PredictionRow


async def save(session: AsyncSession, new: NewCorrection) -> CorrectionRecord:
    """Store what a person says a prediction shows; the newest one counts, older ones stay as history.

    Saying the same again changes nothing. Another number of digits than glyphs is a note on segmentation: it
    is kept as history, trains nothing, and what was said before it goes on counting. Flushes and never
    commits: the caller owns the transaction.

    Raises:
        PredictionNotFoundError: no prediction has this id.
        ContributorNotFoundError: no contributor has this id.
    """
    prediction = await session.get(PredictionRow, new.prediction_id, with_for_update=True)
    if prediction is None:
        raise PredictionNotFoundError(new.prediction_id)
    contributor = await session.get(ContributorRow, new.contributor_id)
    if contributor is None:
        raise ContributorNotFoundError(new.contributor_id)
    said = await _said(session, new.prediction_id, new.contributor_id)
    if said and said[0].digits == new.digits:
        return said[0].to_record()
    counts = not _is_note(new.digits, prediction)
    for replaced in said if counts else ():
        replaced.is_current = False
    await session.flush()
    labels_glyphs = _labels_each_glyph(new.digits, prediction)
    row = CorrectionRow(
        prediction_id=new.prediction_id,
        contributor_id=new.contributor_id,
        owner_id=prediction.contributor_id,
        digits=new.digits,
        labels_glyphs=labels_glyphs,
        by_admin=new.by_admin,
        state=new.state,
        reason=new.reason or _hindrance(labels_glyphs, prediction),
        is_current=counts,
        draw_key=draw_key(prediction, contributor, new.digits),
        created_at=new.created_at,
    )
    session.add(row)
    await session.flush()
    return row.to_record()


async def undo(session: AsyncSession, correction_id: int, now: datetime) -> CorrectionRecord:
    """Take back a correction; what the same person said before it, if anything, counts again.

    Raises:
        CorrectionNotFoundError: no correction has this id.
    """
    row = await _get_row(session, correction_id)
    prediction = await session.get(PredictionRow, row.prediction_id, with_for_update=True)  # as `save` does
    if prediction is None:
        raise CorrectionNotFoundError(correction_id)
    await session.refresh(row)
    was_current = row.is_current
    row.is_current, row.undone_at = False, now
    row.state, row.reason = CorrectionState.WITHDRAWN, CorrectionReason.UNDONE
    await session.flush()
    if was_current:
        said = await _said(session, row.prediction_id, row.contributor_id)
        before = next((one for one in said if not _is_note(one.digits, prediction)), None)
        if before is not None:
            before.is_current = True
            await session.flush()
    return row.to_record()


async def get(session: AsyncSession, correction_id: int) -> CorrectionRecord:
    """A correction by its id.

    Raises:
        CorrectionNotFoundError: there is none.
    """
    return (await _get_row(session, correction_id)).to_record()


async def current_for(
    session: AsyncSession, prediction_id: int, contributor_id: int
) -> CorrectionRecord | None:
    """What a person says at present that a prediction shows."""
    said = await _said(session, prediction_id, contributor_id)
    return next((row.to_record() for row in said if row.is_current), None)


async def last_for(session: AsyncSession, prediction_id: int, contributor_id: int) -> CorrectionRecord | None:
    """What a person said last of a prediction and did not take back; perhaps a note, which does not count."""
    said = await _said(session, prediction_id, contributor_id)
    return said[0].to_record() if said else None


async def counting_for(session: AsyncSession, prediction_id: int) -> CorrectionRecord | None:
    """The correction of a prediction that counts: an admin's before its owner's, the newest of them."""
    row = await session.scalar(
        select(CorrectionRow)
        .where(CorrectionRow.prediction_id == prediction_id, CorrectionRow.is_current)
        .order_by(CorrectionRow.by_admin.desc(), CorrectionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def history(session: AsyncSession, prediction_id: int) -> list[CorrectionRecord]:
    """All that was ever said of a prediction, oldest first."""
    rows = await session.scalars(
        select(CorrectionRow).where(CorrectionRow.prediction_id == prediction_id).order_by(CorrectionRow.id)
    )
    return [row.to_record() for row in rows]


async def latest_of(
    session: AsyncSession, contributor_id: int, bot_id: int, chat_id: int
) -> CorrectionRecord | None:
    """What a person said last in a chat and did not take back; perhaps a note, which does not count."""
    row = await session.scalar(
        select(CorrectionRow)
        .join(PredictionRow, PredictionRow.id == CorrectionRow.prediction_id)
        .where(
            CorrectionRow.contributor_id == contributor_id,
            CorrectionRow.undone_at.is_(None),
            PredictionRow.bot_id == bot_id,
            PredictionRow.chat_id == chat_id,
        )
        .order_by(CorrectionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def set_states(session: AsyncSession, changes: Iterable[StateChange]) -> None:
    """Store what screening found. What a reviewer decided, or a person took back, stays as it is."""
    values = [
        {"which": change.correction_id, "state": change.state, "reason": change.reason} for change in changes
    ]
    if values:
        connection = await session.connection()
        await connection.execute(
            update(CorrectionRow.__table__)  # type: ignore[arg-type]  # a Table, typed as FromClause
            .where(
                CorrectionRow.id == bindparam("which"),
                CorrectionRow.decision.is_(None),
                or_(*(CorrectionRow.state == state for state in TRAINABLE)),  # IN cannot run for many rows
            )
            .values(state=bindparam("state"), reason=bindparam("reason")),
            values,
        )
        session.expire_all()


async def decide(
    session: AsyncSession, correction_id: int, decision: Decision, by: int, now: datetime
) -> CorrectionRecord:
    """Store what a reviewer decided; the last one counts.

    Raises:
        CorrectionNotFoundError: no correction has this id.
        CorrectionNotCountingError: it was taken back or replaced, or consent to it was withdrawn.
    """
    row = await _get_row(session, correction_id)
    if not row.is_current or row.state is CorrectionState.WITHDRAWN:
        raise CorrectionNotCountingError(correction_id)
    row.decision, row.decided_by, row.decided_at = decision, by, now
    row.state, row.reason = CorrectionState(decision.value), CorrectionReason.REVIEWED
    await session.flush()
    return row.to_record()


async def review_queue(
    session: AsyncSession, limit: int = 10, *, consent_version: int | None = None
) -> list[ReviewItem]:
    """Corrections in quarantine that nobody has decided on, oldest first.

    Args:
        session: of a reading transaction.
        limit: corrections.
        consent_version: only photos of people who agreed to this text or a newer one.
    """
    found = await session.execute(
        select(CorrectionRow, PredictionRow)
        .join(PredictionRow, PredictionRow.id == CorrectionRow.prediction_id)
        .where(_waits_for_review(), is_consented(consent_version))
        .order_by(CorrectionRow.created_at, CorrectionRow.id)
        .limit(limit)
    )
    return [ReviewItem(correction.to_record(), prediction.to_record()) for correction, prediction in found]


async def review_count(session: AsyncSession, *, consent_version: int | None = None) -> int:
    """How many corrections wait for a reviewer; of which people, as for `review_queue`."""
    waiting = select(func.count()).select_from(CorrectionRow).where(_waits_for_review())
    return await session.scalar(waiting.where(is_consented(consent_version))) or 0


def _waits_for_review() -> ColumnElement[bool]:
    return and_(
        CorrectionRow.is_current,
        CorrectionRow.state == CorrectionState.QUARANTINED,
        CorrectionRow.decision.is_(None),
    )


def _labels_each_glyph(digits: str, prediction: PredictionRow) -> bool:
    """As many digits as glyphs: each can be told which is whose."""
    return len(digits.replace("\n", "")) == len(prediction.glyphs) > 0


def _is_note(digits: str, prediction: PredictionRow) -> bool:
    """Other digits than the glyphs that were found could be: it tells how the photo was cut, and no label."""
    return bool(digits and prediction.glyphs) and not _labels_each_glyph(digits, prediction)


def _hindrance(labels_glyphs: bool, prediction: PredictionRow) -> CorrectionReason | None:
    """Why a correction cannot train, whatever its owner consents to."""
    if not labels_glyphs:
        return CorrectionReason.OTHER_LENGTH
    if all(glyph.sealed is None for glyph in prediction.glyphs):
        return CorrectionReason.NOT_KEPT
    return None


async def _said(session: AsyncSession, prediction_id: int, contributor_id: int) -> list[CorrectionRow]:
    """What a person said of a prediction and did not take back, newest first."""
    rows = await session.scalars(
        select(CorrectionRow)
        .where(
            CorrectionRow.prediction_id == prediction_id,
            CorrectionRow.contributor_id == contributor_id,
            CorrectionRow.undone_at.is_(None),
        )
        .order_by(CorrectionRow.id.desc()),
        execution_options={"populate_existing": True},  # others may have changed them before we had the lock
    )
    return list(rows)


async def _get_row(session: AsyncSession, correction_id: int) -> CorrectionRow:
    row = await session.get(CorrectionRow, correction_id)
    if row is None:
        raise CorrectionNotFoundError(correction_id)
    return row
