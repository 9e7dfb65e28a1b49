"""Readings as stored, with their glyphs."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import model_versions
from storage.encryption import Keyring
from storage.errors import KeyLostError, PredictionNotFoundError
from storage.insertion import insert_if_new
from storage.records import (
    Consent,
    Erased,
    NewGlyph,
    NewPrediction,
    PredictionRecord,
    Screening,
)
from storage.tables import ContributorRow, CorrectionRow, GlyphRow, PredictionRow


async def save(session: AsyncSession, new: NewPrediction) -> PredictionRecord:
    """Store a reading, and let it be what its message shows: a photo that was there before is superseded.

    The same photo in the same message is stored once, also where another one was there in between.

    Flushes and never commits: the caller owns the transaction.
    """
    known = await _find_same(session, new)
    id_ = await insert_if_new(session, PredictionRow, _values_from(new)) if known is None else None
    if id_ is not None:
        session.add_all(_glyph_row_from(glyph, id_, position) for position, glyph in enumerate(new.glyphs))
        await session.flush()
    else:
        known = known or await _find_same(session, new)  # somebody else was faster
        assert known is not None  # nothing else about a reading is unique
        id_ = known.id
    await session.execute(
        update(PredictionRow)
        .where(
            PredictionRow.bot_id == new.bot_id,
            PredictionRow.chat_id == new.chat_id,
            PredictionRow.message_id == new.message_id,
        )
        .values(is_superseded=PredictionRow.id != id_)
    )
    return await get(session, id_)


async def get(session: AsyncSession, prediction_id: int) -> PredictionRecord:
    """A reading by its id.

    Raises:
        PredictionNotFoundError: there is none.
    """
    return (await _get_row(session, prediction_id)).to_record()


async def find_by_message(
    session: AsyncSession, bot_id: int, chat_id: int, message_id: int
) -> PredictionRecord | None:
    """The reading that a message shows, be it the photo or the bot's answer; an edited photo as it is now."""
    in_chat = select(PredictionRow.id).where(PredictionRow.bot_id == bot_id, PredictionRow.chat_id == chat_id)
    shown = union_all(  # with OR instead, SQLite looks through all that a chat ever showed
        in_chat.where(PredictionRow.message_id == message_id),
        in_chat.where(PredictionRow.answer_message_id == message_id),
    )
    row = await session.scalar(
        select(PredictionRow)
        .where(PredictionRow.id.in_(shown))
        .order_by(PredictionRow.is_superseded, PredictionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def answer_before(session: AsyncSession, prediction: PredictionRecord) -> int | None:
    """The bot's message that shows what another photo was read as, which the same message had before."""
    answer: int | None = await session.scalar(
        select(PredictionRow.answer_message_id)
        .where(
            PredictionRow.bot_id == prediction.bot_id,
            PredictionRow.chat_id == prediction.chat_id,
            PredictionRow.message_id == prediction.message_id,
            PredictionRow.id != prediction.id,
            PredictionRow.answer_message_id.is_not(None),
        )
        .order_by(PredictionRow.id.desc())
        .limit(1)
    )
    return answer


async def latest_of(
    session: AsyncSession, bot_id: int, chat_id: int, contributor_id: int
) -> PredictionRecord | None:
    """A person's last reading in a chat."""
    row = await session.scalar(
        select(PredictionRow)
        .where(
            PredictionRow.contributor_id == contributor_id,
            PredictionRow.chat_id == chat_id,
            PredictionRow.bot_id == bot_id,
            ~PredictionRow.is_superseded,
        )
        .order_by(PredictionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def set_answer(session: AsyncSession, prediction_id: int, answer_message_id: int) -> None:
    """Remember which message of the bot shows a reading.

    Raises:
        PredictionNotFoundError: there is no such reading.
    """
    (await _get_row(session, prediction_id)).answer_message_id = answer_message_id
    await session.flush()


async def erase(session: AsyncSession, prediction_id: int) -> None:
    """Erase a reading with its glyphs and corrections."""
    await session.execute(delete(PredictionRow).where(PredictionRow.id == prediction_id))


async def set_screening(session: AsyncSession, sha256: str, screenings: Sequence[Screening]) -> None:
    """Keep what a checkpoint reads in glyphs, so that screening asks it once; not of those erased since."""
    await _update_glyphs(
        session,
        [
            {
                "which": screening.glyph_id,
                "screened_by": sha256,
                "screened_digit": screening.digit,
                "screened_confidence": screening.confidence,
            }
            for screening in screenings
        ],
    )


async def reseal(session: AsyncSession, keyring: Keyring, *, after: int = 0, limit: int = 500) -> int | None:
    """Encrypt some glyphs anew that are not under the keyring's first key.

    Give what comes back as ``after`` of the next call, in a transaction of its own, until it is None: then
    all are, but for those whose key is lost, which stay as they are. An interrupted rotation starts at 0
    again and finds only what is left.
    """
    found = await session.execute(
        select(GlyphRow.id, GlyphRow.token)
        .where(GlyphRow.id > after, GlyphRow.key_id != keyring.key_id)
        .order_by(GlyphRow.id)
        .limit(limit)
    )
    rows = [(id_, token) for id_, token in found if token is not None]
    await _update_glyphs(session, _resealed(rows, keyring))
    return rows[-1][0] if rows else None


async def count_sealed_otherwise(session: AsyncSession, keyring: Keyring) -> int:
    """How many glyphs are not under the keyring's first key."""
    others = select(func.count()).where(GlyphRow.key_id != keyring.key_id)
    return await session.scalar(others) or 0


async def delete_expired(session: AsyncSession, before: datetime, now: datetime) -> Erased:
    """Erase old readings whose owners have not consented, and people of whom nothing is left.

    Versions that learned from any of it (before consent was withdrawn) are marked.
    """
    without_consent = select(ContributorRow.id).where(ContributorRow.consent != Consent.GIVEN)
    expired = select(PredictionRow.id).where(
        PredictionRow.created_at < before, PredictionRow.contributor_id.in_(without_consent)
    )
    corrections = select(CorrectionRow.id).where(CorrectionRow.prediction_id.in_(expired))
    marked = await model_versions.mark_forgotten(session, corrections, now)
    corrections_count = await session.scalar(select(func.count()).select_from(corrections.subquery()))
    predictions_count = await session.scalar(select(func.count()).select_from(expired.subquery()))
    await session.execute(
        delete(PredictionRow)
        .where(PredictionRow.id.in_(expired))
        .execution_options(synchronize_session=False)
    )
    people = delete(ContributorRow).where(
        ContributorRow.consent == Consent.NOT_ASKED,
        ~ContributorRow.wants_receipts,
        ContributorRow.created_at < before,
        ContributorRow.id.not_in(select(PredictionRow.contributor_id)),
        ContributorRow.id.not_in(select(CorrectionRow.contributor_id)),
    )
    gone = await session.scalars(people.returning(ContributorRow.id))
    return Erased(len(gone.all()), predictions_count or 0, corrections_count or 0, marked)


def _resealed(rows: Sequence[tuple[int, bytes]], keyring: Keyring) -> list[dict[str, Any]]:
    """The new values of those of the glyphs that can be decrypted."""
    values = []
    for id_, token in rows:
        try:
            sealed = keyring.seal(keyring.decrypt(token))
        except KeyLostError:
            continue
        values.append({"which": id_, **asdict(sealed)})
    return values


async def _update_glyphs(session: AsyncSession, values: Sequence[dict[str, Any]]) -> None:
    """Each of the glyphs that is still there; "which" is its id, all the others are columns."""
    if values:
        columns: dict[str, Any] = {name: bindparam(name) for name in values[0] if name != "which"}
        connection = await session.connection()
        await connection.execute(
            update(GlyphRow.__table__)  # type: ignore[arg-type]  # a Table, typed as FromClause
            .where(GlyphRow.id == bindparam("which"))
            .values(columns),
            list(values),
        )
        session.expire_all()


async def _get_row(session: AsyncSession, prediction_id: int) -> PredictionRow:
    row = await session.get(PredictionRow, prediction_id)
    if row is None:
        raise PredictionNotFoundError(prediction_id)
    return row


async def _find_same(session: AsyncSession, new: NewPrediction) -> PredictionRow | None:
    row: PredictionRow | None = await session.scalar(
        select(PredictionRow).where(
            PredictionRow.bot_id == new.bot_id,
            PredictionRow.chat_id == new.chat_id,
            PredictionRow.message_id == new.message_id,
            PredictionRow.file_unique_id == new.file_unique_id,
        )
    )
    return row


def _values_from(new: NewPrediction) -> dict[str, Any]:
    return {
        "bot_id": new.bot_id,
        "chat_id": new.chat_id,
        "message_id": new.message_id,
        "file_unique_id": new.file_unique_id,
        "contributor_id": new.contributor_id,
        "model_version_id": new.model_version_id,
        "preprocessing_version": new.preprocessing_version,
        "digits": new.digits,
        "confidence": new.confidence,
        "abstention": new.abstention,
        "measured": dict(new.measured),
        "environment": dict(new.environment),
        "is_superseded": False,
        "created_at": new.created_at,
    }


def _glyph_row_from(new: NewGlyph, prediction_id: int, position: int) -> GlyphRow:
    sealed = new.sealed
    return GlyphRow(
        prediction_id=prediction_id,
        position=position,
        line=new.line,
        box_left=new.box.left,
        box_top=new.box.top,
        box_right=new.box.right,
        box_bottom=new.box.bottom,
        probabilities=new.probabilities,
        token=None if sealed is None else sealed.token,
        key_id=None if sealed is None else sealed.key_id,
    )
