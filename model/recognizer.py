"""A page -> its reading: the network scores the ways to read each group, and says what is no digit at all."""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.nn.checkpoint import Checkpoint
from model.nn.losses import softmax
from model.nn.network import Network
from model.reading import Abstention, AbstentionReason, GlyphReading, Reading
from model.vision.page import Glyph, Group, Measurements, Page

_LEAST_CONTRAST = 0.06
_MOST_GLYPHS = 60


class Recognizer:
    """Reads pages with a network; keeps no state, so several threads may read at once.

    Args:
        network: gives ten logits for a glyph.
        temperature: the logits are divided by it, which makes the probabilities true on data like photos (Guo
            et al. 2017, section 4.2).
    """

    def __init__(self, network: Network, temperature: float = 1.0) -> None:
        self.network = network
        self.temperature = temperature

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Self:
        """With the temperature that the checkpoint's metadata names."""
        return cls(checkpoint.network, float(checkpoint.metadata.get("temperature", 1.0)))

    def classify(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 784) in 0..1 -> (N, 10) calibrated probabilities; row by row: company changes no bit."""
        rows = [self.network.logits(row[None]) for row in pixels]
        if not rows:
            return np.zeros((0, 10), np.float32)
        return softmax(np.concatenate(rows) / np.float32(self.temperature))

    def read(self, page: Page) -> Reading:
        """The digits of the page in reading order, or an abstention with what was measured."""
        abstention = _without_network(page.measurements)
        if abstention is not None or not page.lines:
            return Reading.abstained(abstention or _abstention(AbstentionReason.NO_INK, page.measurements))
        glyphs: list[GlyphReading] = []
        confidence = 1.0
        for number, line in enumerate(page.lines):
            for group in line.groups:
                chosen, certainty = self._best(group, number)
                glyphs.extend(chosen)
                confidence *= certainty
        return Reading(tuple(glyphs), confidence * math.prod(glyph.confidence for glyph in glyphs))

    def _best(self, group: Group, line: int) -> tuple[tuple[GlyphReading, ...], float]:
        """The likeliest way to read a group, and how much likelier than the others it is, 0..1."""
        ways = [tuple(self._glyph(glyph, line) for glyph in way) for way in group.alternatives]
        scores = [math.prod(glyph.confidence for glyph in way) ** (1 / len(way)) for way in ways]
        best = max(range(len(ways)), key=scores.__getitem__)
        return ways[best], 1.0

    def _glyph(self, glyph: Glyph, line: int) -> GlyphReading:
        pixels = (glyph.pixels.astype(np.float32) / np.float32(255)).reshape(1, 784)
        probabilities = tuple(float(p) for p in self.classify(pixels)[0])
        return GlyphReading(glyph.box, glyph.pixels, probabilities, line)


def _without_network(measured: Measurements) -> Abstention | None:
    """An abstention that the measurements alone ask for."""
    if measured.contrast < _LEAST_CONTRAST:
        return _abstention(AbstentionReason.NO_INK, measured)
    if measured.digit_sized_marks > _MOST_GLYPHS:
        return _abstention(AbstentionReason.TOO_MANY_MARKS, measured)
    return None


def _abstention(reason: AbstentionReason, measured: Measurements) -> Abstention:
    return Abstention(
        reason,
        {
            "contrast": measured.contrast,
            "marks": float(measured.marks),
            "digit_sized_marks": float(measured.digit_sized_marks),
            "sharpness": measured.sharpness,
        },
    )
