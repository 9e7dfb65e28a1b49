"""Touching digits -> the pieces of their mark, cut along paths of little ink."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.marks import Mark, around, pixels_of
from model.vision.normalisation import stroke_width
from model.vision.page import Box

MOST_PIECES = 10
"""Of one mark; as many are combined in all ways."""
_CUT_WIDTH = 1.1
"""Marks at least this wide, as a part of their height, may be several digits."""
_STROKES_OF_SEVERAL = 1.8
"""Narrower marks, too, with this many strokes in a row of pixels, on average; a 0 has fewer than two."""
_CUT_HEIGHT = 40
"""Pixels of height at which cuts are looked for."""
_NARROWEST = 0.4
"""Cuts leave digits at least this wide on average, as a part of the height."""
_MOST_CROSSED = 2.6
"""Widths of a stroke that a cut may cross."""
_CUT_PRIOR, _CUT_SCALE = 0.5, 0.7
"""Probability that a cut through no ink is between two digits, and the strokes that it falls with to 1/e."""
_ASIDE = 0.5
"""What a step aside costs a cut, in pixels of ink."""


def part(mark: Mark, labels: NDArray[np.int32]) -> list[Mark]:
    """The pieces of a mark that may be several digits, cut along paths of little ink from top to bottom.

    The pieces get new labels. A path may lean, as writing does; it costs the ink that it crosses.
    """
    box = mark.box
    inside = around(mark, labels)
    own = pixels_of(mark, inside) > 0
    if not _may_be_several(mark, own):
        return [mark]
    factor = min(1.0, _CUT_HEIGHT / mark.height)
    size = max(8, round(mark.width * factor)), max(8, round(mark.height * factor))
    reduced = cv2.resize(own.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cuts = _cuts(np.asarray(reduced, np.float32))
    if not cuts:
        return [mark]
    rows = np.minimum((np.arange(mark.height) * size[1] / mark.height).astype(int), size[1] - 1)
    columns = np.arange(mark.width)
    beyond = [columns > path[rows, None] * (mark.width / size[0]) for path, _ in cuts]
    side = np.asarray(np.sum(beyond, axis=0), np.int32)
    first = int(labels.max()) + 1
    inside[own] = (first + side)[own]
    pieces: list[Mark] = []
    for number, label in enumerate(range(first, first + len(cuts) + 1)):
        own = (inside == label).view(np.uint8)
        area = cv2.countNonZero(own)
        if area > 0:
            x, y, width, height = cv2.boundingRect(own)
            left, top = box.left + x, box.top + y
            piece = Box(left, top, left + width, top + height)
            prior = _CUT_PRIOR * math.exp(-cuts[number - 1][1] / _CUT_SCALE) if pieces else None
            pieces.append(Mark(piece, area, 0, frozenset({label}), prior))
    return pieces


def _may_be_several(mark: Mark, own: NDArray[np.bool_]) -> bool:
    """Whether a mark is wide, or has more strokes beside one another than one digit has."""
    if mark.width >= _CUT_WIDTH * mark.height:
        return True
    if mark.width < _NARROWEST * mark.height:
        return False
    rows = own[:: max(1, mark.height // _CUT_HEIGHT)]
    starts = np.count_nonzero(rows[:, 1:] > rows[:, :-1]) + np.count_nonzero(rows[:, 0])
    return bool(starts >= _STROKES_OF_SEVERAL * len(rows))


def _cuts(ink: NDArray[np.float32]) -> list[tuple[NDArray[np.int64], float]]:
    """The cheapest paths down through (h, w), from left to right: a column for each row, and strokes crossed.

    Dynamic programming from both ends to the middle row: a step down costs the ink there, and a little if it
    is a step aside. Paths are local minima of the cost in the middle row that cross at most a stroke or two.
    """
    height, width = ink.shape
    stroke = stroke_width((ink > 0.5).astype(np.uint8))
    middle = height // 2
    above, from_above = _costs(ink[: middle + 1])
    below, from_below = _costs(ink[: middle - 1 if middle else None : -1])
    total = above + below - ink[middle]
    margin = max(2, round(0.15 * height))
    chosen: list[int] = []
    most = min(max(1, int(width / height / _NARROWEST)), MOST_PIECES - 1)
    for column in np.argsort(total, kind="stable"):
        if total[column] > _MOST_CROSSED * stroke or len(chosen) == most:
            break
        if margin <= column < width - margin and all(abs(int(column) - other) >= margin for other in chosen):
            chosen.append(int(column))
    paths = []
    for column in sorted(chosen):
        up = _trace(from_above, column)
        down = _trace(from_below, column)
        paths.append((np.array([*up, *down[::-1][1:]]), float(total[column]) / stroke))
    return paths


def _costs(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """(h, w) -> the cost (w,) of the cheapest path down to each column of the last row, and its steps."""
    cost = ink[0].copy()
    steps = np.zeros(ink.shape, np.int8)
    aside = np.float32(_ASIDE)
    for row in range(1, len(ink)):
        padded = np.pad(cost, 1, constant_values=np.inf)
        came = np.stack([padded[1:-1], padded[:-2] + aside, padded[2:] + aside])
        best = came.argmin(axis=0)
        steps[row] = np.array([0, -1, 1], np.int8)[best]
        cost = came[best, np.arange(len(cost))] + ink[row]
    return cost, steps


def _trace(steps: NDArray[np.int8], column: int) -> list[int]:
    """The columns of the path to ``column`` of the last row, from the first row on."""
    columns = [column]
    for row in range(len(steps) - 1, 0, -1):
        column += int(steps[row, column])
        columns.append(column)
    return columns[::-1]
