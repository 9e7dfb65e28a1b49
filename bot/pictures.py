"""Pure: records -> images. "What I saw": photo, ink found in it, and each glyph as the network got it."""

import html
import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bot.replies import percent
from model.reading import GlyphReading, Reading
from model.vision.page import Page

_HEIGHT = 360
"""Pixels of the photo and the ink in the strip."""
_GLYPH = 112
"""A waiting glyph is shown four times as large as the network gets it."""
_SCALES = {1: 10, 2: 7}
_SMALL = 5
"""Times that a glyph is enlarged in the strip, by how many there are; more of them are smaller."""
_COLUMNS = 3
_GAP = 16
_LONGEST = 20
"""Times that a picture may be as long as high; Telegram refuses longer ones."""
_MOST_GLYPHS = 9
_GROUND, _TEXT, _BAR, _BEST = "#ffffff", "#222222", "#c4ccd6", "#2e9e5b"


def what_was_seen(page: Page, reading: Reading) -> bytes:
    """A PNG: the photo with the boxes of its glyphs, its ink, and each glyph with its probabilities."""
    photo = _scaled(Image.fromarray(page.preview))
    ink = _scaled(Image.fromarray(255 - page.ink).convert("RGB"))
    _draw_boxes(photo, page, reading)
    shown = reading.glyphs[:_MOST_GLYPHS]
    side = 28 * _SCALES.get(len(shown), _SMALL)
    rows = [
        _beside([_glyph(glyph, side) for glyph in shown[start : start + _COLUMNS]])
        for start in range(0, len(shown), _COLUMNS)
    ]
    return _png(_framed([_beside([photo, ink]), *rows]))


def _beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one height in a row."""
    width = sum(picture.width for picture in pictures) + _GAP * (len(pictures) - 1)
    row = Image.new("RGB", (width, pictures[0].height), _GROUND)
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + _GAP
    return row


def _framed(rows: Sequence[Image.Image]) -> Image.Image:
    """Rows under one another, each in the middle, with a margin; high enough for Telegram."""
    width = max(row.width for row in rows) + 2 * _GAP
    height = max(sum(row.height + _GAP for row in rows) + _GAP, math.ceil(width / _LONGEST))
    framed = Image.new("RGB", (width, height), _GROUND)
    top = _GAP
    for row in rows:
        framed.paste(row, ((width - row.width) // 2, top))
        top += row.height + _GAP
    return framed


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


def _glyph(glyph: GlyphReading, side: int) -> Image.Image:
    """The 28x28 pixels enlarged to this side, and beside them the ten probabilities as bars."""
    step = side // 10
    font = ImageFont.load_default(step * 0.75)
    margin, words = round(font.getlength("0")) + _GAP // 2, round(font.getlength("  >99 %"))
    longest = side - margin - words
    cell = Image.new("RGB", (2 * side + _GAP, side), _GROUND)
    pixels: NDArray[np.uint8] = 255 - glyph.pixels
    cell.paste(Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST), (0, 0))
    pen = ImageDraw.Draw(cell)
    pen.rectangle((0, 0, side - 1, side - 1), outline=_BAR)
    for digit, probability in enumerate(glyph.probabilities):
        middle, left = (digit + 0.5) * side / 10, side + _GAP
        pen.text((left, middle), str(digit), fill=_TEXT, font=font, anchor="lm")
        color = _BEST if digit == glyph.digit else _BAR
        length = max(2, round(probability * longest))
        pen.rectangle(
            (left + margin, middle - step * 0.3, left + margin + length, middle + step * 0.3), fill=color
        )
        if probability >= 0.01:
            text = html.unescape(percent(probability))
            pen.text((left + margin + length + _GAP // 4, middle), text, fill=_TEXT, font=font, anchor="lm")
    return cell


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
