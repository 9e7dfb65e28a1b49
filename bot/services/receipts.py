"""Receipts: who asked for it is told when a correction of theirs has helped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.services.champion import Champion, Serving
from storage import model_versions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import KeyLostError
from storage.records import CorrectionRecord, GlyphRecord, Receipt


@dataclass(frozen=True, slots=True)
class Helped:
    """A glyph that was misread, was corrected, and is read right since a version serves.

    Attributes:
        correction_id: what they said.
        user_id: whom to tell.
        chat_id, message_id: of the photo.
        corrected_at: when they said so.
        label: the digit that they named.
        was, was_confidence: what was read then, and how sure.
        confidence: how sure the version is of the label.
    """

    correction_id: int
    user_id: int
    chat_id: int
    message_id: int
    corrected_at: datetime
    label: int
    was: int
    was_confidence: float
    confidence: float
    version_id: int


class ReceiptService:
    """Finds out whom to tell what, once for each correction."""

    def __init__(
        self, database: Database, keyring: Keyring, champion: Champion, now: Callable[[], datetime]
    ) -> None:
        self._database, self._keyring, self._champion, self._now = database, keyring, champion, now

    async def due(self, bot_id: int) -> list[Helped]:
        """What this bot has to tell now that the present version serves; asked again, nothing of it."""
        serving = self._champion.current
        async with self._database.reading() as session:
            receipts = await model_versions.receipts_due(session, serving.version_id, bot_id)
        helped = await asyncio.to_thread(self._compare, receipts, serving)
        if helped:
            ids = {one.correction_id for one in helped}
            async with self._database.transaction() as session:
                await model_versions.mark_receipted(session, serving.version_id, ids, self._now())
        return helped

    def _compare(self, receipts: list[Receipt], serving: Serving) -> list[Helped]:
        return [
            helped
            for receipt in receipts
            for glyph, label in zip(receipt.prediction.glyphs, _labels(receipt.correction), strict=False)
            if (helped := self._helped(receipt, glyph, label, serving)) is not None
        ]

    def _helped(self, receipt: Receipt, glyph: GlyphRecord, label: int, serving: Serving) -> Helped | None:
        if glyph.sealed is None or glyph.digit == label:
            return None
        try:
            pixels = np.frombuffer(self._keyring.open(glyph.sealed), np.uint8)
        except KeyLostError:
            return None
        row = serving.recognizer.classify(pixels.reshape(1, 784).astype(np.float32) / np.float32(255))[0]
        if int(row.argmax()) != label:
            return None
        return Helped(
            correction_id=receipt.correction.id,
            user_id=receipt.contributor.user_id,
            chat_id=receipt.prediction.chat_id,
            message_id=receipt.prediction.message_id,
            corrected_at=receipt.correction.created_at,
            label=label,
            was=glyph.digit,
            was_confidence=glyph.confidence,
            confidence=float(row[label]),
            version_id=serving.version_id,
        )


def _labels(correction: CorrectionRecord) -> tuple[int, ...]:
    return correction.labels if correction.labels_glyphs else ()
