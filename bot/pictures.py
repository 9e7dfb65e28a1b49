"""Pure: records -> images. "What I saw": photo, ink found in it, and each glyph as the network got it."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.reading import GlyphReading, Reading
from model.vision.page import Page

_HEIGHT = 240
"""Pixels of the photo and the ink in the strip."""
_GLYPH = 112
"""A glyph is shown four times as large as the network gets it."""
_GAP = 12
_MOST_GLYPHS = 8
_GROUND, _TEXT, _BAR, _BEST = "#ffffff", "#222222", "#c4ccd6", "#2e9e5b"


def what_was_seen(page: Page, reading: Reading) -> bytes:
    """A PNG: the photo with the boxes of its glyphs, its ink, and each glyph with its probabilities."""
    photo = _scaled(Image.fromarray(page.preview))
    ink = _scaled(Image.fromarray(255 - page.ink).convert("RGB"))
    _draw_boxes(photo, page, reading)
    glyphs = [_glyph(glyph) for glyph in reading.glyphs[:_MOST_GLYPHS]]
    columns = max(1, min(4, len(glyphs)))
    rows = -(-len(glyphs) // columns)
    cell_width, cell_height = (glyphs[0].width, glyphs[0].height) if glyphs else (0, 0)
    width = max(photo.width + ink.width + 3 * _GAP, columns * (cell_width + _GAP) + _GAP)
    height = _HEIGHT + 2 * _GAP + rows * (cell_height + _GAP)
    strip = Image.new("RGB", (width, height), _GROUND)
    strip.paste(photo, (_GAP, _GAP))
    strip.paste(ink, (photo.width + 2 * _GAP, _GAP))
    for index, cell in enumerate(glyphs):
        row, column = divmod(index, columns)
        corner = (_GAP + column * (cell_width + _GAP), _HEIGHT + 2 * _GAP + row * (cell_height + _GAP))
        strip.paste(cell, corner)
    return _png(strip)


def enlarged(glyphs: Sequence[NDArray[np.uint8]]) -> bytes:
    """A PNG of glyphs (28, 28), ink bright, side by side, dark on white as they were written."""
    shown = glyphs[:_MOST_GLYPHS]
    strip = Image.new("RGB", (len(shown) * (_GLYPH + _GAP) + _GAP, _GLYPH + 2 * _GAP), _GROUND)
    for index, pixels in enumerate(shown):
        picture = Image.fromarray(255 - pixels).resize((_GLYPH, _GLYPH), Image.Resampling.NEAREST)
        strip.paste(picture, (_GAP + index * (_GLYPH + _GAP), _GAP))
    return _png(strip)


def _scaled(picture: Image.Image) -> Image.Image:
    """At the strip's height, but never wider than twice that: Telegram refuses long, thin pictures."""
    factor = min(_HEIGHT / picture.height, 2 * _HEIGHT / picture.width)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _draw_boxes(photo: Image.Image, page: Page, reading: Reading) -> None:
    pen, factor = ImageDraw.Draw(photo), photo.width / page.width
    for glyph in reading.glyphs:
        box = glyph.box
        pen.rectangle(
            [round(side * factor) for side in (box.left, box.top, box.right, box.bottom)],
            outline=_BEST,
            width=2,
        )


def _glyph(glyph: GlyphReading) -> Image.Image:
    """The 28x28 pixels enlarged, and the ten probabilities as bars."""
    cell = Image.new("RGB", (2 * _GLYPH + _GAP, _GLYPH), _GROUND)
    pixels: NDArray[np.uint8] = 255 - glyph.pixels
    cell.paste(Image.fromarray(pixels).resize((_GLYPH, _GLYPH), Image.Resampling.NEAREST), (0, 0))
    pen, font = ImageDraw.Draw(cell), ImageFont.load_default(10)
    pen.rectangle((0, 0, _GLYPH - 1, _GLYPH - 1), outline=_BAR)
    step = _GLYPH / 10
    for digit, probability in enumerate(glyph.probabilities):
        top, left = round(digit * step), _GLYPH + _GAP
        pen.text((left, top - 1), str(digit), fill=_TEXT, font=font)
        color = _BEST if digit == glyph.digit else _BAR
        length = round(probability * (_GLYPH - _GAP))
        pen.rectangle((left + _GAP, top + 2, left + _GAP + max(1, length), top + step - 3), fill=color)
    return cell


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
