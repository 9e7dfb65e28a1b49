"""A database with people who correct readings, and the services that learn from it; trainings are small."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.config import Learning
from bot.services.champion import Champion
from bot.services.consent import TEXT_VERSION
from bot.services.learning import LearningService, Progress
from bot.services.lesson import LessonService
from bot.services.training_run import Effort, Folders, TrainingRunner
from model.learning.finetuning import FineTuning
from model.learning.materials import Pictures
from model.nn import checkpoint
from storage import contributors, corrections, engine, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.migration import migrate
from storage.records import (
    Box,
    Consent,
    CorrectionRecord,
    NewCorrection,
    NewGlyph,
    NewPrediction,
    PredictionRecord,
)

BOT = 7
SMALL = Effort(
    FineTuning(least_steps=8, batch_size=36, full_rate_steps=8),
    Pictures(drawn=100, held_out=100, photographed=3),
    niceness=2,
)
LONG = replace(SMALL, recipe=replace(SMALL.recipe, least_steps=5_000))
"""Still under way when somebody looks or asks it to stop."""


@dataclass
class Clock:
    """Says what time it is; a test may turn it."""

    time: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.time


@dataclass
class School:
    """One process of digitbot: database, champion and services."""

    database: Database
    keyring: Keyring
    champion: Champion
    lessons: LessonService
    learning: LearningService
    now: Callable[[], datetime]
    messages: int = 0

    async def person(self, user_id: int, *, consents: bool = True) -> int:
        """Our id of a person; they agree to learning unless told otherwise."""
        async with self.database.transaction() as session:
            who = await contributors.get_or_create(session, BOT, user_id, self.now())
            if consents:
                await contributors.set_consent(session, who.id, Consent.GIVEN, TEXT_VERSION, self.now())
        return who.id

    async def read(self, owner: int, glyphs: Sequence[NDArray[np.uint8]]) -> PredictionRecord:
        """Store what the champion reads in these glyphs, as a photo of this person."""
        serving = self.champion.current
        self.messages += 1
        stacked = np.stack(glyphs).reshape(-1, 784).astype(np.float32) / np.float32(255)
        rows = serving.recognizer.classify(stacked)
        new = NewPrediction(
            bot_id=BOT,
            chat_id=owner,
            message_id=self.messages,
            file_unique_id=f"photo {self.messages}",
            contributor_id=owner,
            model_version_id=serving.version_id,
            preprocessing_version=1,
            digits="".join(str(row.argmax()) for row in rows),
            confidence=0.5,
            glyphs=tuple(
                NewGlyph(0, Box(0, 0, 28, 28), tuple(map(float, row)), self.keyring.seal(glyph.tobytes()))
                for glyph, row in zip(glyphs, rows, strict=True)
            ),
            created_at=self.now(),
        )
        async with self.database.transaction() as session:
            return await predictions.save(session, new)

    async def correct(
        self, prediction: PredictionRecord, digits: str, by: int, *, is_admin: bool = False
    ) -> int:
        """Store what a person says; the correction's id."""
        new = NewCorrection(prediction.id, by, digits, self.now(), by_admin=is_admin)
        async with self.database.transaction() as session:
            return (await corrections.save(session, new)).id

    async def teach(self, glyph: NDArray[np.uint8], label: int, by: int, *, is_admin: bool = False) -> int:
        """A photo of one glyph, and what its owner says it is; the correction's id."""
        return await self.correct(await self.read(by, [glyph]), str(label), by, is_admin=is_admin)

    async def correction(self, correction_id: int) -> CorrectionRecord:
        """A correction as it is stored now."""
        async with self.database.reading() as session:
            return await corrections.get(session, correction_id)

    async def forget(self, contributor_id: int) -> None:
        """Erase a person."""
        async with self.database.transaction() as session:
            who = await contributors.get(session, contributor_id)
            await contributors.forget(session, who.user_id, self.now())

    async def withdraw(self, contributor_id: int) -> None:
        """Store that a person does not agree to learning any more."""
        async with self.database.transaction() as session:
            await contributors.set_consent(
                session, contributor_id, Consent.WITHDRAWN, TEXT_VERSION, self.now()
            )

    async def finish(self, run_id: int) -> Progress:
        """What came of a run."""
        progress = [progress async for progress in self.learning.watch(run_id)]
        return progress[-1]

    def says(self, glyph: NDArray[np.uint8]) -> int:
        """The digit that the champion reads."""
        pixels = glyph.reshape(1, 784).astype(np.float32) / np.float32(255)
        return int(self.champion.current.recognizer.classify(pixels)[0].argmax())


@asynccontextmanager
async def found(
    folder: Path,
    cache: Path,
    *,
    now: Callable[[], datetime] | None = None,
    settings: Learning | None = None,
    effort: Effort = SMALL,
) -> AsyncIterator[School]:
    """A school in a folder, or another process's view of the one that is there, until the block ends."""
    url = f"sqlite+aiosqlite:///{folder}/digitbot.db"
    migrate(url)
    now = now or Clock()
    settings = settings or Learning()
    database = engine.create(url)
    keyring = Keyring([b"vFlrV8HHgYZOWJTnYxYjXEDSgXIwZFbqbkBhjQvoqk0="])
    champion = Champion(database, checkpoint.SHIPPED / "reader.safetensors", now)
    lessons = LessonService(database, keyring, champion, settings)
    folders = Folders(mnist=Path("/dev/null/mnist"), cache=cache)
    runner = TrainingRunner(database, lessons, champion, settings, folders, effort=effort, now=now)
    learning = LearningService(database, lessons, champion, settings, runner, now=now)
    try:
        await champion.start()
        yield School(database, keyring, champion, lessons, learning, now)
    finally:
        await learning.close()
        await database.close()
