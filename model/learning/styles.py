"""Random hands: one person's way of writing, put onto digits that somebody else wrote.

A hand is a handful of fixed figures: how it leans, how wide and how bold it writes, whether its 1 has a flag
and its 7 a bar, and a slow warp. Rewriting a glyph in it ends as every glyph ends, fitted into 20x20 and
centred by mass, so the network meets another shape and not another place. The gate shows held-out digits in
random hands, because the plain ones are blind to people who teach a wrong label for unusual shapes; the
benchmark's simulated people have such hands.
"""

import math
from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

SCALE = 4
"""Glyphs are rewritten at four times their size, where a stroke is 8 to 12 pixels wide."""
SIZE = 28 * SCALE
MARGIN = 28
"""Pixels added around at that size, so that leaning ink is not cut off."""
WARP_POINTS = 4
"""A warp is given by displacements on a 4x4 grid over the glyph."""

_Sources = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Column and row, (H, W) each, that every pixel of a result is taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """One way of writing.

    Attributes:
        slant: tangent of the angle it leans to the right by.
        squeeze: width as a multiple of MNIST's, at the same height.
        rotation: degrees, anticlockwise.
        boldness: stroke width added (or, negative, taken) in pixels of the 28x28 glyph.
        flags_one, foots_one: its 1 has a flag, a foot.
        bars_seven: its 7 has a bar.
        slashes_zero: its 0 has a slash.
        warp: float32 (2, 4, 4) displacement in pixels of the 28x28 glyph, x and y, on a grid over it.
    """

    slant: float = 0.0
    squeeze: float = 1.0
    rotation: float = 0.0
    boldness: float = 0.0
    flags_one: bool = False
    foots_one: bool = False
    bars_seven: bool = False
    slashes_zero: bool = False
    warp: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((2, WARP_POINTS, WARP_POINTS), np.float32)
    )

    @classmethod
    def random(cls, rng: np.random.Generator, strength: float = 1.0) -> Self:
        """A style drawn at random; strength 1 is about as varied as people are, 0 is MNIST's own."""
        return cls(
            slant=float(np.clip(rng.normal(0.08, 0.35), -0.7, 0.9)) * strength,
            squeeze=math.exp(float(np.clip(rng.normal(0, 0.28), -0.6, 0.5)) * strength),
            rotation=float(np.clip(rng.normal(0, 8), -18, 18)) * strength,
            boldness=float(rng.uniform(-1.2, 1.8)) * strength,
            flags_one=bool(rng.random() < 0.5 * strength),
            foots_one=bool(rng.random() < 0.25 * strength),
            bars_seven=bool(rng.random() < 0.5 * strength),
            slashes_zero=bool(rng.random() < 0.12 * strength),
            warp=rng.normal(0, 1.1 * strength, (2, WARP_POINTS, WARP_POINTS)).astype(np.float32),
        )

    def write(self, glyph: NDArray[np.uint8], digit: int) -> NDArray[np.uint8]:
        """(28, 28) glyph of ``digit`` -> the same digit in this hand, uint8 (28, 28), ink bright."""
        return self._write(glyph, digit, self._leaning())

    def _write(self, glyph: NDArray[np.uint8], digit: int, leaning: _Sources) -> NDArray[np.uint8]:
        ink = cv2.resize(glyph, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        ink = cv2.copyMakeBorder(ink, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
        ink = self._press(self._adorn(np.asarray(ink, np.uint8), digit))
        return _fit(np.asarray(cv2.remap(ink, *leaning, cv2.INTER_LINEAR), np.uint8), glyph)

    def write_all(self, glyphs: NDArray[np.uint8], digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(N, 28, 28) glyphs and their digits -> the same in this hand."""
        leaning = self._leaning()
        rewritten = [
            self._write(glyph, int(digit), leaning) for glyph, digit in zip(glyphs, digits, strict=True)
        ]
        return np.stack(rewritten) if rewritten else glyphs.copy()

    def _adorn(self, ink: NDArray[np.uint8], digit: int) -> NDArray[np.uint8]:
        """Add what this hand adds to its 0, 1 and 7; strokes as wide as the glyph's own."""
        is_ink = (ink > 127).astype(np.uint8)
        if not self._adorns(digit) or not is_ink.any():
            return ink
        left, top, columns, rows = cv2.boundingRect(is_ink)
        right, bottom, height = left + columns - 1, top + rows - 1, rows - 1
        width = min(14, max(3, round(2 * float(cv2.distanceTransform(is_ink, cv2.DIST_L2, 3).max()))))
        tip = height // 12 + 1  # so many rows at either end say where the stroke begins and ends
        head = _middle(is_ink, top, top + tip)
        middle = top + round(0.52 * height)
        reach = round(0.26 * height)
        ink = ink.copy()

        def stroke(start: tuple[int, int], end: tuple[int, int], width: int = width) -> None:
            cv2.line(ink, start, end, 255, width, cv2.LINE_AA)

        if digit == 1 and self.flags_one:
            stroke((head, top + width // 3), (head - round(0.32 * height), top + round(0.3 * height)))
        if digit == 1 and self.foots_one:
            foot = _middle(is_ink, bottom - tip, bottom)
            stroke((foot - reach, bottom), (foot + reach, bottom))
        if digit == 7:
            stem = _middle(is_ink, middle - 2, middle + 2, default=head)
            stroke((stem - reach, middle + 2), (stem + reach, middle - 2))
        if digit == 0:
            inset, rise = round(0.15 * (right - left)), round(0.12 * height)
            stroke((left + inset, bottom - rise), (right - inset, top + rise), max(3, width * 2 // 3))
        return ink

    def _adorns(self, digit: int) -> bool:
        """Whether this hand adds anything to this digit."""
        adorned = {0: self.slashes_zero, 1: self.flags_one or self.foots_one, 7: self.bars_seven}
        return adorned.get(digit, False)

    def _press(self, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Make the strokes bolder or finer; never so fine that ink disappears."""
        pixels = round(abs(self.boldness) * SCALE)
        if pixels < 2:
            return ink
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels, pixels))
        if self.boldness > 0:
            return np.asarray(cv2.dilate(ink, disc), np.uint8)
        finer = np.asarray(cv2.erode(ink, disc), np.uint8)
        return finer if int(finer.sum()) * 4 > int(ink.sum()) else ink

    def _leaning(self) -> _Sources:
        """Slant, squeeze, rotate and warp about the middle: where each pixel comes from."""
        side = SIZE + 2 * MARGIN
        angle = math.radians(self.rotation)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        forward = turn @ np.array([[self.squeeze, -self.slant], [0.0, 1.0]])  # of (x, y), y down
        backward = np.linalg.inv(forward).astype(np.float32)
        warp = [cv2.resize(plane * SCALE, (side, side), interpolation=cv2.INTER_CUBIC) for plane in self.warp]
        y, x = np.mgrid[:side, :side].astype(np.float32) - (side - 1) / 2
        source_x = backward[0, 0] * x + backward[0, 1] * y + warp[0] + (side - 1) / 2
        source_y = backward[1, 0] * x + backward[1, 1] * y + warp[1] + (side - 1) / 2
        return source_x.astype(np.float32), source_y.astype(np.float32)


def _middle(is_ink: NDArray[np.uint8], first: int, last: int, default: int = 0) -> int:
    """The median column of the ink in rows first..last; the default where there is none."""
    columns = np.nonzero(is_ink[max(first, 0) : last + 1])[1]
    return int(np.median(columns)) if len(columns) else default


def _fit(ink: NDArray[np.uint8], fallback: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Any ink -> 28x28 as MNIST was made: the longer side 20 pixels, the centre of mass in the middle."""
    left, top, width, height = cv2.boundingRect((ink > 40).astype(np.uint8))
    if not width:
        return fallback.copy()
    ink = ink[top : top + height, left : left + width]
    scale = 20 / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    shift_x = 13.5 - moments["m10"] / moments["m00"]
    shift_y = 13.5 - moments["m01"] / moments["m00"]
    move = np.array([[1, 0, round(shift_x)], [0, 1, round(shift_y)]], np.float32)
    return np.asarray(cv2.warpAffine(small, move, (28, 28)), np.uint8)
