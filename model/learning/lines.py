"""Lines of digits as people write them: unevenly spaced, sloping, touching, with signs between them.

What the camera photographs to measure how whole strings are read: MNIST digits, whose writers differ, or
digits drawn by one hand; several lines; numbers with dashes, dots, brackets and a plus.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from model.learning import handwriting
from model.learning.examples import Examples
from model.learning.handwriting import Hand, Line, Mask
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting, Writing

SIGNS: dict[str, tuple[tuple[float, ...], ...]] = {
    "-": ((0.0, 0.02, 0.3, 0.0),),
    ".": ((0.0, 0.47, 0.01, 0.48),),
    ",": ((0.05, 0.43, 0.0, 0.6),),
    "/": ((0.35, -0.55, 0.0, 0.55),),
    "+": ((0.0, 0.0, 0.4, 0.0), (0.2, -0.2, 0.2, 0.2)),
    "(": ((0.2, -0.6, 0.06, -0.3, 0.0, 0.0, 0.06, 0.3, 0.2, 0.6),),
    ")": ((0.0, -0.6, 0.14, -0.3, 0.2, 0.0, 0.14, 0.3, 0.0, 0.6),),
}
"""Strokes as x, y, x, y, ... in heights of a digit, whose middle is at y = 0, y down."""

PATTERNS = ("+dd ddd ddd dd", "ddd-ddd-dddd", "(ddd) ddd ddd", "dd.dd.dddd", "d,ddd.dd", "dd-dd-dd", "ddd.d")
"""How numbers are punctuated; d is a digit."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of writing in a line; lengths in heights of a digit.

    Attributes:
        writing: what is written.
        size: how large, 1 as the others.
        gap: from the ink of the piece before it; negative ones overlap.
        middle: of its ink, below the middle of the line.
    """

    writing: Writing
    size: float
    gap: float
    middle: float


@dataclass(frozen=True, slots=True)
class LineWriting:
    """Pieces beside one another on a baseline that falls by ``slope``, as `Writing`."""

    pieces: Sequence[Placed]
    slope: float

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """See `Writing.ink`."""
        masks, places, right = [], [], 0.0
        for piece in self.pieces:
            width = None if pen_width is None else pen_width / piece.size
            mask = piece.writing.ink(piece.size * height, width)
            left = right + piece.gap * height
            right = left + mask.shape[1]
            places.append((piece.middle * height + self.slope * left - len(mask) / 2, left))
            masks.append(mask)
        return _laid_out(masks, places)


@dataclass(frozen=True, slots=True)
class LinesWriting:
    """Lines below one another, ``leading`` heights apart, each with its indent in heights, as `Writing`."""

    lines: Sequence[LineWriting]
    leading: float
    indents: Sequence[float]

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """See `Writing.ink`."""
        masks = [line.ink(height, pen_width) for line in self.lines]
        tops = np.cumsum([0.0] + [len(mask) + self.leading * height for mask in masks[:-1]])
        return _laid_out(
            masks, [(top, indent * height) for top, indent in zip(tops, self.indents, strict=True)]
        )


def _laid_out(masks: Sequence[Mask], places: Sequence[tuple[float, float]]) -> Mask:
    """Masks on one canvas as large as they need, each with its upper left corner at (y, x)."""
    corners = np.rint(np.array(places) - np.min(places, axis=0)).astype(int)
    ends = corners + [mask.shape for mask in masks]
    canvas = np.zeros(ends.max(axis=0), np.uint8)
    for (top, left), (bottom, right), mask in zip(corners, ends, masks, strict=True):
        place = canvas[top:bottom, left:right]
        np.maximum(place, mask, out=place)
    return canvas


@dataclass(frozen=True, slots=True)
class Style:
    """How evenly a line is written; lengths in heights of a digit.

    Attributes:
        gap: between neighbours, on average.
        spread: standard deviation of the gaps.
        tightest: smallest gap; negative ones overlap.
        sizes: standard deviation of the digits' heights.
        jitter: the same of their middles.
        slope: of the baseline.
    """

    gap: float
    spread: float
    tightest: float
    sizes: float
    jitter: float
    slope: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Wide, usual or, a fifth of the lines, so tight that digits touch."""
        wide, usual, tight = (rng.uniform(0.3, 0.7), 0.12), (rng.uniform(0.15, 0.35), 0.06), (0.06, -0.03)
        gap, tightest = (wide, usual, tight)[int(rng.choice(3, p=(0.3, 0.5, 0.2)))]
        return cls(
            gap=gap,
            spread=rng.uniform(0.02, 0.1),
            tightest=tightest,
            sizes=rng.uniform(0, 0.09),
            jitter=rng.uniform(0, 0.07),
            slope=rng.uniform(-0.1, 0.1),
        )

    def placed(self, writing: Writing, middle: float, rng: np.random.Generator) -> Placed:
        """A piece of writing as it happens to stand in such a line."""
        return Placed(
            writing,
            size=float(np.exp(rng.normal(0, self.sizes))),
            gap=max(self.tightest, rng.normal(self.gap, self.spread)),
            middle=middle + rng.normal(0, self.jitter),
        )


def mnist_line(
    digits: Examples, count: int, style: Style, rng: np.random.Generator
) -> tuple[LineWriting, str]:
    """``count`` MNIST digits beside one another, and which they are."""
    chosen = rng.integers(len(digits), size=count)
    pieces = [style.placed(MnistWriting([digits.images[index]]), 0.0, rng) for index in chosen]
    return LineWriting(pieces, style.slope), "".join(str(digits.labels[index]) for index in chosen)


def drawn_line(text: str, style: Style, rng: np.random.Generator) -> LineWriting:
    """Digits and `SIGNS` by one hand that keeps to one shape for each digit; a space is a wide gap."""
    hand = Hand.random(rng)
    hand = replace(hand, rotation=hand.rotation / 2)
    shapes = {
        digit: handwriting.choose_shape(DIGITS[int(digit)], rng)
        for digit in sorted(set(text))
        if digit.isdigit()
    }
    pieces: list[Placed] = []
    space = 0.0
    for character in text:
        if character == " ":
            space = rng.uniform(0.3, 0.7)
            continue
        if character.isdigit():
            lines = handwriting.write(shapes[character], hand, rng)
        else:
            lines = _sign(character, hand, rng)
        _, top, _, bottom = handwriting.bounds(lines)
        piece = style.placed(DrawnWriting(lines), (top + bottom) / 2, rng)
        pieces.append(replace(piece, gap=piece.gap + space))
        space = 0.0
    return LineWriting(pieces, style.slope)


def _sign(character: str, hand: Hand, rng: np.random.Generator) -> list[Line]:
    lines = []
    for stroke in SIGNS[character]:
        points = np.array(stroke).reshape(-1, 2)
        points = points + rng.normal(0, 0.02, points.shape)
        lines.append(Line(points.astype(np.float32), np.full(len(points), hand.pen.width, np.float32)))
    return lines


def punctuated(rng: np.random.Generator) -> str:
    """A number in one of the `PATTERNS`."""
    pattern = PATTERNS[rng.integers(len(PATTERNS))]
    return "".join(str(rng.integers(10)) if character == "d" else character for character in pattern)
