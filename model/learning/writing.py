"""What our camera photographs: digits that can be inked at any size, from MNIST or drawn by code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning import handwriting
from model.learning.handwriting import Line, Mask

DETAIL = 3
"""MNIST is thinned at three times its resolution, where its strokes are six to nine pixels wide."""


CONTOUR = 110
"""The grey at which the edge of a stroke is drawn."""

STROKES = 155
"""The grey above which the middle of strokes is looked for: more, to open loops that are nearly filled."""


class Writing(Protocol):
    """Something written, to be put on a page."""

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """The ink and nothing around it, as a mask of (H, W) with ink 255.

        Args:
            height: pixels per height of a digit.
            pen_width: width of the pen in heights of a digit; None leaves it as it was written.
        """


@dataclass(frozen=True, slots=True, eq=False)
class DrawnWriting:
    """Strokes drawn by `handwriting`."""

    lines: Sequence[Line]

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """See `Writing.ink`; another pen keeps the pressure of the hand."""
        lines = self.lines
        if pen_width is not None:
            mean = float(np.mean(np.concatenate([line.widths for line in lines])))
            lines = [Line(line.points, line.widths * np.float32(pen_width / mean)) for line in lines]
        return handwriting.large_ink(lines, height)


@dataclass(frozen=True, slots=True, eq=False)
class MnistWriting:
    """MNIST glyphs beside one another.

    Attributes:
        glyphs: uint8 (28, 28) each, ink bright.
        gap: between the ink of neighbours, in heights.
    """

    glyphs: Sequence[NDArray[np.uint8]]
    gap: float = 0.2

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """See `Writing.ink`; another pen follows the middle of the strokes."""
        masks = [_enlarged(glyph, height, pen_width) for glyph in self.glyphs]
        gap = round(self.gap * height)
        lefts = np.cumsum([0] + [mask.shape[1] + gap for mask in masks[:-1]])
        tallest = max(len(mask) for mask in masks)
        written = np.zeros((tallest, int(lefts[-1]) + masks[-1].shape[1]), np.uint8)
        for left, mask in zip(lefts, masks, strict=True):
            top = (tallest - len(mask)) // 2
            place = written[top : top + len(mask), left : left + mask.shape[1]]
            np.maximum(place, mask, out=place)
        return written


def _enlarged(glyph: NDArray[np.uint8], height: float, pen_width: float | None) -> Mask:
    """A glyph with smooth edges and 20 of its pixels enlarged to ``height``, cropped to the ink."""
    scale = height / 20
    side = max(8, round(28 * scale))
    if pen_width is None:
        large = cv2.resize(_strengthened(glyph), (side, side), interpolation=cv2.INTER_CUBIC)
        softness = 0.35 * scale
        if softness > 0.5:
            large = np.asarray(cv2.GaussianBlur(large, (0, 0), softness), np.float32)
        contrast = max(1.2, 0.7 * scale)  # edges one to two pixels wide
        mask = np.clip((large - CONTOUR) * contrast + 127, 0, 255).astype(np.uint8)
    else:
        distance = cv2.resize(_distance_from_middle(glyph), (side, side), interpolation=cv2.INTER_LINEAR)
        width = max(pen_width * height, 1.2)
        mask = (np.clip(0.5 + width / 2 - distance * scale, 0, 1) * 255).astype(np.uint8)
    rows, columns = np.flatnonzero(mask.max(axis=1) > 64), np.flatnonzero(mask.max(axis=0) > 64)
    return np.asarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.uint8)


def _strengthened(glyph: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(28, 28), faint thin strokes made as bright as the others, so that no threshold tears them.

    What is brighter than two pixels away on both sides, in one of four directions, gains 1.5 times that
    difference.
    """
    values = np.pad(glyph.astype(np.float32), 2)
    gain = np.zeros((28, 28), np.float32)
    for down, right in ((0, 2), (2, 0), (2, 2), (2, -2)):
        sides = (values[2 + y : 30 + y, 2 + x : 30 + x] for y, x in ((down, right), (-down, -right)))
        gain = np.maximum(gain, values[2:30, 2:30] - np.maximum(*sides))
    return np.asarray(np.minimum(values[2:30, 2:30] + 1.5 * gain, 255), np.float32)


def _distance_from_middle(glyph: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(84, 84) distances from the middle of the strokes, in pixels of the glyph."""
    side = 28 * DETAIL
    large = cv2.resize(_strengthened(glyph), (side, side), interpolation=cv2.INTER_CUBIC)
    middle = thinned(cv2.GaussianBlur(large, (0, 0), 0.8) > STROKES)
    distance = cv2.distanceTransform(np.where(middle, 0, 255).astype(np.uint8), cv2.DIST_L2, 5)
    smooth = cv2.GaussianBlur(distance, (0, 0), 1.0) - 0.8  # what smoothing adds in the middle
    return np.asarray(np.maximum(smooth, 0) / DETAIL, np.float32)


def _thinning_tables() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each of the 256 neighbourhoods, whether the first and the second pass delete the pixel.

    Bits 0 to 7 are the neighbours P2 to P9, clockwise from the top.
    """
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1 == 1  # (256, 8)
    count = bits.sum(axis=1)
    rises = (~bits & np.roll(bits, -1, axis=1)).sum(axis=1)
    p2, p4, p6, p8 = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    edge = (count >= 2) & (count <= 6) & (rises == 1)
    return edge & ~(p2 & p4 & p6) & ~(p4 & p6 & p8), edge & ~(p2 & p4 & p8) & ~(p2 & p6 & p8)


_DELETE = _thinning_tables()
_NEIGHBOUR_BITS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def thinned(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Strokes as lines of one pixel (Zhang and Suen 1984, "A fast parallel algorithm for thinning")."""
    current = ink.astype(np.uint8)
    while True:
        before = current
        for delete in _DELETE:
            neighbours = cv2.filter2D(current, -1, _NEIGHBOUR_BITS, borderType=cv2.BORDER_CONSTANT)
            current = np.where(delete[neighbours], 0, current).astype(np.uint8)
        if np.array_equal(before, current):
            return current > 0
