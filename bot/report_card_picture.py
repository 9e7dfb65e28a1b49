"""Pure: a report card -> an image: what each digit gained and lost, and pictures of what flips."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bot.i18n import Texts
from model.learning.gate import Verdict
from model.learning.report_card import Comparison, Flip, HoldoutResult, ReportCard

_WIDTH = 760
_MARGIN = 20
_LINE = 22
_CELL = (_WIDTH - 2 * _MARGIN) // 10
_BAND = 74
"""Pixels of the row of ten digits under each holdout."""
_GLYPH = 56
_FLIPS_IN_ROW = 8
_MOST_FLIPS = 16
_GROUND, _TEXT, _FAINT, _RULE = "#ffffff", "#1c2733", "#6b7885", "#d9dfe5"
_GAINED, _LOST = "#2e9e5b", "#c8433a"


def report_card(card: ReportCard, verdict: Verdict, texts: Texts) -> bytes:
    """A PNG of a report card: each holdout with its ten digits, then what flips, broken ones first."""
    flips = card.flips[:_MOST_FLIPS]
    rows = -(-len(flips) // _FLIPS_IN_ROW)
    height = 2 * _MARGIN + 2 * _LINE + len(card.holdouts) * (2 * _LINE + _BAND) + _LINE
    height += rows * (_GLYPH + 2 * _LINE) + (_LINE if flips else 0)
    picture = Image.new("RGB", (_WIDTH, height), _GROUND)
    pen = ImageDraw.Draw(picture)
    top = _heading(pen, card, verdict, texts)
    for result in card.holdouts:
        top = _holdout(pen, result, top, texts)
    if flips:
        pen.text((_MARGIN, top), texts.gettext("What changes: before > after"), _FAINT, _font(14))
        _paste_flips(picture, flips, top + _LINE)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _heading(pen: ImageDraw.ImageDraw, card: ReportCard, verdict: Verdict, texts: Texts) -> int:
    """Whether it passed, and how it reads the corrections; the height below."""
    passed, refused = texts.gettext("Passed the gate"), texts.gettext("Refused by the gate")
    colour = _GAINED if verdict.passed else _LOST
    pen.text((_MARGIN, _MARGIN), passed if verdict.passed else refused, colour, _font(20))
    learned = texts.gettext("Corrections read as taught: {before} before, {after} now, of {total}").format(
        before=card.trained.champion, after=card.trained.candidate, total=card.trained.glyphs
    )
    pen.text((_MARGIN, _MARGIN + _LINE + 6), learned, _TEXT, _font(14))
    return _MARGIN + 3 * _LINE


def _holdout(pen: ImageDraw.ImageDraw, result: HoldoutResult, top: int, texts: Texts) -> int:
    """The three scores on these pictures, and what each digit gained and lost; the height below."""
    names = {
        "plain": texts.gettext("Digits as they are"),
        "styled": texts.gettext("In random hands"),
        "photographed": texts.gettext("Photographed"),
    }
    pen.line((_MARGIN, top, _WIDTH - _MARGIN, top), _RULE)
    scores = texts.gettext("{new} right of {total}; champion {champion}, shipped {shipped}").format(
        new=result.candidate.right,
        total=result.pictures,
        champion=result.champion.right,
        shipped=result.shipped.right,
    )
    pen.text((_MARGIN, top + 6), names.get(result.name, result.name), _TEXT, _font(16))
    pen.text((_WIDTH - _MARGIN, top + 8), scores, _FAINT, _font(13), anchor="ra")
    _digits(pen, result.against_champion, top + _LINE + 12)
    return top + 2 * _LINE + _BAND


def _digits(pen: ImageDraw.ImageDraw, comparison: Comparison, top: int) -> None:
    """Ten columns: the digit, and bars of how many pictures were repaired (up) and broken (down)."""
    changes = [count for one in comparison.per_digit for count in (one.repaired, one.broken)]
    scale = 18 / max(5, *changes)
    for digit, one in enumerate(comparison.per_digit):
        left, middle = _MARGIN + digit * _CELL, top + 30
        pen.text((left, middle), str(digit), _TEXT, _font(18), anchor="lm")
        bar = left + 18
        pen.rectangle((bar, middle - 1 - round(one.repaired * scale), bar + 12, middle - 1), _GAINED)
        pen.rectangle((bar, middle + 1, bar + 12, middle + 1 + round(one.broken * scale)), _LOST)
        pen.text((bar + 18, middle - 10), f"+{one.repaired}", _GAINED, _font(12), anchor="lm")
        pen.text((bar + 18, middle + 10), f"-{one.broken}", _LOST, _font(12), anchor="lm")


def _paste_flips(picture: Image.Image, flips: tuple[Flip, ...], top: int) -> None:
    pen = ImageDraw.Draw(picture)
    for number, flip in enumerate(flips):
        row, column = divmod(number, _FLIPS_IN_ROW)
        left, upper = _MARGIN + column * 90, top + row * (_GLYPH + 2 * _LINE)
        ink = np.frombuffer(bytes.fromhex(flip.pixels), np.uint8).reshape(28, 28)
        glyph = Image.fromarray(255 - ink).resize((_GLYPH, _GLYPH), Image.Resampling.NEAREST)
        picture.paste(glyph, (left, upper))
        colour = _GAINED if flip.candidate == flip.label else _LOST
        pen.rectangle((left, upper, left + _GLYPH - 1, upper + _GLYPH - 1), outline=colour)
        pen.text((left, upper + _GLYPH + 3), f"{flip.champion} > {flip.candidate}", colour, _font(14))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
