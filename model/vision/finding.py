"""A picture -> the page: its ink, the glyphs and the ways to combine them, and what was measured."""

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.decode import DEFAULT_LIMITS, DecodeLimits, decode
from model.vision.ink import TINY, Ink, find_ink, grey_of
from model.vision.normalisation import normalise
from model.vision.page import Box, Glyph, Group, Line, Measurements, Page
from model.vision.picture import Picture
from model.vision.segmentation import Mark, choose_marks, find_marks, write_lines

_PREVIEW = 640


def read_page(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Page:
    """The page in the bytes of a photo.

    Raises:
        UnreadablePhotoError: the bytes are no photo that is read.
    """
    return find_page(decode(data, limits))


def find_page(picture: Picture) -> Page:
    """The page in a picture."""
    ink = find_ink(grey_of(picture.pixels))
    marks, labels = find_marks(ink.mask)
    large, small = choose_marks(marks, labels)
    writing = write_lines(large, small, labels)
    glyphs = {
        mark: _glyph(mark, labels, ink, picture)
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
        measurements=_measurements(ink, marks, large, labels),
        preview=_preview(picture),
        ink=_preview_of_ink(ink, picture),
    )


def glyph_of(picture: Picture) -> NDArray[np.uint8] | None:
    """The largest glyph of a picture, uint8 (28, 28), or None where there is no ink."""
    glyphs = [group.alternatives[0] for line in find_page(picture).lines for group in line.groups]
    if not glyphs:
        return None
    (largest,) = max(glyphs, key=lambda glyph: _size(glyph[0].box))[:1]
    return largest.pixels


def _size(box: Box) -> int:
    return max(box.right - box.left, box.bottom - box.top)


def _glyph(mark: Mark, labels: NDArray[np.int32], ink: Ink, picture: Picture) -> Glyph:
    return Glyph(picture.in_photo(mark.box), normalise(_cropped(mark, labels, ink)))


def _cropped(mark: Mark, labels: NDArray[np.int32], ink: Ink) -> NDArray[np.float32]:
    """The mark's own ink with its soft edges, float32 (h, w) in 0..1."""
    height, width = labels.shape
    box = mark.box
    rows = slice(max(0, box.top - 2), min(height, box.bottom + 2))
    columns = slice(max(0, box.left - 2), min(width, box.right + 2))
    inside = labels[rows, columns]
    own = np.isin(inside, list(mark.labels)).astype(np.uint8)
    reach = 5 if max(height, width) < TINY else 3
    near = cv2.dilate(own, np.ones((reach, reach), np.uint8))
    lowest = max(3 * ink.noise, 0.04 * ink.level)
    soft = np.clip((ink.strength[rows, columns] - lowest) / max(0.97 * ink.level - lowest, 1), 0, 1)
    soft = (soft * near).astype(np.float32)
    filled = soft > 0.05
    ys, xs = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    if len(ys) == 0:
        return soft
    tight: NDArray[np.float32] = soft[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    return tight


def _measurements(ink: Ink, marks: list[Mark], large: list[Mark], labels: NDArray[np.int32]) -> Measurements:
    return Measurements(
        contrast=ink.level / 255 if marks else 0.0,
        ink_share=float(ink.mask.mean()),
        sharpness=1.0,
        marks=len(marks),
        digit_sized_marks=len(large),
        touches_edge=any(mark.contact for mark in large),
        light_on_dark=ink.light_on_dark,
    )


def _preview(picture: Picture) -> NDArray[np.uint8]:
    pixels = picture.reduced_to(_PREVIEW).pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _preview_of_ink(ink: Ink, picture: Picture) -> NDArray[np.uint8]:
    mask = ink.mask * np.uint8(255)
    return Picture(mask, picture.width, picture.height, picture.area).reduced_to(_PREVIEW).pixels
