"""Marks -> those that are written: not the page's edges, a desk, or what reaches in from outside."""

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.ink import TINY, WIDE
from model.vision.marks import Mark, around, distance, ink_distance, pixels_of, shared_rows
from model.vision.normalisation import stroke_width

_TALL = 0.42
"""A digit has at least this part of the height of the tallest one."""
_THROUGH, _COVERS = 0.8, 0.4
"""Ruled lines reach over this part of the picture, and cover less than that of what encloses them."""
_FRAMED, _RECTANGULAR = 0.25, 0.9
"""What a frame is drawn around has this part of its height at least; a box fills this part of a rectangle."""
_NARROW, _LOOP = 0.75, 0.4
"""Parts of its height: a digit is narrower than the first, or has a loop that is lower than the second."""
_LONG, _LONGER, _APART, _SPANS = 0.35, 1.4, 0.15, 0.6
"""What is no writing but a page's edge or a pen reaches over this part of the picture, is so many times as
long as the writing is high, and this part of its length away from it, unless it reaches over the last one."""
_SOLID = 0.72
"""Part of its box that a blot covers; a disc covers 0.785, a round 0 by the thickest pen 0.6."""
_WIDEST = 0.28
"""Of a digit's strokes, as a part of its longer side."""
_FILLS, _CUT = 0.95, 0.8
"""A digit that is cut off all around has this part of the picture's height at least, and at most this part of
its longer side lies on the border."""
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
    chosen = chosen or [mark for mark in marks[:1] if _fills_picture(mark, labels)]
    chosen = [mark for mark in chosen if not _is_around(mark, chosen, labels)] or chosen
    tallest = _tallest(chosen)
    large = [mark for mark in chosen if mark.height >= _TALL * tallest]
    large = [mark for mark in large if not _is_blot(mark)] or large
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


def _fills_picture(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark runs from the upper border to the lower one in strokes, as a digit that was cut out."""
    if mark.contact > _CUT * mark.size or mark.height < _FILLS * len(labels):
        return False
    return stroke_width(pixels_of(mark, around(mark, labels))) < _WIDEST * mark.size


def _is_around(mark: Mark, others: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark is no writing but what it stands on or in: a page's edge, a box, a circle."""
    return _is_edge(mark, others, labels) or any(_frames(mark, other, labels) for other in others)


def _frames(mark: Mark, other: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark is a box or a circle that the other one was written in: its ink is on all four sides."""
    box, frame = other.box, mark.box
    is_inside = (
        frame.left < box.left
        and box.right < frame.right
        and frame.top < box.top
        and box.bottom < frame.bottom
    )
    if not is_inside or other.height < _FRAMED * mark.height:
        return False
    own = pixels_of(mark, around(mark, labels))
    if not _is_rectangle(own) and _may_be_digit(mark, other):
        return False
    rows = slice(box.top - frame.top, box.bottom - frame.top)
    columns = slice(box.left - frame.left, box.right - frame.left)
    beside = own[rows, : columns.start], own[rows, columns.stop :]
    above_and_below = own[: rows.start, columns], own[rows.stop :, columns]
    return all(side.any() for side in beside + above_and_below)


def _is_rectangle(own: NDArray[np.uint8]) -> bool:
    """Whether the outline of what is 1 in (h, w) is a rectangle, turned or not."""
    area, sides = _outline(own)
    return area > _RECTANGULAR * sides[0] * sides[1]


def _outline(own: NDArray[np.uint8]) -> tuple[float, tuple[float, float]]:
    """The area that the outline of what is 1 in (h, w) encloses, and the sides of the narrowest rectangle."""
    outlines, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    _, (width, height), _ = cv2.minAreaRect(outline)
    return cv2.contourArea(outline), (width, height)


def _may_be_digit(mark: Mark, inner: Mark) -> bool:
    """Whether a round mark may be a digit: an outlined one with a loop in it, or a 0 with a loose stroke."""
    return mark.width < _NARROW * mark.height or inner.height < _LOOP * mark.height


def _is_edge(mark: Mark, others: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark is a long thin thing apart from smaller writing, such as a page's edge or a pen."""
    if not (_is_long_line(mark, labels) or (_is_long(mark, labels) and _is_rod(mark, labels))):
        return False
    writing = [
        other
        for other in others
        if other is not mark
        and other.height > 0.04 * max(labels.shape)
        and not _is_long_line(other, labels)
        and not _is_blot(other)
    ]
    if not writing or mark.size < _LONGER * _tallest(writing):
        return False
    spans = mark.size > _SPANS * max(labels.shape)
    return spans or all(ink_distance(mark, other, labels) > _APART * mark.size for other in writing)


def _is_long(mark: Mark, labels: NDArray[np.int32]) -> bool:
    return bool(mark.size > _LONG * max(labels.shape))


def _is_long_line(mark: Mark, labels: NDArray[np.int32]) -> bool:
    return _is_long(mark, labels) and mark.area < 0.05 * mark.size**2


def _is_rod(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark is a straight bar, ten times as long as wide or more."""
    _, sides = _outline(pixels_of(mark, around(mark, labels)))
    return min(sides) < 0.1 * max(sides) and mark.area > 0.8 * sides[0] * sides[1]


def _is_blot(mark: Mark) -> bool:
    """Whether a mark is as wide as high and solid, such as a hole punched into the paper."""
    return abs(mark.width - mark.height) < 0.15 * mark.size and mark.area > _SOLID * mark.width * mark.height


def _is_surroundings(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark at the border lies along it, or is wider than strokes are in so large a digit."""
    if _lies_along_border(mark):
        return True
    shorter = min(labels.shape)
    if shorter < TINY:
        return False
    own = pixels_of(mark, around(mark, labels))
    widest = float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max())
    return widest > WIDE / 2 * shorter and stroke_width(own) > _WIDEST * mark.size


def _tallest(marks: list[Mark]) -> int:
    return max((mark.height for mark in marks), default=0)
