"""What is drawn for people shows what it is about, in a shape that Telegram takes."""

import io

import numpy as np
import pytest
from PIL import Image

from bot.pictures import what_was_seen
from model.reading import GlyphReading, Reading
from model.vision.finding import read_page
from model.vision.page import Box, Page
from tests.model.vision.pictures import encoded, ink_of, on_paper

GREEN = (0x2E, 0x9E, 0x5B)


@pytest.fixture(scope="module")
def page() -> Page:
    return read_page(encoded(on_paper(ink_of(7))))


def reading(page: Page, probabilities: list[tuple[float, ...]]) -> Reading:
    """A reading with a glyph for each ten probabilities."""
    glyph = page.lines[0].groups[0].alternatives[0][0]
    glyphs = tuple(GlyphReading(glyph.box, glyph.pixels, row, 0) for row in probabilities)
    return Reading(glyphs, 0.9)


def drawn(page: Page, reading: Reading) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(what_was_seen(page, reading)), formats=["PNG"]))


def green(picture: np.ndarray) -> list[int]:
    """How much of each row of the only glyph, the lowest 280 above the margin, is the best digit's bar."""
    return [int(row) for row in (picture[-296:-16] == GREEN).all(axis=2).sum(axis=1)]


def test_the_bar_of_the_best_digit_stands_out_at_its_place_and_is_as_long_as_it_is_sure(page: Page) -> None:
    sure = drawn(page, reading(page, [(0.01,) * 7 + (0.91, 0.01, 0.01)]))
    unsure = drawn(page, reading(page, [(0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.25, 0.35, 0.05, 0.05)]))

    assert np.flatnonzero(green(sure)).mean() == pytest.approx(7.5 * 28, abs=2)
    assert max(green(unsure)) == pytest.approx(max(green(sure)) * 0.35 / 0.91, rel=0.05)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 40])
def test_any_number_of_glyphs_fits_into_a_picture_that_telegram_takes(page: Page, count: int) -> None:
    height, width, _ = drawn(page, reading(page, [(0.1,) * 10] * count)).shape

    assert width + height <= 10_000
    assert max(width, height) <= 20 * min(width, height)


@pytest.mark.parametrize("size", [(3000, 3), (2000, 20), (20, 2000)])
def test_what_was_seen_of_a_long_thin_photo_without_digits_is_a_picture_that_telegram_takes(
    size: tuple[int, int],
) -> None:
    empty = read_page(encoded(Image.new("L", size, 255)))

    height, width, _ = drawn(empty, Reading((), 0)).shape

    assert max(width, height) <= 20 * min(width, height)


def test_a_box_is_drawn_where_the_glyph_is(page: Page) -> None:
    one = reading(page, [(0.1,) * 10])
    moved = Reading(
        (GlyphReading(Box(0, 0, 9, 9), one.glyphs[0].pixels, one.glyphs[0].probabilities, 0),), 0.9
    )

    assert not np.array_equal(drawn(page, one)[:380], drawn(page, moved)[:380])
