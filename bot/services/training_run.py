"""One run of training in this process: lesson, process, candidate, and the lease that says it is alive."""

import asyncio
import hashlib
import logging
import os
import platform
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bot.config import Learning
from bot.services import training_process
from bot.services.champion import Champion
from bot.services.lesson import Lesson, LessonService
from bot.trainer import Settings, pack_job
from model.errors import DataError, ModelError, TrainingError
from model.learning import mnist, retraining
from model.learning.finetuning import FineTuning
from model.learning.gate import Margins
from model.learning.materials import Pictures
from storage import model_versions, runs
from storage.engine import Database
from storage.errors import ConstraintError, RunLostError, StorageError, VersionUnconsentedError
from storage.records import NewModelVersion, RunState, TrainingRunRecord, VersionState

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
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


class TrainingRunner:
    """Does the runs of this process, one at a time.

    Args:
        database: where runs, versions and what serves are stored.
        lessons: what is to be learned.
        champion: what serves, and the shipped network that every training starts from.
        settings: margins and shares.
        folders: see `Folders`.
        effort: how much work a training is.
        now: the clock.

    Attributes:
        holder: names this process in the leases of its runs.
    """

    def __init__(
        self,
        database: Database,
        lessons: LessonService,
        champion: Champion,
        settings: Learning,
        folders: Folders,
        *,
        effort: Effort,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._lessons, self._champion = database, lessons, champion
        self._settings, self._folders, self._effort, self._now = settings, folders, effort, now
        self._at: tuple[str, float] = ("", 0.0)
        self.holder = f"{platform.node()} {os.getpid()} {uuid.uuid4().hex[:8]}"

    async def run(self, run: TrainingRunRecord) -> None:
        """Do a run that `holder` holds the lease of, and store what came of it, whatever it is."""
        self._at = ("", 0.0)
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
                    await runs.end(session, run.id, self.holder, self._now(), state, error=error)

    async def _beat(self, run_id: int, work: asyncio.Task[None]) -> None:
        """Keep the lease; cancel the work when somebody asks for that or the lease is lost."""
        while True:
            try:
                async with self._database.transaction() as session:
                    stage, done = self._at
                    run = await runs.heartbeat(
                        session, run_id, self.holder, self._now(), stage=stage, progress=done
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
        outcome = await training_process.train(job, self._report)
        await self._store(run, lesson, outcome)

    def _report(self, stage: retraining.Stage, done: float) -> None:
        self._at = (Stage(stage.value), done)

    async def _learn_nothing(self, run: TrainingRunRecord) -> None:
        """Nothing is taught any more: what was learned from those who left gives way to the shipped one."""
        async with self._database.transaction() as session:
            if run.trigger == Trigger.FORGETTING:
                shipped = self._champion.shipped.version_id
                await model_versions.promote(session, shipped, None, self._now(), how=Trigger.FORGETTING)
            await runs.end(session, run.id, self.holder, self._now(), RunState.FINISHED)
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

    async def _store(self, run: TrainingRunRecord, lesson: Lesson, outcome: retraining.Outcome) -> None:
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
                    session, run.id, self.holder, self._now(), RunState.FINISHED, version_id=version.id
                )
        except ConstraintError as exc:
            raise TrainingError("somebody whose corrections it learned from has left meanwhile") from exc
        except VersionUnconsentedError as exc:
            raise TrainingError(
                "somebody whose photos it learned from has withdrawn consent meanwhile"
            ) from exc
        await self._champion.refresh()
