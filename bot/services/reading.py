"""Read a photo, and keep what is needed to correct the reading: never the photo."""

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from bot.errors import ForgottenError
from bot.services.champion import Champion
from bot.services.people import require_open
from model.reading import GlyphReading, Reading
from model.vision.page import PREPROCESSING_VERSION, Page
from storage import contributors, inbox, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import PredictionNotFoundError
from storage.records import Box, NewGlyph, NewPrediction, PredictionRecord


class PageReader(Protocol):
    """What turns untrusted bytes into a page, somewhere where that can do no harm."""

    async def read_page(self, data: bytes) -> Page:
        """The page of a photo. Raises `UnreadablePhotoError`."""


@dataclass(frozen=True, slots=True)
class PhotoSource:
    """Where a photo comes from.

    Attributes:
        user_id: who sent it or asked for it to be read.
        keeps_glyphs: it is their own, so glyphs may be kept until they are corrected or expire.
        update_id: of the update that brought it, which is done when its answer is known; None for a drawing,
            which comes from a page.
    """

    bot_id: int
    chat_id: int
    message_id: int
    file_unique_id: str
    user_id: int
    keeps_glyphs: bool
    update_id: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A photo as it was seen, what was read in it, and by which version."""

    page: Page
    reading: Reading
    version_id: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredReading:
    """A reading as it was stored.

    Attributes:
        replaces_answer: message id of the answer to the photo that was in this message before, if any.
    """

    prediction: PredictionRecord
    replaces_answer: int | None


class ReadingService:
    """The one path a photo takes to the network, for every face."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        champion: Champion,
        decoder: PageReader,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._keyring = database, keyring
        self._champion, self._decoder, self._now = champion, decoder, now

    async def read(self, data: bytes) -> Reading:
        """The reading of a photo; nothing is stored. Raises `UnreadablePhotoError`."""
        return (await self.look(data)).reading

    async def look(self, data: bytes) -> Sight:
        """The reading of a photo together with what it was read from. Raises `UnreadablePhotoError`."""
        page = await self._decoder.read_page(data)
        serving = self._champion.current
        reading = await asyncio.to_thread(serving.recognizer.read, page)
        return Sight(page, reading, serving.version_id)

    async def find(self, source: PhotoSource) -> PredictionRecord | None:
        """What this very photo in this very message was read as before, or None."""
        async with self._database.reading() as session:
            known = await predictions.find_by_message(
                session, source.bot_id, source.chat_id, source.message_id
            )
        return known if known is not None and known.file_unique_id == source.file_unique_id else None

    async def read_and_store(self, data: bytes, source: PhotoSource) -> StoredReading:
        """Read a photo and store the prediction; the same photo again changes nothing.

        But a reading that somebody else has asked for gives way to that of the person whose photo it is.

        Raises:
            UnreadablePhotoError: the bytes are no photo.
            ForgottenError: who sent it was forgotten meanwhile.
        """
        sight = await self.look(data)
        glyphs = await asyncio.to_thread(self._glyphs, sight.reading, source)
        async with self._database.transaction() as session:
            if source.update_id is not None:
                await require_open(session, source.bot_id, source.update_id)
            before = await predictions.find_by_message(
                session, source.bot_id, source.chat_id, source.message_id
            )
            owner = await contributors.get_or_create(session, source.bot_id, source.user_id, self._now())
            if before is not None and before.contributor_id != owner.id and source.keeps_glyphs:
                await predictions.erase(session, before.id)  # who asked first was not whose photo it is
            prediction = await predictions.save(
                session, self._new_prediction(sight, source, owner.id, glyphs)
            )
            answer = None
            if before is not None and (before.id != prediction.id or prediction.answer_message_id is None):
                answer = await predictions.answer_before(session, prediction)
        return StoredReading(prediction, answer)

    async def set_answer(self, prediction_id: int, message_id: int, source: PhotoSource) -> None:
        """Remember which message answered; with that, the update is done.

        Raises:
            ForgottenError: who sent it was forgotten meanwhile.
        """
        async with self._database.transaction() as session:
            try:
                await predictions.set_answer(session, prediction_id, message_id)
            except PredictionNotFoundError as exc:
                raise ForgottenError from exc
            if source.update_id is not None:
                await inbox.mark_done(session, source.bot_id, source.update_id)

    def _glyphs(self, reading: Reading, source: PhotoSource) -> tuple[NewGlyph, ...]:
        return tuple(self._glyph(glyph, source) for glyph in reading.glyphs)

    def _glyph(self, glyph: GlyphReading, source: PhotoSource) -> NewGlyph:
        box = glyph.box
        return NewGlyph(
            line=glyph.line,
            box=Box(box.left, box.top, box.right, box.bottom),
            probabilities=glyph.probabilities,
            sealed=self._keyring.seal(glyph.pixels.tobytes()) if source.keeps_glyphs else None,
        )

    def _new_prediction(
        self, sight: Sight, source: PhotoSource, owner_id: int, glyphs: tuple[NewGlyph, ...]
    ) -> NewPrediction:
        abstention = sight.reading.abstention
        return NewPrediction(
            bot_id=source.bot_id,
            chat_id=source.chat_id,
            message_id=source.message_id,
            file_unique_id=source.file_unique_id,
            contributor_id=owner_id,
            model_version_id=sight.version_id,
            preprocessing_version=PREPROCESSING_VERSION,
            digits=sight.reading.digits,
            confidence=sight.reading.confidence,
            glyphs=glyphs,
            created_at=self._now(),
            abstention=None if abstention is None else abstention.reason.value,
            measured={} if abstention is None else dict(abstention.measured),
            environment=environment(),
        )


def environment() -> dict[str, str]:
    """Processor and library versions; within the same ones a replay agrees to the bit."""
    return {"machine": platform.machine(), "processor": platform.processor(), "numpy": np.__version__}
