"""A sheet much smaller than the photo, such as a sticky note on a table -> a picture of the sheet alone."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from model.vision.ink import TINY

_LOOKED_AT = 160
"""Longest side, in pixels, at which sheets are looked for, at least."""
_SHORTEST = 0.15
"""Of a sheet's sides, as a part of the picture's shorter one."""
_LARGEST = 0.6
"""Part of the picture; what fills more of it is its ground."""
_RECTANGULAR = 0.9
"""Part of the narrowest rectangle around it that a sheet fills; an ellipse fills 0.785, an 8's hull 0.87."""
_NARROWEST = 0.4
"""Shorter side of that rectangle, as a part of the longer one."""
_CONVEX = 0.7
"""Part of its convex hull that a sheet fills; ruled lines that run out of it cut parts off."""
_WRITTEN = (0.004, 0.25)
"""Part of a sheet that is written on, at least and at most."""
_RING, _ALIKE = 3, 0.9
"""In rings of so many pixels along a sheet's edge, at the size where it is looked for, this part is sheet
within and table without. A box on paper and a cell of squared paper have paper around; digits no bare rim."""
_BESIDE = 0.002
"""Part of what is around a sheet that is as light as it; where there is more, it may be written on, too."""
_EDGE = 0.015
"""Width of a sheet's edge, where it is neither sheet nor table, as a part of the picture's shorter side."""


def only_sheet(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture (h, w) or (h, w, 3) with all around its sheet in the sheet's own colour, if there is one.

    A sheet is a filled rectangle, lighter or darker than what it lies on, with writing in it. Where that
    leaves no room for the widest stroke, the sheet itself would be taken for ink.
    """
    outline = _outline(pixels) if min(pixels.shape[:2]) >= TINY else None
    if outline is None:
        return pixels
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, outline, 1)
    return only_within(pixels, inside)


def only_within(pixels: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with all but what is 1 in ``inside`` (h, w), and its edge, in the usual colour of that."""
    edge = 2 * max(2, round(_EDGE * min(inside.shape))) + 1
    kept = np.asarray(cv2.erode(inside, np.ones((edge, edge), np.uint8)), np.uint8)
    if not kept.any():
        return pixels
    painted = np.full_like(pixels, np.median(pixels[kept > 0], axis=0))
    cv2.copyTo(pixels, kept, painted)
    return painted


def _outline(pixels: NDArray[np.uint8]) -> NDArray[np.int32] | None:
    """The convex outline (M, 1, 2) of the sheet, in pixels of the picture."""
    step = max(1, max(pixels.shape[:2]) // _LOOKED_AT)
    small = np.ascontiguousarray(pixels[::step, ::step])
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    _, parted = cv2.threshold(cv2.medianBlur(grey, 3), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = np.asarray(parted, np.uint8)
    outlines, _ = cv2.findContours(light, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    sheets = [cv2.convexHull(outline) for outline in outlines if _is_sheet(outline, light)]
    return np.asarray(sheets[0] * step, np.int32) if len(sheets) == 1 else None


def _is_sheet(outline: MatLike, light: NDArray[np.uint8]) -> bool:
    """Whether an outline (M, 1, 2) between light (1) and dark in a picture (h, w) is that of a sheet."""
    height, width = light.shape
    left, top, across, down = cv2.boundingRect(outline)
    if min(across, down) < _SHORTEST * min(height, width):
        return False
    if left == 0 or top == 0 or left + across == width or top + down == height:
        return False
    hull = cv2.convexHull(outline)
    (_, sides, _), area = cv2.minAreaRect(hull), cv2.contourArea(hull)
    if min(sides) < max(_SHORTEST * min(height, width), _NARROWEST * max(sides)):
        return False
    if area < _RECTANGULAR * sides[0] * sides[1] or area > _LARGEST * height * width:
        return False
    if cv2.contourArea(outline) < _CONVEX * area:
        return False
    whole = np.zeros_like(light)
    cv2.fillConvexPoly(whole, hull, 1)
    side = light if cv2.mean(light, whole)[0] > 0.5 else 1 - light
    written = 1 - cv2.mean(side, whole)[0]
    bare_rim = cv2.mean(side, _moved(whole, -1) - _moved(whole, -1 - _RING))[0]
    table = 1 - cv2.mean(side, _moved(whole, 1 + _RING) - _moved(whole, 1))[0]
    beside = cv2.mean(side, 1 - whole)[0]
    return _WRITTEN[0] < written < _WRITTEN[1] and min(bare_rim, table) > _ALIKE and beside < _BESIDE


def _moved(area: NDArray[np.uint8], steps: int) -> NDArray[np.uint8]:
    """The area (h, w) with its edge so many pixels further out, or further in."""
    square = np.ones((3, 3), np.uint8)
    change = cv2.dilate if steps > 0 else cv2.erode
    return np.asarray(change(area, square, iterations=abs(steps)), np.uint8)
