"""Digits as strokes on the unit square, for the browser's mouse and for pictures of drawings."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from model.learning.stroke_templates import DIGITS

HEIGHT = 0.66  # of a digit, as part of the board
SIDE = 280  # pixels of a drawing
PEN = 15


def strokes_of(digit: int) -> list[NDArray[np.float64]]:
    """Its strokes, each (M, 2) points x, y from 0 to 1, the way it is written most often."""
    shape = max(DIGITS[digit], key=lambda shape: shape.weight)
    curves = [stroke.curve @ stroke.points for stroke in shape.strokes]
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    return [(curve - (low + high) / 2) * HEIGHT / max(high - low) + 0.5 for curve in curves]


def drawing_of(digit: int) -> bytes:
    """A PNG as the draw page sends it: black ink on white."""
    paper = Image.new("L", (SIDE, SIDE), 255)
    pen = ImageDraw.Draw(paper)
    for stroke in strokes_of(digit):
        for x, y in stroke * SIDE:
            pen.ellipse((x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2), fill=0)
        pen.line([tuple(point) for point in stroke * SIDE], fill=0, width=PEN, joint="curve")
    png = io.BytesIO()
    paper.save(png, "PNG")
    return png.getvalue()
