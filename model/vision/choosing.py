"""Marks -> those that are written: not the page's edges, a desk, or what reaches in from outside."""

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.ink import TINY, WIDE
from model.vision.marks import Mark, around, distance, pixels_of, shared_rows
from model.vision.normalisation import stroke_width

_TALL = 0.42
"""A digit has at least this part of the height of the tallest one."""
_THROUGH, _COVERS = 0.8, 0.4
"""Ruled lines reach over this part of the picture, and cover less than that of what encloses them."""
_PIECE = 0.06
"""Smaller pieces, as a part of a digit's height, belong to nothing."""


def runs_through(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark runs from border to border and covers little of its box, as ruled lines do."""
    height, width = labels.shape
    long = mark.width > _THROUGH * width or mark.height > _THROUGH * height
    return mark.contact > 1 and long and mark.area < _COVERS * max(mark.size**2, mark.width * mark.height)


def choose_marks(marks: list[Mark], labels: NDArray[np.int32]) -> tuple[list[Mark], list[Mark]]:
    """Those as tall as digits, and the pieces that may belong to them; not what comes in from the border.

    The border's marks count only where there is nothing else of a size to speak of.
    """
    if max(labels.shape) < TINY:
        marks = [mark for mark in marks if not _lies_along_border(mark)]
        return marks[:1], marks[1:]
    inner = [mark for mark in marks if not mark.contact]
    written = [mark for mark in marks if mark.contact and not _is_surroundings(mark, labels)]
    if _tallest(inner) >= max(0.25 * _tallest(written), 0.02 * max(labels.shape)):
        chosen = inner + [mark for mark in written if _goes_on(mark, inner, labels)]
    else:
        chosen = inner + written
    chosen = chosen or [mark for mark in marks if not _lies_along_border(mark)]
    chosen = [mark for mark in chosen if not _is_frame(mark, chosen, labels)] or chosen
    tallest = _tallest(chosen)
    large = [mark for mark in chosen if mark.height >= _TALL * tallest]
    small = [mark for mark in chosen if mark.height < _TALL * tallest and mark.size >= _PIECE * tallest]
    return large, small


def _goes_on(mark: Mark, inner: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark at the border belongs to a line: as high and by the same pen as its neighbour."""
    line = [
        other for other in inner if shared_rows(mark, other) > 0.7 and other.height > 0.6 * _tallest(inner)
    ]
    if not line:
        return False
    nearest = min(line, key=lambda other: distance(mark, other))
    if distance(mark, nearest) > nearest.height or not 0.6 < mark.height / nearest.height < 1.6:
        return False
    widths = [stroke_width(pixels_of(each, around(each, labels))) for each in (mark, nearest)]
    return 0.5 < widths[0] / widths[1] < 2


def _lies_along_border(mark: Mark) -> bool:
    return mark.contact > 0.5 * mark.size


def _is_frame(mark: Mark, others: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark is a long thin line, such as a page's edge, beside other marks."""
    thin = mark.area < 0.05 * mark.size * mark.size
    long = mark.size > 0.35 * max(labels.shape)
    least = 0.04 * max(labels.shape)
    return thin and long and any(other is not mark and other.height > least for other in others)


def _is_surroundings(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark at the border lies along it, or is wider than strokes are."""
    if _lies_along_border(mark):
        return True
    shorter = min(labels.shape)
    if shorter < TINY:
        return False
    own = pixels_of(mark, around(mark, labels))
    widest = float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max())
    return bool(widest > WIDE / 2 * shorter)


def _tallest(marks: list[Mark]) -> int:
    return max((mark.height for mark in marks), default=0)
