"""The version of the path from photo to glyph: what is kept under a version stays what it was."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from model.learning import camera_glyphs, handwriting
from model.learning.writing import MnistWriting
from model.vision.finding import find_page
from model.vision.page import PREPROCESSING_VERSION
from model.vision.picture import Picture
from tests.model.vision.pictures import Pixels, ink_of, on_paper

GLYPHS = Path(__file__).parent / f"glyphs-{PREPROCESSING_VERSION}.png"
"""The glyphs of `sheets` and of photos below one another, 10 in a row; this module, run, writes it."""


def number(gap: int) -> Pixels:
    """A sheet with 2, 5 and 0 in a row, pixels between them; a negative number lets them touch."""
    sheet = np.full((240, 400), 235, np.uint8)
    left = 50
    for ink in map(ink_of, (2, 5, 0)):
        sheet[60 : 60 + ink.shape[0], left : left + ink.shape[1]][ink > 127] = 30
        left += ink.shape[1] + gap
    return sheet


def sheets() -> list[Pixels]:
    """Digits on paper, in box, circle, cell and frame, on rules, on a note, touching, in a sloping line."""
    plain, boxed, circled, cell, ruled = (on_paper(ink_of(digit)) for digit in (2, 3, 8, 5, 7))
    cv2.rectangle(boxed, (90, 20), (230, 220), 30, 6)
    cv2.circle(circled, (160, 120), 105, 30, 6)
    for left in (10, 110, 210):
        cv2.rectangle(cell, (left, 40), (left + 100, 200), 30, 3)
    ruled[::40] = 90
    note = np.full((600, 800), 70, np.uint8)
    note[200:440, 200:520] = on_paper(ink_of(6))
    framed = np.pad(on_paper(ink_of(9), paper=210, pen=160), 60)
    turn = cv2.getRotationMatrix2D((200, 120), 20, 1)
    sloping = np.asarray(cv2.warpAffine(number(15), turn, (400, 240), borderValue=235), np.uint8)
    return [plain, boxed, circled, cell, ruled, note, framed, number(-3), sloping]


def glyphs_of_sheets() -> list[Pixels]:
    pages = [find_page(Picture.from_array(sheet)) for sheet in sheets()]
    groups = [group for page in pages for line in page.lines for group in line.groups]
    return [glyph.pixels for group in groups for way in group.alternatives for glyph in way]


def glyphs_of_photos() -> list[Pixels]:
    drawn = handwriting.examples(20, np.random.default_rng(5)).images
    photos = (
        camera_glyphs.photographed(MnistWriting([image]), np.random.default_rng(seed))
        for seed, image in enumerate(drawn)
    )
    return [glyph for glyph in photos if glyph is not None]


def strip(glyphs: list[Pixels]) -> Pixels:
    rows = [
        np.hstack([*glyphs[i : i + 10], *[np.zeros((28, 28), np.uint8)] * 10][:10])
        for i in range(0, len(glyphs), 10)
    ]
    return np.vstack(rows)


def test_glyphs_are_those_of_their_version() -> None:
    glyphs = strip(glyphs_of_sheets() + glyphs_of_photos())

    assert GLYPHS.exists(), "the version is new: run this module to keep its glyphs, and look at them"
    kept = np.asarray(Image.open(GLYPHS))
    assert glyphs.shape == kept.shape
    difference = np.abs(glyphs.astype(int) - kept).reshape(-1, 28, 10, 28).mean(axis=(1, 3))
    assert difference.max() < 0.5, (
        "glyphs came out otherwise: raise PREPROCESSING_VERSION"
    )  # processors round otherwise


if __name__ == "__main__":
    Image.fromarray(strip(glyphs_of_sheets() + glyphs_of_photos())).save(GLYPHS, optimize=True)
