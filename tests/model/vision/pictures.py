"""Pictures for the tests of vision, drawn by code."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.learning import handwriting
from model.learning.handwriting import Hand, Pen
from model.learning.stroke_templates import DIGITS

Pixels = NDArray[np.uint8]


def ink_of(digit: int, height: float = 120, seed: int = 0) -> Pixels:
    """One drawn digit as a mask (h, w), ink 255."""
    rng = np.random.default_rng(seed)
    return handwriting.large_ink(handwriting.write(DIGITS[digit][0], Hand(Pen(0.1)), rng), height)


def on_paper(ink: Pixels, size: tuple[int, int] = (240, 320), paper: int = 235, pen: int = 30) -> Pixels:
    """The ink in the middle of a sheet of paper, uint8 (H, W)."""
    height, width = ink.shape
    page = np.full(size, float(paper))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    place = page[top : top + height, left : left + width]
    place += (pen - paper) * (ink / 255.0)
    return np.asarray(np.rint(page), np.uint8)


def encoded(picture: Pixels | Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """The file of a picture."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
