"""A piece of ink -> 28x28 as MNIST was made: 20x20 box, antialiased, centre of mass in the middle."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 28
_BOX = 20
_THINNEST, _THIN_TARGET = 0.09, 0.12
"""Strokes thinner than the first, as a part of the digit's longer side, are drawn with the second."""
_THICKEST, _THICK_TARGET = 0.3, 0.24
"""Strokes thicker than the first are thinned to the second."""
_THROUGH, _BAND = (0.75, 0.6), 10
"""The hole of an outlined digit has this part of its height and width, and is so long for its width."""
_FINE_SIDE = 80
"""Longer side, in pixels, at which strokes are redrawn."""


def normalise(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One digit's ink, uint8 (h, w) cropped to its box -> uint8 (28, 28), ink bright.

    The longer side is fitted to 20 pixels and the centre of mass put at (14, 14), as MNIST was made (LeCun et
    al. 1998, section III-A). First an outlined digit is filled, and strokes much thinner or thicker than
    MNIST's are redrawn.
    """
    return _centred(_fitted(_with_usual_strokes(_filled(ink))))


def _filled(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink, its largest hole filled where it is the outline of a digit and no loop.

    The hole of an outline is a band through the whole digit. A band of length l and width w has 4 l / w times
    the area of the square of half its width; for a disc that figure is pi.
    """
    mask = cv2.copyMakeBorder(_strokes(ink), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    stats[[0, holes[0, 0]], cv2.CC_STAT_AREA] = 0  # the ink, and what lies around it
    largest = int(np.argmax(stats[:, cv2.CC_STAT_AREA]))
    _, _, width, height, area = stats[largest]
    height_share, width_share = height / ink.shape[0], width / ink.shape[1]
    if height_share < _THROUGH[0] or width_share < _THROUGH[1] or area < cv2.countNonZero(mask):
        return ink
    hole = (holes == largest).view(np.uint8)
    if area < _BAND * cv2.distanceTransform(hole, cv2.DIST_L2, 5).max() ** 2:
        return ink
    return np.asarray(cv2.max(ink, hole[1:-1, 1:-1] * np.uint8(255)), np.uint8)


def stroke_width(mask: NDArray[np.uint8]) -> float:
    """Mean width of the strokes of a mask (h, w), in pixels.

    The distances to the edge in a band of w pixels, 1, 2, .., 2, 1, have the mean (w + 2) / 4.
    """
    area = cv2.countNonZero(mask)
    if area == 0:
        return 0.0
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    total = cv2.sumElems(cv2.distanceTransform(padded, cv2.DIST_L2, 3))[0]
    return max(1.0, 4 * total / area - 2)


def _with_usual_strokes(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink, redrawn where its pen is much thinner or thicker than MNIST's."""
    longer = max(ink.shape)
    step = 2 if longer > 2 * _FINE_SIDE else 1
    width = step * stroke_width(_strokes(np.ascontiguousarray(ink[::step, ::step]))) / longer
    if _THINNEST <= width <= _THICKEST:
        return ink
    if longer < _FINE_SIDE:
        ink = _resized(ink, _FINE_SIDE / longer, cv2.INTER_CUBIC)
        longer = max(ink.shape)
    change = (_THIN_TARGET if width < _THINNEST else _THICK_TARGET) - width
    return _redrawn(ink, change * longer / 2)


def _strokes(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where the ink is darker than half."""
    return (ink >= 128).view(np.uint8)


def _redrawn(ink: NDArray[np.uint8], margin: float) -> NDArray[np.uint8]:
    """The outline moved outwards by ``margin`` pixels (inwards where negative), with antialiased edges."""
    border = int(np.ceil(max(margin, 0))) + 1
    mask = cv2.copyMakeBorder(_strokes(ink), *(border,) * 4, cv2.BORDER_CONSTANT, value=0)
    if margin >= 0:
        outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
        return np.asarray(np.clip(margin + 1 - outside, 0, 1) * 255, np.uint8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    if inside.max() <= -margin:  # nothing would be left
        return np.asarray(mask * 255, np.uint8)
    return np.asarray(np.clip(inside + margin, 0, 1) * 255, np.uint8)


def _fitted(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink with its longer side at 20 pixels."""
    factor = _BOX / max(ink.shape)
    if factor == 1:
        return ink
    return _resized(ink, factor, cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _resized(ink: NDArray[np.uint8], factor: float, interpolation: int) -> NDArray[np.uint8]:
    height, width = ink.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(ink, size, interpolation=interpolation), np.uint8)


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most (20, 20) -> uint8 (28, 28), the centre of mass in the middle, as near as whole pixels come."""
    height, width = ink.shape
    down, across = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=0, dtype=np.float64)
    total = max(float(down.sum()), 1.0)
    top = int(np.clip(round(SIDE / 2 - float(down @ np.arange(height)) / total), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - float(across @ np.arange(width)) / total), 0, SIDE - width))
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = ink
    return canvas
