"""Corrections that were held back: an administrator looks at them and decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bot.errors import NotAnAdminError, NotAReadingError
from bot.services.consent import TEXT_VERSION
from bot.services.people import Person
from storage import corrections, inbox
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import CorrectionNotFoundError, KeyLostError
from storage.records import CorrectionRecord, Decision, GlyphRecord, PredictionRecord


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A correction that waits for a decision.

    Attributes:
        glyphs: uint8 (28, 28) each, ink bright, in reading order; without those whose key is lost.
        count: how many wait, this one counted.
    """

    correction: CorrectionRecord
    prediction: PredictionRecord
    glyphs: tuple[NDArray[np.uint8], ...]
    count: int


class ReviewService:
    """For administrators only; what they decide stands."""

    def __init__(self, database: Database, keyring: Keyring, now: Callable[[], datetime]) -> None:
        self._database, self._keyring, self._now = database, keyring, now

    async def next(self, person: Person) -> Waiting | None:
        """The correction that has waited longest, or None.

        Raises:
            NotAnAdminError: the person is none.
        """
        _require_admin(person)
        async with self._database.reading() as session:
            found = await corrections.review_queue(session, limit=1, consent_version=TEXT_VERSION)
            count = await corrections.review_count(session, consent_version=TEXT_VERSION)
        if not found:
            return None
        item = found[0]
        pixels = (self._pixels(glyph) for glyph in item.prediction.glyphs)
        glyphs = tuple(one for one in pixels if one is not None)
        return Waiting(item.correction, item.prediction, glyphs, count)

    async def decide(self, person: Person, correction_id: int, *, accepted: bool, update_id: int) -> None:
        """Let a correction train, or not.

        Raises:
            NotAnAdminError: the person is none.
            NotAReadingError: there is no such correction (any more).
            CorrectionNotCountingError: it was taken back or replaced, or consent to it was withdrawn.
        """
        _require_admin(person)
        decision = Decision.ACCEPTED if accepted else Decision.REJECTED
        async with self._database.transaction() as session:
            try:
                await corrections.decide(session, correction_id, decision, person.user_id, self._now())
            except CorrectionNotFoundError as exc:
                raise NotAReadingError from exc
            await inbox.mark_done(session, person.bot_id, update_id)

    def _pixels(self, glyph: GlyphRecord) -> NDArray[np.uint8] | None:
        if glyph.sealed is None:
            return None
        try:
            return np.frombuffer(self._keyring.open(glyph.sealed), np.uint8).reshape(28, 28)
        except KeyLostError:
            return None


def _require_admin(person: Person) -> None:
    if not person.is_admin:
        raise NotAnAdminError
