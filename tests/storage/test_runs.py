import asyncio
from datetime import timedelta

import pytest

from storage import engine, runs
from storage.engine import Database
from storage.errors import RunInProgressError, RunLostError, RunNotFoundError, SlotTakenError
from storage.records import NewTrainingRun, RunState
from tests.storage.rows import ANNA, NOW, later, version

LEASE = timedelta(seconds=30)
WANTED = NewTrainingRun("command", NOW, requested_by=ANNA)


async def start(database: Database, holder: str, **by: float) -> int:
    async with database.transaction() as session:
        return (await runs.start(session, WANTED, holder, later(**by), LEASE)).id


async def test_a_run_tells_how_far_it_is_and_what_came_of_it(database: Database) -> None:
    run_id = await start(database, "first")
    async with database.transaction() as session:
        beat = await runs.heartbeat(session, run_id, "first", later(seconds=5), stage="train", progress=0.5)
        assert (beat.state, beat.stage, beat.progress) == (RunState.RUNNING, "train", 0.5)
        assert await runs.running(session) == beat
        made = await version(session)
    async with database.transaction() as session:
        await runs.end(
            session,
            run_id,
            "first",
            later(seconds=9),
            RunState.FINISHED,
            version_id=made.id,
            result={"corrections": 40},
        )

    async with database.reading() as session:
        found = await runs.get(session, run_id)
        assert await runs.running(session) is None
        assert await runs.latest(session, RunState.FINISHED) == found == await runs.latest(session)
    assert (found.version_id, found.result, found.finished_at) == (
        made.id,
        {"corrections": 40},
        later(seconds=9),
    )
    assert (found.started_at, found.requested_by) == (NOW, ANNA)


async def test_twenty_processes_start_one_run_and_the_others_are_told(url: str) -> None:
    databases = [engine.create(url) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(start(databases[number % 4], f"process {number}") for number in range(20)),
        return_exceptions=True,
    )
    for database in databases:
        await database.close()

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, RunInProgressError) for outcome in outcomes) == 19


async def test_a_run_whose_process_was_killed_lets_go_of_its_lease(database: Database) -> None:
    killed = await start(database, "killed")
    with pytest.raises(RunInProgressError, match=f"training run {killed} is under way"):
        await start(database, "early", seconds=29)

    second = await start(database, "second", seconds=31)

    async with database.transaction() as session:
        failed = await runs.get(session, killed)
        assert (failed.state, failed.error, failed.finished_at) == (
            RunState.FAILED,
            runs.SILENT,
            later(seconds=31),
        )
        with pytest.raises(RunLostError, match="not held by this process"):
            await runs.heartbeat(session, killed, "killed", later(seconds=32), stage="", progress=0)
        with pytest.raises(RunLostError):
            await runs.end(session, second, "killed", later(seconds=32), RunState.FINISHED)


async def test_heartbeats_keep_the_lease(database: Database) -> None:
    run_id = await start(database, "first")
    async with database.transaction() as session:
        await runs.heartbeat(session, run_id, "first", later(seconds=25), stage="train", progress=2.0)

    with pytest.raises(RunInProgressError):
        await start(database, "second", seconds=50)


async def test_a_clock_set_back_does_not_hold_the_lease_for_a_day(database: Database) -> None:
    await start(database, "before", days=1)

    assert await start(database, "after", minutes=1)


async def test_the_silent_are_named_for_a_report(database: Database) -> None:
    killed = await start(database, "killed")
    async with database.transaction() as session:
        assert await runs.release_silent(session, later(seconds=10), LEASE) == []
        released = await runs.release_silent(session, later(minutes=5), LEASE)

    assert [one.id for one in released] == [killed]


async def test_a_scheduled_run_is_asked_for_once(url: str) -> None:
    scheduled = NewTrainingRun("schedule", NOW, slot="2026-11-24T03:00")
    databases = [engine.create(url) for _ in range(3)]

    async def request(database: Database) -> int:
        async with database.transaction() as session:
            return (await runs.request(session, scheduled)).id

    async with databases[0].reading() as session:
        assert not await runs.is_taken(session, "2026-11-24T03:00")
    outcomes = await asyncio.gather(*map(request, databases), return_exceptions=True)
    async with databases[0].reading() as session:
        assert await runs.is_taken(session, "2026-11-24T03:00")
    for database in databases:
        await database.close()

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, SlotTakenError) for outcome in outcomes) == 2


async def test_those_that_wait_are_begun_in_order(database: Database) -> None:
    async with database.transaction() as session:
        first = await runs.request(session, WANTED)
        second = await runs.request(session, WANTED)
        assert await runs.next_queued(session) == first
        await runs.claim(session, first.id, "holder", NOW, LEASE)
        assert await runs.next_queued(session) == second
        with pytest.raises(RunLostError):
            await runs.claim(session, first.id, "other", NOW, LEASE)


async def test_a_running_run_is_asked_to_stop_and_a_waiting_one_is_cancelled(database: Database) -> None:
    run_id = await start(database, "first")
    async with database.transaction() as session:
        waiting = await runs.request(session, WANTED)
        assert (await runs.request_cancel(session, waiting.id, NOW)).state is RunState.CANCELLED
        await runs.request_cancel(session, run_id, NOW)
        beat = await runs.heartbeat(session, run_id, "first", NOW, stage="train", progress=0.1)
        assert beat.is_cancel_requested
        ended = await runs.end(session, run_id, "first", NOW, RunState.CANCELLED)
        assert ended.state is RunState.CANCELLED
        with pytest.raises(RunNotFoundError, match="no training run with id 404"):
            await runs.request_cancel(session, 404, NOW)
