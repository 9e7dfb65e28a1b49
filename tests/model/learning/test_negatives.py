"""Pictures without a digit are seeded, of the size asked for, and of many kinds."""

import numpy as np
import pytest

from model.learning import negatives
from model.learning.negatives import INKS, KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_picture_and_the_same_for_the_same_seed(kind: str) -> None:
    first, second, other = (KINDS[kind]((120, 160), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", INKS)
def test_what_is_drawn_has_ink(kind: str) -> None:
    for seed in range(20):
        assert (INKS[kind](np.random.default_rng(seed)) > 127).sum() > 50


def test_glyphs_that_are_no_digits_are_fitted_as_digits_are() -> None:
    glyphs = negatives.glyphs(40, np.random.default_rng(3))
    assert glyphs.shape == (40, 28, 28)
    assert len({glyph.tobytes() for glyph in glyphs}) == 40
    for glyph in glyphs:
        rows, columns = np.nonzero(glyph)
        assert max(np.ptp(rows), np.ptp(columns)) < 21
        rows_mean = (np.arange(28) * glyph.sum(axis=1)).sum() / glyph.sum()
        assert rows_mean == pytest.approx(13.5, abs=0.6)
