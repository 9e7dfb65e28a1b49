"""Ruled lines as dark as the ink -> ink without them; digits that they cross stay whole."""

import cv2
import numpy as np
from numpy.typing import NDArray

_THICKEST = 0.04
"""Of a ruled line, as a part of the picture's shorter side."""
_UNEVEN = 1.6
"""Where a line is thicker than this many times its usual thickness, something else crosses it."""
_SHORTEST = 0.12
"""Of a piece that shows where a line runs, as a part of the picture's side along it."""
_BESIDE = 3
"""Pixels by which a line may be off the straight one that is laid through its piece."""


def without_rules(mask: NDArray[np.uint8], gap: int = 0) -> NDArray[np.uint8]:
    """uint8 (h, w) of 0 and 1 -> the same without lines that run level or upright through the picture.

    A line is taken out only where the run of ink across it is as short as the line is thick, so strokes that
    cross it stay. Its pieces that come in from the border show where it runs; they go on over gaps of so many
    pixels.
    """
    level = _rules(mask, gap)
    upright = _rules(np.ascontiguousarray(mask.T), gap).T
    return np.asarray(mask & ~(level | upright), np.uint8)


def _rules(mask: NDArray[np.uint8], gap: int) -> NDArray[np.uint8]:
    """1 where (h, w) belongs to a thin line from left to right."""
    height, width = mask.shape
    columns = np.zeros((width, height + 1), np.int8)  # one longer, so that no run goes on in the next column
    columns[:, :-1] = mask.T
    steps = np.diff(columns.ravel(), prepend=0)
    starts, ends = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
    lengths = ends - starts
    if not len(lengths):
        return np.zeros_like(mask)
    thickest = _UNEVEN * float(np.median(lengths))
    if thickest > _UNEVEN * _THICKEST * min(mask.shape):
        return np.zeros_like(mask)
    short = lengths <= thickest
    changes = np.zeros(columns.size, np.int8)
    changes[starts[short]] = 1
    changes[ends[short]] = -1
    thin = np.cumsum(changes, dtype=np.int8).reshape(columns.shape)[:, :-1].T.astype(np.uint8)
    return np.asarray(thin & _lines_along(thin, thickest, gap), np.uint8)


def _lines_along(thin: NDArray[np.uint8], thickness: float, gap: int) -> NDArray[np.uint8]:
    """1 near the straight lines through those pieces of (h, w) that come in from the left or right border."""
    width = thin.shape[1]
    reach = max(round(thickness), gap // 2)
    joined = cv2.dilate(thin, np.ones((3, 2 * reach + 1), np.uint8))  # over lines that cross
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    lines = np.zeros(thin.shape, np.uint8)
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_WIDTH] >= _SHORTEST * width):
        left, top, piece_width, piece_height, _ = stats[label]
        if label == 0 or (left > 0 and left + piece_width < width):
            continue
        piece = slice(top, top + piece_height), slice(left, left + piece_width)
        y, x = np.nonzero(thin[piece] & (labels[piece] == label))
        if len(x) < 2 or x.min() == x.max():
            continue
        slope, start = np.polyfit(x + left, y + top, 1)
        ends = [(0, round(start)), (width - 1, round(start + slope * (width - 1)))]
        cv2.line(lines, ends[0], ends[1], 1, round(thickness) + _BESIDE)
    return lines
