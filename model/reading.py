"""What the recognizer says of a photo: digits with ten probabilities each, or an abstention."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.vision.page import Box


class AbstentionReason(StrEnum):
    """Why no digits are given."""

    NO_INK = "no_ink"
    TOO_MANY_MARKS = "too_many_marks"
    TOUCHES_EDGE = "touches_edge"
    TOO_BLURRED = "too_blurred"
    TOO_SMALL = "too_small"
    ON_ITS_SIDE = "on_its_side"
    NOT_A_DIGIT = "not_a_digit"


@dataclass(frozen=True, slots=True)
class Abstention:
    """No digits, and the measured reason; the words for it are the faces' business.

    Attributes:
        reason: which threshold decided.
        measured: the figures that it decided on, by name (`contrast`, `marks`, ...).
    """

    reason: AbstentionReason
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class GlyphReading:
    """One glyph and what it was read as.

    Attributes:
        box: where it is in the upright, full-size photo.
        pixels: uint8 (28, 28), ink bright.
        probabilities: ten calibrated probabilities that sum to 1.
        line: index of its line, from 0 at the top.
    """

    box: Box
    pixels: NDArray[np.uint8]
    probabilities: tuple[float, ...]
    line: int

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return max(range(10), key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of that digit, 0..1."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class Reading:
    """The glyphs of a photo in reading order, or an abstention.

    Attributes:
        glyphs: in reading order; an abstention may keep what was looked at.
        confidence: probability that the whole string is right, 0..1; 0 where abstained.
        abstention: why no digits are given, or None.
    """

    glyphs: tuple[GlyphReading, ...]
    confidence: float
    abstention: Abstention | None = None

    @classmethod
    def abstained(cls, abstention: Abstention, glyphs: tuple[GlyphReading, ...] = ()) -> Self:
        """A reading without digits."""
        return cls(glyphs, 0.0, abstention)

    @property
    def digits(self) -> str:
        """The digits in reading order, lines joined by a newline; empty where abstained."""
        if self.abstention is not None or not self.glyphs:
            return ""
        lines = [""] * (self.glyphs[-1].line + 1)
        for glyph in self.glyphs:
            lines[glyph.line] += str(glyph.digit)
        return "\n".join(lines)
