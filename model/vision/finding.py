"""A picture -> the page: its ink, the glyphs and the ways to combine them, and what was measured."""

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.choosing import choose_marks, runs_through
from model.vision.decode import DEFAULT_LIMITS, DecodeLimits, decode
from model.vision.frame import without_frame
from model.vision.ink import TINY, Ink, find_ink
from model.vision.lines import slope_of
from model.vision.marks import Mark, find_marks, pixels_of
from model.vision.normalisation import normalise
from model.vision.page import Box, Glyph, Group, Line, Measurements, Page
from model.vision.picture import Picture
from model.vision.ruling import without_rules
from model.vision.segmentation import write_lines
from model.vision.sheet import only_sheet, only_within

_PREVIEW = 640
_CLEAN = 1
"""The ground of a scan in black and white has no more noise."""
_PIECES, _GAP = 9, 0.04
"""Broken lines are so many pieces at least, with gaps of this part of the picture's shorter side at most."""
_STARK = 0.7
"""Where nothing is written but surroundings stand out by this part of the full range, one looks past them."""
_LEVEL = math.radians(8)
"""Lines that slope more are levelled before they are read."""


def read_page(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Page:
    """The page in the bytes of a photo.

    Raises:
        UnreadablePhotoError: the bytes are no photo that is read.
    """
    return find_page(decode(data, limits))


def find_page(picture: Picture) -> Page:
    """The page in a picture; in what its frame holds, where it has one and digits may be in there."""
    part = without_frame(picture)
    page = _page(part, picture)
    if part is not picture and not page.measurements.digit_sized_marks:
        return _page(picture, picture)
    return page


def _page(part: Picture, picture: Picture) -> Page:
    """The page in a part of a picture."""
    pixels = only_sheet(part.pixels)
    ink, marks, labels = _find_marks(pixels)
    large, small = choose_marks(marks, labels)
    if marks and not large and ink.level > _STARK * 255:  # such as the black corners of a turned picture
        ink, marks, labels = _find_marks(only_within(pixels, 1 - ink.mask))
        large, small = choose_marks(marks, labels)
    measurements = _measurements(ink, marks, large, labels, math.prod(picture.pixels.shape[:2]))
    slope = slope_of(large)
    level, turn = (ink, None) if abs(slope) < _LEVEL else _levelled(ink, large + small, labels, slope)
    if turn is not None:
        marks, labels = find_marks(level.mask)
        large, small = choose_marks(marks, labels)
    writing = write_lines(large, small, labels)
    glyphs = {
        mark: _glyph(mark, labels, level, part, turn)
        for mark in {mark for line in writing for ways in line for way in ways for mark in way}
    }
    return Page(
        width=picture.width,
        height=picture.height,
        lines=tuple(
            Line(
                tuple(
                    Group(
                        tuple(tuple(glyphs[mark] for mark in way) for way in ways),
                        tuple(ways.values()),
                    )
                    for ways in line
                )
            )
            for line in writing
        ),
        measurements=measurements,
        preview=_preview(picture),
        ink=_preview_of_ink(ink, part, picture),
    )


def _find_marks(pixels: NDArray[np.uint8]) -> tuple[Ink, list[Mark], NDArray[np.int32]]:
    """Ink without ruled lines, its marks, and their labels."""
    ink = find_ink(pixels)
    marks, labels = find_marks(ink.mask)
    gap = 0 if any(runs_through(mark, labels) for mark in marks) else _gap_of_rules(ink, marks)
    if gap is not None:
        ink = replace(ink, mask=without_rules(ink.mask, gap))
        marks, labels = find_marks(ink.mask)
    return ink, marks, labels


def _gap_of_rules(ink: Ink, marks: list[Mark]) -> int | None:
    """The widest gap, in pixels, in broken ruled lines; scans in black and white leave such of pale ones."""
    if ink.noise > _CLEAN or len(marks) < _PIECES:
        return None
    gap = round(_GAP * min(ink.mask.shape))
    closed = cv2.morphologyEx(ink.mask, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    joined, labels = find_marks(np.asarray(closed, np.uint8))
    return gap if any(_spans(mark, labels) for mark in joined) else None


def _spans(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether ruled lines reach two opposite borders; a line of print that runs off the page reaches one."""
    height, width = labels.shape
    return runs_through(mark, labels) and (mark.width == width or mark.height == height)


def glyph_of(picture: Picture) -> NDArray[np.uint8] | None:
    """The largest glyph of a picture, uint8 (28, 28), or None where there is no ink."""
    glyphs = [group.alternatives[0] for line in find_page(picture).lines for group in line.groups]
    if not glyphs:
        return None
    (largest,) = max(glyphs, key=lambda glyph: _size(glyph[0].box))[:1]
    return largest.pixels


def _size(box: Box) -> int:
    return max(box.right - box.left, box.bottom - box.top)


def _levelled(
    ink: Ink, marks: list[Mark], labels: NDArray[np.int32], slope: float
) -> tuple[Ink, NDArray[np.float64]]:
    """The ink of these marks turned until its lines are level, and the (2, 3) map back to where it was."""
    numbers = np.zeros(int(labels.max()) + 1, np.uint8)
    numbers[[label for mark in marks for label in mark.labels]] = 1
    own = numbers[labels]
    height, width = own.shape
    cosine, sine = math.cos(slope), math.sin(slope)
    size = math.ceil(width * cosine + height * abs(sine)), math.ceil(width * abs(sine) + height * cosine)
    forth = cv2.getRotationMatrix2D((width / 2, height / 2), math.degrees(slope), 1)
    forth[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    strength = np.asarray(cv2.warpAffine(ink.strength, forth, size), np.uint8)
    mask = np.asarray(cv2.warpAffine(own * np.uint8(255), forth, size) > 127, np.uint8)
    back = np.asarray(cv2.invertAffineTransform(forth), np.float64)
    return replace(ink, strength=strength, mask=mask), back


def _glyph(
    mark: Mark, labels: NDArray[np.int32], ink: Ink, picture: Picture, turn: NDArray[np.float64] | None
) -> Glyph:
    box = mark.box if turn is None else _turned(mark.box, turn, picture)
    return Glyph(picture.in_photo(box), normalise(_cropped(mark, labels, ink)))


def _turned(box: Box, turn: NDArray[np.float64], picture: Picture) -> Box:
    """What encloses a box in the picture, after the (2, 3) map."""
    corners = np.array([[x, y, 1] for x in (box.left, box.right) for y in (box.top, box.bottom)]) @ turn.T
    height, width = picture.pixels.shape[:2]
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return Box(max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom)))


def _cropped(mark: Mark, labels: NDArray[np.int32], ink: Ink) -> NDArray[np.uint8]:
    """The mark's own ink with its soft edges, uint8 (h, w), 255 in the middle of strokes."""
    height, width = labels.shape
    box = mark.box
    rows = slice(max(0, box.top - 2), min(height, box.bottom + 2))
    columns = slice(max(0, box.left - 2), min(width, box.right + 2))
    reach = 5 if max(height, width) < TINY else 3
    near = cv2.dilate(pixels_of(mark, labels[rows, columns]), np.ones((reach, reach), np.uint8))
    lowest = max(3 * ink.noise, 0.04 * ink.level)
    stretched = (np.arange(256) - lowest) * (255 / max(0.97 * ink.level - lowest, 1))
    soft = cv2.LUT(ink.strength[rows, columns], np.clip(np.rint(stretched), 0, 255).astype(np.uint8))
    own = np.asarray(cv2.multiply(soft, near), np.uint8)
    left, top, width, height = cv2.boundingRect((own > 12).view(np.uint8))
    return own[top : top + height, left : left + width] if width else own


def _measurements(
    ink: Ink, marks: list[Mark], large: list[Mark], labels: NDArray[np.int32], size: int
) -> Measurements:
    """What was measured in a photo of so many pixels at working size."""
    return Measurements(
        contrast=ink.level / 255 if marks else 0.0,
        ink_share=cv2.countNonZero(ink.mask) / size,
        inner_ink=sum(mark.area for mark in large if not mark.contact) / size,
        sharpness=_sharpness(ink),
        marks=len(marks),
        digit_sized_marks=len(large),
        touches_edge=any(mark.contact for mark in large),
        light_on_dark=ink.light_on_dark,
    )


def _sharpness(ink: Ink) -> float:
    """Part of the inked pixels that are not edge: neither nearly ground nor nearly the middle of a stroke."""
    left, top, width, height = cv2.boundingRect(ink.mask)
    inside = slice(top, top + height), slice(left, left + width)
    strength = cv2.calcHist([ink.strength[inside]], [0], ink.mask[inside], [256], [0, 256]).ravel()
    inked, middle = (float(strength[int(share * ink.level) + 1 :].sum()) for share in (0.3, 0.7))
    return middle / max(1.0, inked)


def _preview(picture: Picture) -> NDArray[np.uint8]:
    pixels = picture.reduced_to(_PREVIEW).pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _preview_of_ink(ink: Ink, part: Picture, picture: Picture) -> NDArray[np.uint8]:
    """The ink of a part at its place in the picture."""
    mask = np.zeros(picture.pixels.shape[:2], np.uint8)
    left, top = (
        round((part.area.left - picture.area.left) / picture.scale),
        round((part.area.top - picture.area.top) / picture.scale),
    )
    height, width = ink.mask.shape
    mask[top : top + height, left : left + width] = ink.mask * np.uint8(255)
    return replace(picture, pixels=mask).reduced_to(_PREVIEW).pixels
