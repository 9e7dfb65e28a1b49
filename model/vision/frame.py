"""A picture in a frame of one colour -> the picture alone.

Such frames are the bars beside a photo that was fitted to a screen, the bars of a phone's screenshot, the
corners of a photo that was turned, and a margin put around one. Unlike paper in a photo they are of one
colour everywhere, and they end at straight lines. They reach all four corners.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from model.vision.page import Box
from model.vision.picture import Picture
from model.vision.sheet import only_within

_LOOKED_AT = 120
"""Shorter side, in pixels, at which frames are looked for, at least, if the picture has it."""
_ALIKE = 8
"""Levels by which pixels of a frame differ at most, after a JPEG."""
_SAME, _MOSTLY = 2, 0.75
"""This part of them differs from their median by no more than so many levels."""
_STEP, _MEETING, _UNLIKE = 24, 7, 0.8
"""Along the frame, as far as a square of so many pixels reaches, this part of the picture differs by more."""
_SMALLEST, _LARGEST = 0.1, 0.98
"""Part of the whole that the picture in a frame fills, at least and at most."""
_RECTANGULAR = 0.81
"""Part of the narrowest rectangle around it that it fills; a turned one without its corners fills 0.83, an
ellipse 0.785."""
_CONVEX = 0.95
"""Part of its convex hull that it fills."""
_WHOLE = 0.965
"""Part of that rectangle that a picture fills whose corners are not cut off."""
_LIKE_FRAME, _LIKE_FRAME_IF_WHOLE = 0.005, 0.3
"""Part of it that may have the frame's colour: ink may, but in a box drawn on a page, and in the hole of a
thick 0, the page goes on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A part of the frame: uint8 (h, w), 1 where it is, and its colour."""

    mask: NDArray[np.uint8]
    colour: NDArray[np.int16]


def without_frame(picture: Picture) -> Picture:
    """The part of the picture that is in the frame; the picture itself where there is none."""
    step = max(1, min(picture.pixels.shape[:2]) // _LOOKED_AT)
    small = np.asarray(cv2.medianBlur(np.ascontiguousarray(picture.pixels[::step, ::step]), 3), np.uint8)
    frames = _frames(small)
    if not frames:
        return picture
    outside = np.asarray(np.max([frame.mask for frame in frames], axis=0), np.uint8)
    outlines, _ = cv2.findContours(1 - outside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or not _is_picture(outline, small.shape[0] * small.shape[1]):
        return picture
    inside = np.zeros_like(outside)
    cv2.fillConvexPoly(inside, cv2.convexHull(outline), 1)
    inside = np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8)), np.uint8)
    whole = cv2.contourArea(outline) > _WHOLE * _rectangle(outline)
    most_alike = _LIKE_FRAME_IF_WHOLE if whole else _LIKE_FRAME
    if not all(_parts(frame, small, inside, most_alike) for frame in frames):
        return picture
    return _cropped(picture, inside)


def _frames(small: NDArray[np.uint8]) -> list[_Frame]:
    """Where the colour of each corner goes on from it; none unless each is of one colour, as in no shadow."""
    height, width = small.shape[:2]
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | 1 << 8
    frames = []
    for x, y in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        found = np.zeros((height + 2, width + 2), np.uint8)
        cv2.floodFill(small, found, (x, y), 0, (_ALIKE,) * 3, (_ALIKE,) * 3, flags)
        mask = np.ascontiguousarray(found[1:-1, 1:-1])
        colour = np.median(small[mask > 0], axis=0).astype(np.int16)
        if cv2.mean(_near(small, colour, _SAME), mask)[0] < _MOSTLY:
            return []
        frames.append(_Frame(mask, colour))
    return frames


def _is_picture(outline: MatLike, size: int) -> bool:
    """Whether the outline (M, 1, 2) of what is not frame, in so many pixels, is that of a picture."""
    area = cv2.contourArea(cv2.convexHull(outline))
    fits = _SMALLEST * size < area < _LARGEST * size
    return fits and area > _RECTANGULAR * _rectangle(outline) and cv2.contourArea(outline) > _CONVEX * area


def _rectangle(outline: MatLike) -> float:
    """Pixels in the narrowest rectangle around it."""
    _, (width, height), _ = cv2.minAreaRect(outline)
    return width * height


def _parts(frame: _Frame, small: NDArray[np.uint8], inside: NDArray[np.uint8], most_alike: float) -> bool:
    """Whether the frame differs from what is inside of it, where they meet and on the whole."""
    reached = np.asarray(cv2.dilate(frame.mask, np.ones((_MEETING, _MEETING), np.uint8)), np.uint8)
    unlike = 1 - cv2.mean(_near(small, frame.colour, _STEP), reached & inside)[0]
    return unlike > _UNLIKE and cv2.mean(_near(small, frame.colour, _ALIKE), inside)[0] < most_alike


def _near(small: NDArray[np.uint8], colour: NDArray[np.int16], levels: int) -> NDArray[np.uint8]:
    """(h, w), 1 where the picture differs from a colour by at most so many levels."""
    low, high = np.clip([colour - levels, colour + levels], 0, 255).astype(float)
    return np.asarray(cv2.inRange(small, low, high) // 255, np.uint8)


def _cropped(picture: Picture, inside: NDArray[np.uint8]) -> Picture:
    """The bounding box of what is 1 in ``inside``, and what else is in it painted over."""
    size = picture.pixels.shape[1::-1]
    enlarged = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    left, top, width, height = cv2.boundingRect(enlarged)
    part = picture.part(Box(left, top, left + width, top + height))
    own = enlarged[top : top + height, left : left + width]
    return part if own.all() else replace(part, pixels=only_within(part.pixels, own))
