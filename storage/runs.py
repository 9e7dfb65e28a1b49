"""Training runs: asked for, one at a time in all processes that share the database, and what came of each.

A running one is a lease: its process renews it by heartbeats, and one that falls silent for longer than the
lease has lost it, so a crash releases it without anybody's help. Clocks may jump: a heartbeat from the future
counts as silence too, and a run that is robbed of its lease by that notices at its next heartbeat.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import RunInProgressError, RunLostError, RunNotFoundError, SlotTakenError
from storage.insertion import insert_if_new
from storage.records import JsonObject, NewTrainingRun, RunState, TrainingRunRecord
from storage.tables import TrainingRunRow

SILENT = "its process fell silent"
"""Error of a run whose process was killed."""


async def request(session: AsyncSession, new: NewTrainingRun) -> TrainingRunRecord:
    """Store that a training is wanted.

    Raises:
        SlotTakenError: the same scheduled run was asked for already, here or in another process.
    """
    id_ = await insert_if_new(
        session,
        TrainingRunRow,
        {
            "trigger": new.trigger,
            "state": RunState.QUEUED,
            "created_at": new.created_at,
            "requested_by": new.requested_by,
            "slot": new.slot,
            "stage": "",
            "progress": 0.0,
            "is_cancel_requested": False,
            "result": {},
        },
    )
    if id_ is None:
        assert new.slot is not None  # nothing else about a queued run is unique
        raise SlotTakenError(new.slot)
    return await get(session, id_)


async def claim(
    session: AsyncSession, run_id: int, holder: str, now: datetime, lease: timedelta
) -> TrainingRunRecord:
    """Begin a queued run. Leave the transaction by what it raises.

    Raises:
        RunNotFoundError: there is no such run.
        RunLostError: it is not queued (any more).
        RunInProgressError: another one is running.
    """
    await release_silent(session, now, lease)
    row = await _get_row(session, run_id)
    if row.state is not RunState.QUEUED:
        raise RunLostError(run_id)
    busy = await running(session)
    if busy is not None:
        raise RunInProgressError(busy.id, busy.started_at)
    row.state, row.holder = RunState.RUNNING, holder
    row.started_at = row.heartbeat_at = now
    try:
        await session.flush()
    except IntegrityError:  # somebody else was faster
        raise RunInProgressError(run_id, None) from None
    return row.to_record()


async def start(
    session: AsyncSession, new: NewTrainingRun, holder: str, now: datetime, lease: timedelta
) -> TrainingRunRecord:
    """Ask for a run and begin it.

    Raises:
        SlotTakenError, RunInProgressError: as `request` and `claim` do; leave the transaction by it.
    """
    wanted = await request(session, new)
    return await claim(session, wanted.id, holder, now, lease)


async def heartbeat(
    session: AsyncSession, run_id: int, holder: str, now: datetime, *, stage: str, progress: float
) -> TrainingRunRecord:
    """Renew the lease and say how far it is; what comes back says whether it shall stop.

    Raises:
        RunLostError: it ended, or somebody else took the lease.
    """
    row = await _held_row(session, run_id, holder)
    row.heartbeat_at, row.stage, row.progress = now, stage, min(1.0, max(0.0, progress))
    await session.flush()
    return row.to_record()


async def end(
    session: AsyncSession,
    run_id: int,
    holder: str,
    now: datetime,
    state: RunState,
    *,
    version_id: int | None = None,
    result: JsonObject | None = None,
    error: str | None = None,
) -> TrainingRunRecord:
    """Store what came of a run: finished, failed or cancelled.

    Raises:
        RunLostError: it ended before, or somebody else took the lease.
    """
    row = await _held_row(session, run_id, holder)
    row.state, row.finished_at, row.version_id = state, now, version_id
    row.result, row.error = dict(result or {}), error
    await session.flush()
    return row.to_record()


async def request_cancel(session: AsyncSession, run_id: int, now: datetime) -> TrainingRunRecord:
    """Ask a running run to stop; a queued one is cancelled at once.

    Raises:
        RunNotFoundError: there is no such run.
    """
    row = await _get_row(session, run_id)
    if row.state is RunState.QUEUED:
        row.state, row.finished_at = RunState.CANCELLED, now
    row.is_cancel_requested = True
    await session.flush()
    return row.to_record()


async def release_silent(session: AsyncSession, now: datetime, lease: timedelta) -> list[TrainingRunRecord]:
    """Mark running runs as failed whose process has not been heard of for longer than the lease."""
    rows = list(await session.scalars(select(TrainingRunRow).where(_is_silent(now, lease))))
    for row in rows:
        row.state, row.finished_at, row.error = RunState.FAILED, now, SILENT
    await session.flush()
    return [row.to_record() for row in rows]


async def is_silent(session: AsyncSession, now: datetime, lease: timedelta) -> bool:
    """Whether there is something to be released."""
    return await session.scalar(select(exists().where(_is_silent(now, lease)))) or False


async def get(session: AsyncSession, run_id: int) -> TrainingRunRecord:
    """A run by its id.

    Raises:
        RunNotFoundError: there is none.
    """
    row = await session.get(TrainingRunRow, run_id)
    if row is None:
        raise RunNotFoundError(run_id)
    return row.to_record()


async def is_taken(session: AsyncSession, slot: str) -> bool:
    """Whether a scheduled run was asked for already."""
    return await session.scalar(select(exists().where(TrainingRunRow.slot == slot))) or False


async def running(session: AsyncSession) -> TrainingRunRecord | None:
    """The run under way."""
    row = await session.scalar(select(TrainingRunRow).where(TrainingRunRow.state == RunState.RUNNING))
    return None if row is None else row.to_record()


async def next_queued(session: AsyncSession) -> TrainingRunRecord | None:
    """The run that was asked for first among those that wait."""
    row = await session.scalar(
        select(TrainingRunRow)
        .where(TrainingRunRow.state == RunState.QUEUED)
        .order_by(TrainingRunRow.id)
        .limit(1)
    )
    return None if row is None else row.to_record()


async def latest(session: AsyncSession, state: RunState | None = None) -> TrainingRunRecord | None:
    """The run asked for last, of those in a state where one is given."""
    query = select(TrainingRunRow).order_by(TrainingRunRow.id.desc()).limit(1)
    if state is not None:
        query = query.where(TrainingRunRow.state == state)
    row = await session.scalar(query)
    return None if row is None else row.to_record()


def _is_silent(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    heard = TrainingRunRow.heartbeat_at
    return and_(TrainingRunRow.state == RunState.RUNNING, or_(heard < now - lease, heard > now + lease))


async def _get_row(session: AsyncSession, run_id: int) -> TrainingRunRow:
    """A row to change: nobody else does meanwhile."""
    row = await session.get(TrainingRunRow, run_id, with_for_update=True)
    if row is None:
        raise RunNotFoundError(run_id)
    return row


async def _held_row(session: AsyncSession, run_id: int, holder: str) -> TrainingRunRow:
    row = await _get_row(session, run_id)
    if row.state is not RunState.RUNNING or row.holder != holder:
        raise RunLostError(run_id)
    return row
