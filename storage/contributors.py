"""People who may correct: their consent, and forgetting them."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import model_versions
from storage.errors import ContributorNotFoundError
from storage.insertion import insert_if_new
from storage.records import (
    Consent,
    ContributorRecord,
    CorrectionReason,
    CorrectionState,
    Decision,
    Erased,
    InboxState,
)
from storage.tables import (
    ContributorRow,
    CorrectionRow,
    InboxRow,
    PredictionRow,
    ServingRow,
    TrainingRunRow,
)

_UNDECIDED = (CorrectionState.PENDING, CorrectionState.ACCEPTED, CorrectionState.QUARANTINED)


async def find(session: AsyncSession, bot_id: int, user_id: int) -> ContributorRecord | None:
    """A person whom a bot knows."""
    row = await _find_row(session, bot_id, user_id)
    return None if row is None else row.to_record()


async def get(session: AsyncSession, contributor_id: int) -> ContributorRecord:
    """A person by our id.

    Raises:
        ContributorNotFoundError: nobody has this id.
    """
    row = await session.get(ContributorRow, contributor_id)
    if row is None:
        raise ContributorNotFoundError(contributor_id)
    return row.to_record()


async def get_or_create(session: AsyncSession, bot_id: int, user_id: int, now: datetime) -> ContributorRecord:
    """A person whom a bot knows from now on; they have not been asked for consent."""
    row = await _find_row(session, bot_id, user_id)
    if row is not None:
        return row.to_record()
    await insert_if_new(
        session,
        ContributorRow,
        {
            "bot_id": bot_id,
            "user_id": user_id,
            "consent": Consent.NOT_ASKED,
            "wants_receipts": False,
            "created_at": now,
        },
    )
    row = await _find_row(session, bot_id, user_id)  # ours, or that of somebody who was faster
    assert row is not None  # it was inserted or was there
    return row.to_record()


async def set_asked(session: AsyncSession, contributor_id: int, asked_at: datetime) -> None:
    """Remember when a person was asked for consent, so that they are asked once.

    Raises:
        ContributorNotFoundError: nobody has this id.
    """
    (await _get_row(session, contributor_id)).asked_at = asked_at
    await session.flush()


async def set_receipts(session: AsyncSession, contributor_id: int, wanted: bool) -> None:
    """Remember whether a person wants to hear when a correction of theirs helped.

    Raises:
        ContributorNotFoundError: nobody has this id.
    """
    (await _get_row(session, contributor_id)).wants_receipts = wanted
    await session.flush()


async def set_consent(
    session: AsyncSession, contributor_id: int, consent: Consent, version: int, now: datetime
) -> ContributorRecord:
    """Store what a person said to the text of a version; what is known of their photos follows.

    Without consent corrections are withdrawn and their glyphs expire as all do that nobody consented to; with
    it (again) they wait to be screened, or are accepted where a reviewer had decided so.

    Raises:
        ContributorNotFoundError: nobody has this id.
    """
    row = await _get_row(session, contributor_id)
    row.consent, row.consent_version, row.consent_at = consent, version, now
    theirs = update(CorrectionRow).where(CorrectionRow.owner_id == contributor_id)
    if consent is Consent.GIVEN:
        theirs = theirs.where(CorrectionRow.reason == CorrectionReason.CONSENT_WITHDRAWN)
        is_reviewed = CorrectionRow.decision == Decision.ACCEPTED
        restored = {"state": CorrectionState.ACCEPTED, "reason": CorrectionReason.REVIEWED}
        await session.execute(theirs.where(is_reviewed).values(restored))
        await session.execute(theirs.values(state=CorrectionState.PENDING, reason=None))
    else:
        await session.execute(
            theirs.where(CorrectionRow.state.in_(_UNDECIDED)).values(
                state=CorrectionState.WITHDRAWN, reason=CorrectionReason.CONSENT_WITHDRAWN
            )
        )
    await session.flush()
    return row.to_record()


async def forget(session: AsyncSession, user_id: int, now: datetime, *, bot_id: int | None = None) -> Erased:
    """Erase everything of a person: readings, glyphs, corrections, updates, their choices, their id.

    Also of one who never sent a photo: administrators leave their id behind, and updates may wait to be
    handled. Model versions that learned from it are marked and must not serve again. What they decided on
    other people's rows stays, without their name. `Database.scrub` afterwards clears what lingers in logs.

    Args:
        session: of a writing transaction.
        user_id: whom to forget; nobody has to be known by it.
        now: the time.
        bot_id: what they sent to this bot; without it to every bot that used this database.
    """
    await _erase_traces(session, user_id, bot_id)  # first, as it waits for who handles an update of theirs
    known = select(ContributorRow.id).where(ContributorRow.user_id == user_id)
    if bot_id is not None:
        known = known.where(ContributorRow.bot_id == bot_id)
    people = list(await session.scalars(known))  # numbers, for PostgreSQL uses no index for two subqueries
    theirs = or_(CorrectionRow.owner_id.in_(people), CorrectionRow.contributor_id.in_(people))
    marked = await model_versions.mark_forgotten(session, select(CorrectionRow.id).where(theirs), now)
    erased = Erased(
        len(people),
        await _count(session, PredictionRow.contributor_id.in_(people)),
        await _count(session, theirs),
        marked,
    )
    await session.execute(delete(ContributorRow).where(ContributorRow.id.in_(people)))
    return erased


async def _count(session: AsyncSession, condition: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).where(condition)) or 0


async def _erase_traces(session: AsyncSession, user_id: int, bot_id: int | None) -> None:
    """Take a person's id out of rows that are not theirs or hang on no foreign key."""
    updates = update(InboxRow).where(InboxRow.user_id == user_id)
    if bot_id is not None:
        updates = updates.where(InboxRow.bot_id == bot_id)
    await session.execute(updates.values(state=InboxState.DONE, payload={}, user_id=None, error=None))
    await session.execute(
        update(CorrectionRow).where(CorrectionRow.decided_by == user_id).values(decided_by=None)
    )
    await session.execute(
        update(ServingRow).where(ServingRow.promoted_by == user_id).values(promoted_by=None)
    )
    await session.execute(
        update(TrainingRunRow).where(TrainingRunRow.requested_by == user_id).values(requested_by=None)
    )


async def _find_row(session: AsyncSession, bot_id: int, user_id: int) -> ContributorRow | None:
    row: ContributorRow | None = await session.scalar(
        select(ContributorRow).where(ContributorRow.bot_id == bot_id, ContributorRow.user_id == user_id)
    )
    return row


async def _get_row(session: AsyncSession, contributor_id: int) -> ContributorRow:
    """A row to change, as it is now and not as it was read before: nobody else changes it meanwhile."""
    lock = {"key_share": True}  # what refers to a person may be stored meanwhile
    row = await session.get(ContributorRow, contributor_id, with_for_update=lock, populate_existing=True)
    if row is None:
        raise ContributorNotFoundError(contributor_id)
    return row
