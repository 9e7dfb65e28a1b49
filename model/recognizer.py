"""A page -> its reading: networks score the ways to read each group, and say what is no digit at all."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.errors import CheckpointError
from model.nn import checkpoint
from model.nn.checkpoint import Checkpoint
from model.nn.losses import softmax
from model.nn.network import Network
from model.reading import Abstention, AbstentionReason, GlyphReading, Reading
from model.vision.page import Box, Glyph, Group, Measurements, Page

_LEAST_CONTRAST = 0.06
"""Fainter ink is noise of the ground."""
_MOST_MARKS = 60
"""More marks of a digit's size than this are a printed page or a texture."""
_LEAST_DIGIT = 0.1
"""Glyphs that the judge gives a smaller probability of being a digit are left out."""
_LEAST_HEIGHT = 12
"""Pixels; what is lower has no shape left to read."""
_LEAST_SHARPNESS = 0.6
"""With less, the picture is more blurred than our camera's "defocus", which measures 0.63 to 0.76."""
_LEAST_CONFIDENCE = 0.3
"""Readings whose confidence times likeness is less a digit (geometric mean) are abstained."""
_LEAST_EXPLAINED = 0.75
"""Part of the ink of digit-sized marks, not at the photo's edge, that digits account for."""
_ON_ITS_SIDE = 0.9
"""Turned by a quarter, most glyphs are digits with this probability where a photo may lie on its side."""
_MOST_STROKES = 5
"""More strokes in one line, and nothing but strokes, are hatching and no number of ones."""
_LEAST_BOW = 1.2
"""Pixels of a glyph by which the middle of a bracket lies aside of its ends."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A glyph as the networks see it.

    Attributes:
        reading: its digit.
        likeness: the judge's probability that it is one whole digit, 0..1.
    """

    reading: GlyphReading
    likeness: float


class Recognizer:
    """Reads pages with a network; keeps no state, so several threads may read at once.

    Args:
        network: gives ten logits for a glyph.
        judge: gives eleven, the last for what is no digit; see `model.learning.judging`.
        temperature: the logits are divided by it, which makes the probabilities true on data like photos (Guo
            et al. 2017, section 4.2).
    """

    def __init__(self, network: Network, judge: Network, temperature: float = 1.0) -> None:
        self.network = network
        self.judge = judge
        self.temperature = temperature

    @classmethod
    def from_checkpoint(cls, reader: Checkpoint) -> Self:
        """With the temperature that the checkpoint's metadata names, and the judge that ships.

        Raises:
            CheckpointError: it is a judge, whose eleventh class is no digit; or its temperature is no
                positive number.
        """
        if reader.network.architecture == "judge":
            raise CheckpointError(
                "a judge tells digits from everything else; what reads is a reader or classic"
            )
        return cls(reader.network, checkpoint.shipped("judge").network, _temperature(reader.metadata))

    def classify(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 784) in 0..1 -> (N, 10) calibrated probabilities; row by row: company changes no bit."""
        rows = [self.network.logits(row[None]) for row in pixels]
        if not rows:
            return np.zeros((0, 10), np.float32)
        return softmax(np.concatenate(rows) / np.float32(self.temperature))

    def read(self, page: Page) -> Reading:
        """The digits of the page in reading order, or an abstention with what was measured."""
        reason = _without_networks(page)
        if reason is not None:
            return Reading.abstained(_abstention(reason, page.measurements))
        best = [self._best(group, number) for number, line in enumerate(page.lines) for group in line.groups]
        seen = [scored for way, _ in best for scored in way]
        brackets = _brackets_among(seen)
        found = [scored for scored in seen if scored not in brackets] or seen
        digits = _digits_among(found)
        stand_out = sum(map(_area, digits)) > sum(map(_area, found)) / 2
        explained = _explained(page, [*digits, *brackets])
        if not stand_out or explained < _LEAST_EXPLAINED or _is_hatching(digits):
            likeness = max(scored.likeness for scored in found)
            return self._unread(page, [scored.reading for scored in found], likeness=likeness)
        left_out = [1 - scored.likeness for scored in found if scored not in digits]
        certainty = math.prod(certainty for _, certainty in best) * math.prod(left_out)
        confidence = certainty * math.prod(scored.reading.confidence for scored in digits)
        likeness = math.prod(scored.likeness for scored in digits)
        if (confidence * likeness) ** (1 / len(digits)) < _LEAST_CONFIDENCE:
            return self._unread(page, [scored.reading for scored in digits], confidence=confidence)
        return Reading(_renumbered([scored.reading for scored in digits]), confidence)

    def _unread(self, page: Page, glyphs: Sequence[GlyphReading], **figures: float) -> Reading:
        """The abstention where the networks see no digits, with what may have been in their way."""
        measured = page.measurements
        height = max(glyph.box.bottom - glyph.box.top for glyph in glyphs)
        if measured.touches_edge:
            reason = AbstentionReason.TOUCHES_EDGE
        elif height < _LEAST_HEIGHT:
            reason = AbstentionReason.TOO_SMALL
        elif measured.sharpness < _LEAST_SHARPNESS:
            reason = AbstentionReason.TOO_BLURRED
        elif self._may_lie_on_its_side(glyphs):
            reason = AbstentionReason.ON_ITS_SIDE
        else:
            reason = AbstentionReason.NOT_A_DIGIT
        return Reading.abstained(_abstention(reason, measured, height=height, **figures), tuple(glyphs))

    def _may_lie_on_its_side(self, glyphs: Sequence[GlyphReading]) -> bool:
        """Whether most glyphs look like digits once they are turned by a quarter, to the left or the right.

        That is not read: a 7 turned the wrong way is a 2, and a 6 a 9.
        """
        return any(
            median(self._certainty(np.rot90(glyph.pixels, turns)) for glyph in glyphs) > _ON_ITS_SIDE
            for turns in (1, 3)
        )

    def _certainty(self, image: NDArray[np.uint8]) -> float:
        """How sure both networks are that (28, 28) is one digit and which, 0..1."""
        pixels = _network_input(image)
        return self._likeness(pixels) * float(self.classify(pixels).max())

    def _best(self, group: Group, line: int) -> tuple[tuple[_Scored, ...], float]:
        """The likeliest way to read a group, and its probability among all ways, 0..1."""
        glyphs = {_identity(glyph): glyph for way in group.alternatives for glyph in way}
        scored_glyphs = {key: self._scored(glyph, line) for key, glyph in glyphs.items()}
        ways = [tuple(scored_glyphs[_identity(glyph)] for glyph in way) for way in group.alternatives]
        priors = group.priors or (1.0,) * len(ways)
        scores = [
            prior * math.prod(scored.likeness * scored.reading.confidence for scored in way)
            for prior, way in zip(priors, ways, strict=True)
        ]
        by_digits: dict[str, float] = defaultdict(float)
        for way, score in zip(ways, scores, strict=True):
            by_digits["".join(str(s.reading.digit) for s in way)] += score
        digits = max(by_digits, key=by_digits.__getitem__)
        alike = [i for i, way in enumerate(ways) if "".join(str(s.reading.digit) for s in way) == digits]
        best = max(alike, key=scores.__getitem__)
        return ways[best], by_digits[digits] / max(sum(scores), 1e-12)

    def _scored(self, glyph: Glyph, line: int) -> _Scored:
        pixels = _network_input(glyph.pixels)
        probabilities = tuple(float(p) for p in self.classify(pixels)[0])
        return _Scored(GlyphReading(glyph.box, glyph.pixels, probabilities, line), self._likeness(pixels))

    def _likeness(self, pixels: NDArray[np.float32]) -> float:
        """The judge's probability that (1, 784) is one whole digit."""
        return 1 - float(self.judge.probabilities(pixels)[0, -1])


def _temperature(metadata: dict[str, str]) -> float:
    text = metadata.get("temperature", "1")
    try:
        temperature = float(text)
    except ValueError:
        temperature = math.nan
    if not 0 < temperature < math.inf:
        raise CheckpointError(f"the temperature in its metadata is {text!r}, no positive number")
    return temperature


def _network_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(28, 28) in 0..255 -> (1, 784) in 0..1."""
    return (image.astype(np.float32) / np.float32(255)).reshape(1, 784)


def _identity(glyph: Glyph) -> tuple[Box, bytes]:
    """Equal for the same glyph in several ways, also after it came from another process."""
    return glyph.box, glyph.pixels.tobytes()


def _area(scored: _Scored) -> int:
    box = scored.reading.box
    return (box.right - box.left) * (box.bottom - box.top)


def _digits_among(found: Sequence[_Scored]) -> list[_Scored]:
    """What the judge takes for digits and, beside two of them, what is as high.

    In a number it is likelier that digits touch in a way that could not be parted than that something else
    stands in their midst.
    """
    sure = [scored for scored in found if scored.likeness >= _LEAST_DIGIT]
    heights = [_height(scored) for scored in sure]
    return [scored for scored in found if scored in sure or _stands_in(heights, scored)]


def _stands_in(heights: list[int], scored: _Scored) -> bool:
    return len(heights) > 1 and 0.6 <= _height(scored) / median(heights) <= 1.6


def _height(scored: _Scored) -> int:
    return scored.reading.box.bottom - scored.reading.box.top


def _is_hatching(digits: Sequence[_Scored]) -> bool:
    longest = max(Counter(scored.reading.line for scored in digits).values(), default=0)
    return longest > _MOST_STROKES and all(scored.reading.digit == 1 for scored in digits)


def _explained(page: Page, digits: Sequence[_Scored]) -> float:
    """The ink in the boxes of the digits, as a part of that of all digit-sized marks inside the photo."""
    inked = page.ink > 127
    scale = inked.shape[1] / page.width
    boxed = np.zeros_like(inked)
    for scored in digits:
        box = scored.reading.box
        rows = slice(int(box.top * scale), math.ceil(box.bottom * scale))
        boxed[rows, int(box.left * scale) : math.ceil(box.right * scale)] = True
    share = np.count_nonzero(inked & boxed) / inked.size
    return share / max(page.measurements.inner_ink, 1e-12)


def _brackets_among(found: Sequence[_Scored]) -> list[_Scored]:
    """Pairs of strokes in one line that bow away from the digits between them."""
    strokes = [scored for scored in found if scored.reading.digit == 1]
    opening = [scored for scored in strokes if _bow(scored) < -_LEAST_BOW]
    closing = [scored for scored in strokes if _bow(scored) > _LEAST_BOW]
    brackets = []
    for first, last in itertools.product(opening, closing):
        if any(_lies_between(first, scored, last) for scored in found):
            brackets += [first, last]
    return brackets


def _lies_between(first: _Scored, scored: _Scored, last: _Scored) -> bool:
    left, middle, right = first.reading, scored.reading, last.reading
    in_line = left.line == middle.line == right.line
    return in_line and left.box.right <= middle.box.left and middle.box.right <= right.box.left


def _bow(scored: _Scored) -> float:
    """How far the middle of a stroke lies to the right of the line between its ends, in its pixels."""
    pixels = scored.reading.pixels.astype(np.float64)
    rows = np.flatnonzero(pixels.max(axis=1) > 127)
    if len(rows) < len(pixels) // 2:
        return 0.0
    columns = pixels[rows] @ np.arange(pixels.shape[1]) / pixels[rows].sum(axis=1)
    sixth = len(rows) // 6
    ends = (columns[:sixth].mean() + columns[-sixth:].mean()) / 2
    return float(columns[len(rows) // 2 - sixth : len(rows) // 2 + sixth].mean() - ends)


def _renumbered(glyphs: Sequence[GlyphReading]) -> tuple[GlyphReading, ...]:
    """Lines counted anew, where one held no digits."""
    numbers = {line: number for number, line in enumerate(sorted({glyph.line for glyph in glyphs}))}
    return tuple(
        GlyphReading(glyph.box, glyph.pixels, glyph.probabilities, numbers[glyph.line]) for glyph in glyphs
    )


def _without_networks(page: Page) -> AbstentionReason | None:
    """Why the measurements alone rule out digits."""
    measured = page.measurements
    if not page.lines or measured.contrast < _LEAST_CONTRAST:
        return AbstentionReason.NO_INK
    if measured.digit_sized_marks > _MOST_MARKS:
        return AbstentionReason.TOO_MANY_MARKS
    return None


def _abstention(reason: AbstentionReason, measured: Measurements, **more: float) -> Abstention:
    return Abstention(
        reason,
        {
            "contrast": measured.contrast,
            "marks": float(measured.marks),
            "digit_sized_marks": float(measured.digit_sized_marks),
            "sharpness": measured.sharpness,
            **more,
        },
    )
