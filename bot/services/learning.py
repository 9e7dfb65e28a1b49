"""Retraining, promotion and rollback: one training at a time in all processes that share the database."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config import Learning
from bot.errors import NothingToLearnError, NothingToRollBackToError
from bot.services.champion import Champion
from bot.services.consent import TEXT_VERSION
from bot.services.lesson import LessonService
from bot.services.training_run import Stage, TrainingRunner, Trigger
from bot.services.versions import Version, VersionTimeline
from storage import labelled_glyphs, model_versions, runs
from storage.engine import Database
from storage.errors import DatabaseError, RunInProgressError, RunLostError, SlotTakenError, StorageError
from storage.records import NewTrainingRun, RunState, TrainingRunRecord, VersionState

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""A training whose process was not heard of for so long has crashed."""
WATCH_SECONDS = 1.0
ATTEND_SECONDS = 2.0
RETRY = timedelta(minutes=10)
"""How long after a failure somebody who left is tried to be unlearned again."""
SCHEDULE_WINDOW = timedelta(hours=1)
"""A scheduled training that was missed for longer waits for the next day."""

_BEGINS = {
    "": 0.0,
    Stage.SELECTING: 0.0,
    Stage.DOWNLOADING: 0.03,
    Stage.PREPARING: 0.05,
    Stage.TRAINING: 0.25,
    Stage.JUDGING: 0.85,
}
"""The part of a run that lies before each stage, roughly."""
_ENDS = dict(zip(_BEGINS, [*list(_BEGINS.values())[1:], 1.0], strict=True))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, or what came of it.

    Attributes:
        stage: what it does at present; "" before the first.
        done: part of the whole run that is done, 0..1.
        seconds_left: a guess, once there is something to guess from.
        version_id: the candidate, once it is stored; a finished run without one found nothing to learn.
        error: in words for the log, where the run failed.
    """

    run_id: int
    trigger: str
    state: RunState
    stage: str
    done: float
    seconds_left: float | None
    version_id: int | None
    error: str | None

    @property
    def is_over(self) -> bool:
        """Nothing more comes."""
        return self.state not in (RunState.QUEUED, RunState.RUNNING)

    @property
    def has_crashed(self) -> bool:
        """The process that did it ended in the middle of it; nobody watches it any more."""
        return self.error == runs.SILENT


Listener = Callable[[Progress], Awaitable[None]]


class LearningService:
    """Learns from corrections when asked, when it is time, and when somebody has left.

    Args:
        database: holds runs, versions and what serves.
        lessons: what is to be learned.
        champion: what serves, and the shipped network that every training starts from.
        settings: the schedule.
        runner: does the runs of this process.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        lessons: LessonService,
        champion: Champion,
        settings: Learning,
        runner: TrainingRunner,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._lessons, self._champion = database, lessons, champion
        self._settings, self._runner, self._now = settings, runner, now
        self._timeline = VersionTimeline(database)
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Have `listener` told of every run of this process when it is over."""
        self._listeners.append(listener)

    async def retrain(self, requested_by: int | None = None) -> int:
        """Begin a training in the background; its id.

        Raises:
            NothingToLearnError: there are no corrections that may train.
            RunInProgressError: one is under way, here or in another process.
        """
        if not await self._lessons.exists():
            raise NothingToLearnError
        new = NewTrainingRun(Trigger.COMMAND, self._now(), requested_by)
        async with self._database.transaction() as session:
            run = await runs.start(session, new, self._runner.holder, self._now(), LEASE)
        self._begin(run)
        return run.id

    async def watch(self, run_id: int) -> AsyncIterator[Progress]:
        """How far a run is, about once a second, until it is over; also of another process's.

        While the database cannot be asked nothing is told; the run may go on meanwhile.

        Raises:
            RunNotFoundError: there is none.
        """
        while True:
            try:
                await self._mark_crashed()
                progress = await self._progress(run_id)
            except DatabaseError as exc:
                log.warning("training %d is not seen: %s", run_id, exc)
            else:
                yield progress
                if progress.is_over:
                    return
            await asyncio.sleep(WATCH_SECONDS)

    async def cancel(self) -> bool:
        """Ask the run under way to stop, whichever process it is in; False where there is none."""
        async with self._database.transaction() as session:
            run = await runs.running(session)
            if run is None:
                return False
            await runs.request_cancel(session, run.id, self._now())
        return True

    async def promote(self, version_id: int, by: int | None) -> Version:
        """Let a version serve; every process follows within seconds.

        Raises:
            VersionNotFoundError, VersionRefusedError, VersionForgottenError, VersionUnconsentedError,
            CheckpointGoneError: it cannot.
        """
        return await self._serve(version_id, by, "promotion")

    async def roll_back(self, by: int | None, version_id: int | None = None) -> Version:
        """Let a version serve again that did before; without an id the last one before the present one.

        Raises:
            NothingToRollBackToError: there is none, or this one never served.
            VersionNotFoundError, VersionForgottenError, CheckpointGoneError: it cannot serve.
        """
        async with self._database.reading() as session:
            if version_id is None:
                before = await model_versions.previous(session)
                if before is None:
                    raise NothingToRollBackToError("no version served before the present one")
                version_id = before.version_id
            elif (await model_versions.get(session, version_id)).state is not VersionState.PROMOTED:
                raise NothingToRollBackToError(f"version {version_id} has never served")
        return await self._serve(version_id, by, "rollback")

    async def reject(self, version_id: int) -> Version:
        """Remember that an admin does not want a candidate; it may be promoted later all the same.

        Raises:
            VersionNotFoundError: there is none.
        """
        async with self._database.transaction() as session:
            version = await model_versions.get(session, version_id)
            if version.state is VersionState.CANDIDATE:
                await model_versions.set_state(session, version_id, VersionState.REJECTED)
        return await self._timeline.get(version_id)

    async def version(self, version_id: int) -> Version:
        """A version with its report card. Raises `VersionNotFoundError`."""
        return await self._timeline.get(version_id)

    async def versions(self, limit: int = 20) -> list[Version]:
        """The newest versions, newest first: what served when, and what never did."""
        return await self._timeline.newest(limit)

    async def attend(self) -> None:
        """Screen, mark crashed trainings, train on schedule, take up queued ones, unlearn who has left.

        Ends when cancelled.
        """
        while True:
            try:
                await self._lessons.screen()
                await self._mark_crashed()
                await self._ask_on_schedule()
                await self._ask_to_unlearn()
                await self._take_up()
            except StorageError as exc:
                log.warning("learning waits: %s", exc)
            await asyncio.sleep(ATTEND_SECONDS)

    async def close(self) -> None:
        """Stop a training of this process; it is marked as cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _serve(self, version_id: int, by: int | None, how: str) -> Version:
        async with self._database.transaction() as session:
            serving = await model_versions.current(session)
            if serving is None or serving.version_id != version_id:
                await model_versions.promote(session, version_id, by, self._now(), how=how)
        await self._champion.refresh()
        return await self._timeline.get(version_id)

    async def _mark_crashed(self) -> None:
        """Say of trainings whose process was killed that they failed, and tell of it."""
        async with self._database.reading() as session:  # mostly there is none, and nothing to be written
            if not await runs.is_silent(session, self._now(), LEASE):
                return
        async with self._database.transaction() as session:
            crashed = await runs.release_silent(session, self._now(), LEASE)
        for run in crashed:
            log.warning("training %d failed: %s", run.id, run.error)
            await self._tell(run.id)

    async def _ask_on_schedule(self) -> None:
        """Ask for the training of today once in all processes, where enough was taught since the last."""
        if not self._settings.schedule:
            return
        local = self._now().astimezone()
        hour, minute = map(int, self._settings.schedule.split(":"))
        due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if not due <= local < due + SCHEDULE_WINDOW:
            return
        slot = f"{due:%Y-%m-%dT%H:%M}"
        async with self._database.reading() as session:  # nobody who writes waits while very many are counted
            if await runs.is_taken(session, slot):
                return
            last = await runs.latest(session, RunState.FINISHED)
            was_ahead = last is not None and last.created_at > local  # of what the clock says by now
            since = None if last is None or was_ahead else last.created_at
            new = await labelled_glyphs.count_new_since(session, since, consent_version=TEXT_VERSION)
        if new < self._settings.minimum_new_corrections:
            return
        with suppress(SlotTakenError):
            async with self._database.transaction() as session:
                await runs.request(session, NewTrainingRun(Trigger.SCHEDULE, self._now(), slot=slot))

    async def _ask_to_unlearn(self) -> None:
        """Ask for a training without those who left, while a version serves that learned from them."""
        async with self._database.reading() as session:
            serving = await model_versions.current(session)
            if serving is None or not (await model_versions.get(session, serving.version_id)).is_forgotten:
                return
        async with self._database.transaction() as session:
            if await runs.next_queued(session) or await runs.running(session):
                return
            last = await runs.latest(session)
            has_failed = (
                last is not None and last.trigger == Trigger.FORGETTING and last.finished_at is not None
            )
            if last is not None and has_failed and abs(self._now() - last.created_at) < RETRY:  # clocks jump
                return
            await runs.request(session, NewTrainingRun(Trigger.FORGETTING, self._now()))

    async def _take_up(self) -> None:
        """Begin the training that was asked for first, where none is under way."""
        async with self._database.reading() as session:
            queued = await runs.next_queued(session)
        if queued is None:
            return
        with suppress(RunInProgressError, RunLostError):
            async with self._database.transaction() as session:
                run = await runs.claim(session, queued.id, self._runner.holder, self._now(), LEASE)
            self._begin(run)

    def _begin(self, run: TrainingRunRecord) -> None:
        self._task = asyncio.create_task(self._run(run), name=f"training {run.id}")

    async def _run(self, run: TrainingRunRecord) -> None:
        await self._runner.run(run)
        await self._tell(run.id)

    async def _tell(self, run_id: int) -> None:
        progress = await self._progress(run_id)
        for listener in self._listeners:
            await listener(progress)

    async def _progress(self, run_id: int) -> Progress:
        async with self._database.reading() as session:
            run = await runs.get(session, run_id)
        begin, end = _BEGINS.get(run.stage, 0.0), _ENDS.get(run.stage, 1.0)
        done = 1.0 if run.state is RunState.FINISHED else begin + run.progress * (end - begin)
        seconds_left = None
        if run.state is RunState.RUNNING and run.started_at is not None and done > _BEGINS[Stage.PREPARING]:
            seconds_left = (self._now() - run.started_at).total_seconds() * (1 - done) / done
        return Progress(
            run.id, run.trigger, run.state, run.stage, done, seconds_left, run.version_id, run.error
        )
