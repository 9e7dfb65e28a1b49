"""Glyphs that are no digit: seeded, of many kinds, and not to be mistaken for a 1."""

import numpy as np
import pytest

from model.learning import handwriting, no_digits
from model.learning.no_digits import Glyphs


def ignore(done: int, total: int) -> None:
    """No one is told."""


@pytest.fixture(scope="module")
def digits() -> Glyphs:
    return handwriting.draw([number % 10 for number in range(30)], np.random.default_rng(0))


def test_the_same_seed_gives_the_same_glyphs_however_the_work_is_shared(
    digits: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(no_digits, "CHUNK", 2)

    one, two = (no_digits.glyphs(digits, 60, 1, ignore, processes) for processes in (1, 2))

    np.testing.assert_array_equal(one, two)
    assert one.shape[1:] == (28, 28)
    assert one.dtype == np.uint8
    assert len({glyph.tobytes() for glyph in one}) > 0.95 * len(one)


def test_about_as_many_are_made_as_were_asked_for_and_progress_reaches_the_whole(digits: Glyphs) -> None:
    told: list[tuple[int, int]] = []
    made = len(no_digits.glyphs(digits, 200, 2, lambda done, total: told.append((done, total))))

    assert 160 <= made <= 240
    assert told[-1] == (20, 20)


def test_two_digits_are_wider_than_one(digits: Glyphs) -> None:
    pairs = no_digits.several(digits, 50, np.random.default_rng(3))

    assert np.mean([_width(pair) / _height(pair) for pair in pairs]) > 1.2


def test_no_letter_is_as_narrow_as_a_1() -> None:
    letters = no_digits.printed(200, np.random.default_rng(4))

    assert min(_width(letter) / _height(letter) for letter in letters) > 0.3


def _width(glyph: Glyphs) -> int:
    return int(np.ptp(np.flatnonzero(glyph.max(axis=0) > 25))) + 1


def _height(glyph: Glyphs) -> int:
    return int(np.ptp(np.flatnonzero(glyph.max(axis=1) > 25))) + 1
