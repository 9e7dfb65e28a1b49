"""Retraining, promotion and rollback: one training at a time in all processes that share the database."""

import asyncio
import hashlib
import logging
import os
import platform
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from bot.config import Learning
from bot.errors import NothingToLearnError, NothingToRollBackToError
from bot.services.champion import Champion
from bot.services.consent import TEXT_VERSION
from bot.services.lesson import Lesson, LessonService
from bot.services.training_process import TrainingProcess
from bot.services.versions import Version, VersionTimeline
from bot.trainer import Settings, pack_job
from model.errors import DataError, ModelError, TrainingError
from model.learning import mnist
from model.learning.finetuning import FineTuning
from model.learning.gate import Margins
from model.learning.materials import Pictures
from model.learning.retraining import Outcome
from storage import labelled_glyphs, model_versions, runs
from storage.engine import Database
from storage.errors import (
    ConstraintError,
    RunInProgressError,
    RunLostError,
    SlotTakenError,
    StorageError,
    VersionUnconsentedError,
)
from storage.records import (
    NewModelVersion,
    NewTrainingRun,
    RunState,
    TrainingRunRecord,
    VersionState,
)

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""A training whose process was not heard of for so long has crashed."""
HEARTBEAT_SECONDS = 2.0
WATCH_SECONDS = 1.0
ATTEND_SECONDS = 2.0
RETRY = timedelta(minutes=10)
"""How long after a failure somebody who left is tried to be unlearned again."""
SCHEDULE_WINDOW = timedelta(hours=1)
"""A scheduled training that was missed for longer waits for the next day."""
DOWNLOAD_SECONDS = 10.0


class Trigger(StrEnum):
    """Why a training was asked for."""

    COMMAND = "command"
    SCHEDULE = "schedule"
    FORGETTING = "forgetting"


class Stage(StrEnum):
    """What a run is doing, in this order."""

    SELECTING = "selecting"
    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    TRAINING = "training"
    JUDGING = "judging"


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


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files are that training needs and does not keep in the database.

    Attributes:
        mnist: the four files, downloaded when they are missing.
        cache: pictures that candidates are judged by, rendered once.
    """

    mnist: Path
    cache: Path


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a training is, and how much it gives way to everything else (0..19)."""

    recipe: FineTuning = field(default_factory=FineTuning)
    pictures: Pictures = field(default_factory=Pictures)
    niceness: int = 10


Listener = Callable[[Progress], Awaitable[None]]


class LearningService:
    """Learns from corrections when asked, when it is time, and when somebody has left.

    Args:
        database: holds runs, versions and what serves.
        lessons: what is to be learned.
        champion: what serves, and the shipped network that every training starts from.
        settings: schedule, margins and the like.
        folders: see `Folders`.
        effort: how much work a training is.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        lessons: LessonService,
        champion: Champion,
        settings: Learning,
        folders: Folders,
        *,
        now: Callable[[], datetime],
        effort: Effort = Effort(),
    ) -> None:
        self._database, self._lessons, self._champion = database, lessons, champion
        self._settings, self._folders, self._now = settings, folders, now
        self._effort = effort
        self._timeline = VersionTimeline(database)
        self._holder = f"{platform.node()} {os.getpid()} {uuid.uuid4().hex[:8]}"
        self._task: asyncio.Task[None] | None = None
        self._at: tuple[str, float] = ("", 0.0)
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
            run = await runs.start(session, new, self._holder, self._now(), LEASE)
        self._begin(run)
        return run.id

    async def watch(self, run_id: int) -> AsyncIterator[Progress]:
        """How far a run is, about once a second, until it is over; also of another process's."""
        while True:
            await self._mark_crashed()
            async with self._database.reading() as session:
                run = await runs.get(session, run_id)
            progress = self._progress(run)
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
                run = await runs.claim(session, queued.id, self._holder, self._now(), LEASE)
            self._begin(run)

    def _begin(self, run: TrainingRunRecord) -> None:
        self._at = ("", 0.0)
        self._task = asyncio.create_task(self._run(run), name=f"training {run.id}")

    async def _run(self, run: TrainingRunRecord) -> None:
        """Do a run and store what came of it, whatever it is."""
        work = asyncio.create_task(self._work(run))
        beat = asyncio.create_task(self._beat(run.id, work))
        state, error = RunState.FINISHED, None
        try:
            await work
        except asyncio.CancelledError:
            state = RunState.CANCELLED
        except (ModelError, StorageError) as exc:
            state, error = RunState.FAILED, str(exc)
            log.warning("training %d failed: %s", run.id, exc)
        except Exception:
            state, error = RunState.FAILED, "an unexpected error; the log has it"
            log.exception("training %d failed", run.id)
        finally:
            work.cancel()
            beat.cancel()
            await asyncio.gather(work, beat, return_exceptions=True)
        with suppress(RunLostError):
            if state is not RunState.FINISHED:
                async with self._database.transaction() as session:
                    await runs.end(session, run.id, self._holder, self._now(), state, error=error)
        await self._tell(run.id)

    async def _tell(self, run_id: int) -> None:
        async with self._database.reading() as session:
            progress = self._progress(await runs.get(session, run_id))
        for listener in self._listeners:
            await listener(progress)

    async def _beat(self, run_id: int, work: asyncio.Task[None]) -> None:
        """Keep the lease; cancel the work when somebody asks for that or the lease is lost."""
        while True:
            try:
                async with self._database.transaction() as session:
                    stage, done = self._at
                    run = await runs.heartbeat(
                        session, run_id, self._holder, self._now(), stage=stage, progress=done
                    )
                if run.is_cancel_requested:
                    work.cancel()
            except RunLostError:
                work.cancel()
            except StorageError as exc:
                log.warning("training %d: %s", run_id, exc)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _work(self, run: TrainingRunRecord) -> None:
        self._at = (Stage.SELECTING, 0.0)
        lesson = await self._lessons.make()
        if len(lesson.trained) == 0:
            await self._learn_nothing(run)
            return
        await self._fetch_mnist()
        job = await self._job(lesson, run)
        async with aclosing(TrainingProcess().run(job)) as messages:  # so that it has ended when this has
            async for message in messages:
                if isinstance(message, Outcome):
                    await self._store(run, lesson, message)
                else:
                    self._at = (Stage(message.stage.value), message.done)

    async def _learn_nothing(self, run: TrainingRunRecord) -> None:
        """Nothing is taught any more: what was learned from those who left gives way to the shipped one."""
        async with self._database.transaction() as session:
            if run.trigger == Trigger.FORGETTING:
                shipped = self._champion.shipped.version_id
                await model_versions.promote(session, shipped, None, self._now(), how=Trigger.FORGETTING)
            await runs.end(session, run.id, self._holder, self._now(), RunState.FINISHED)
        await self._champion.refresh()

    async def _fetch_mnist(self) -> None:
        """Download what is missing of MNIST; where that fails, drawn digits take its place."""
        self._at = (Stage.DOWNLOADING, 0.0)
        try:
            await asyncio.to_thread(mnist.fetch, self._folders.mnist, DOWNLOAD_SECONDS)
        except (DataError, OSError) as exc:
            log.info("training without MNIST: %s", exc)

    async def _job(self, lesson: Lesson, run: TrainingRunRecord) -> bytes:
        """What the training process needs. Who unlearns is compared with the shipped network alone."""
        self._at = (Stage.PREPARING, 0.0)
        shipped = self._champion.shipped.version_id
        async with self._database.reading() as session:
            serving = await model_versions.current(session)
            is_unlearning = serving is None or run.trigger == Trigger.FORGETTING
            start = await model_versions.checkpoint_bytes(session, shipped)
            champion = start
            if serving is not None and not is_unlearning:
                champion = await model_versions.checkpoint_bytes(session, serving.version_id)
        recipe = self._effort.recipe.within(
            lesson.largest_share,
            person=self._settings.share_per_person,
            corrections=self._settings.share_of_corrections,
        )
        settings = Settings(
            recipe,
            Margins(**self._settings.margins.model_dump()),
            self._effort.pictures,
            self._folders.mnist.absolute(),
            self._folders.cache.absolute(),
            self._effort.niceness,
        )
        return pack_job(start, champion, lesson.trained, lesson.held_out, settings)

    async def _store(self, run: TrainingRunRecord, lesson: Lesson, outcome: Outcome) -> None:
        """Store the candidate and what it learned from; promote it where nobody is to be asked."""
        passed = outcome.verdict.passed
        new = NewModelVersion(
            sha256=hashlib.sha256(outcome.candidate).hexdigest(),
            checkpoint=outcome.candidate,
            architecture=self._champion.shipped.recognizer.network.architecture,
            trigger=run.trigger,
            created_at=self._now(),
            parent_id=self._champion.shipped.version_id,
            data={
                "corrections": len(lesson.trained),
                "held_out": len(lesson.held_out),
                "contributors": lesson.contributors,
                "left_out": lesson.left_out,
                "replay": outcome.card.replay,
            },
            metrics={"card": outcome.card.to_dict(), "verdict": outcome.verdict.to_dict()},
            state=VersionState.CANDIDATE if passed else VersionState.REFUSED,
            reason=None if passed else outcome.verdict.reasons[0].fault.value,
        )
        try:
            async with self._database.transaction() as session:
                version = await model_versions.add(session, new)
                await model_versions.record_learned(session, version.id, lesson.correction_ids)
                if passed and (self._settings.promote_automatically or run.trigger == Trigger.FORGETTING):
                    await model_versions.promote(session, version.id, None, self._now(), how="automatic")
                elif run.trigger == Trigger.FORGETTING:
                    shipped = self._champion.shipped.version_id
                    await model_versions.promote(session, shipped, None, self._now(), how=Trigger.FORGETTING)
                await runs.end(
                    session, run.id, self._holder, self._now(), RunState.FINISHED, version_id=version.id
                )
        except ConstraintError as exc:
            raise TrainingError("somebody whose corrections it learned from has left meanwhile") from exc
        except VersionUnconsentedError as exc:
            raise TrainingError(
                "somebody whose photos it learned from has withdrawn consent meanwhile"
            ) from exc
        await self._champion.refresh()

    def _progress(self, run: TrainingRunRecord) -> Progress:
        begin, end = _BEGINS.get(run.stage, 0.0), _ENDS.get(run.stage, 1.0)
        done = 1.0 if run.state is RunState.FINISHED else begin + run.progress * (end - begin)
        seconds_left = None
        if run.state is RunState.RUNNING and run.started_at is not None and done > _BEGINS[Stage.PREPARING]:
            seconds_left = (self._now() - run.started_at).total_seconds() * (1 - done) / done
        return Progress(
            run.id, run.trigger, run.state, run.stage, done, seconds_left, run.version_id, run.error
        )
