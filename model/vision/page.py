"""What vision finds in a photo: glyphs, the ways to combine them, and what was measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PREPROCESSING_VERSION = 3
"""Changes with every change of the path from photo to glyph that can change a glyph."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright, full-size photo; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """One digit-shaped piece of ink.

    Attributes:
        box: where it is in the photo.
        pixels: uint8 (28, 28), ink bright (255) on 0, as MNIST was made; the network's input is this / 255.
    """

    box: Box
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Group:
    """Ink that is read together.

    Attributes:
        alternatives: the ways to read it, each a tuple of glyphs from left to right; the first takes the ink
            as one glyph wherever that is possible. The recognizer chooses by the network's scores.
        priors: how likely each way is by gaps and cuts alone, 0..1; empty where nothing is known.
    """

    alternatives: tuple[tuple[Glyph, ...], ...]
    priors: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of writing, its groups from left to right."""

    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was measured on the way; abstentions name these figures.

    Attributes:
        contrast: difference of ink and its ground, 0..1 of the full range.
        ink_share: part of the photo that is ink, 0..1.
        inner_ink: part of the photo that is ink of digit-sized marks that do not touch its edge, 0..1.
        sharpness: part of the inked pixels that are no edge of a stroke, 0 (blurred) .. 1 (sharp).
        marks: pieces of ink found, specks left out.
        digit_sized_marks: those among them that have the size of a digit beside the others.
        touches_edge: ink of the chosen marks runs into the edge of the photo.
        light_on_dark: the ink is lighter than its ground.
    """

    contrast: float
    ink_share: float
    inner_ink: float
    sharpness: float
    marks: int
    digit_sized_marks: int
    touches_edge: bool
    light_on_dark: bool


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What vision finds in one photo.

    Attributes:
        width, height: of the upright, full-size photo, in pixels.
        lines: from top to bottom; empty where no ink was found.
        measurements: what abstentions are decided on and named with.
        preview: uint8 (h, w, 3), the upright photo at 640 px or less.
        ink: uint8 (h, w), what was taken for ink at the size of the preview, ink bright.
    """

    width: int
    height: int
    lines: tuple[Line, ...]
    measurements: Measurements
    preview: NDArray[np.uint8]
    ink: NDArray[np.uint8]
