"""The one JSON form of a reading: what `digitbot read --json` prints and the HTTP API answers."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from bot import reasons
from bot.i18n import Texts
from model.errors import UnreadablePhotoError
from model.reading import GlyphReading, Reading

Probability = Annotated[float, Field(ge=0, le=1)]
Ten = Annotated[list[Probability], Field(min_length=10, max_length=10)]
Digit = Annotated[int, Field(ge=0, le=9)]


class GlyphAnswer(BaseModel):
    """One digit of a reading; its box is left, top, right, bottom in pixels of the upright photo."""

    model_config = ConfigDict(frozen=True)

    digit: Digit
    confidence: Probability
    probabilities: Ten
    box: Annotated[list[int], Field(min_length=4, max_length=4)]

    @classmethod
    def from_glyph(cls, glyph: GlyphReading) -> Self:
        """The answer for one glyph."""
        box = glyph.box
        return cls(
            digit=glyph.digit,
            confidence=glyph.confidence,
            probabilities=list(glyph.probabilities),
            box=[box.left, box.top, box.right, box.bottom],
        )


class ReadingAnswer(BaseModel):
    """A reading, or why there is none; several lines of digits are joined by newlines."""

    model_config = ConfigDict(frozen=True)

    file: str
    digits: str
    confidence: Probability
    abstained: bool
    reason: str | None
    seconds: Annotated[float, Field(ge=0)]
    glyphs: list[GlyphAnswer]

    @classmethod
    def from_outcome(
        cls, outcome: Reading | UnreadablePhotoError, file: str, seconds: float, texts: Texts
    ) -> Self:
        """The answer for the photo ``file`` that took ``seconds``; its reason in words of ``texts``."""
        reading = outcome if isinstance(outcome, Reading) else Reading((), 0.0)
        digits = reading.digits
        return cls(
            file=file,
            digits=digits,
            confidence=reading.confidence,
            abstained=not digits,
            reason=reason(outcome, texts),
            seconds=round(seconds, 4),
            glyphs=[GlyphAnswer.from_glyph(glyph) for glyph in reading.glyphs] if digits else [],
        )


def reason(outcome: Reading | UnreadablePhotoError, texts: Texts) -> str | None:
    """Why there are no digits, in words; None where there are."""
    if isinstance(outcome, UnreadablePhotoError):
        return reasons.unreadable(texts, outcome)
    return None if outcome.abstention is None else reasons.abstention(texts, outcome.abstention)
