"""What apps do to photos: seeded, and of the whole photo."""

import numpy as np
import pytest

from model.learning.retouching import RETOUCHES, scanned
from tests.model.vision.pictures import Pixels, ink_of, on_paper


@pytest.fixture
def photo() -> Pixels:
    return np.repeat(on_paper(ink_of(5))[..., None], 3, axis=2)


@pytest.mark.parametrize("name", RETOUCHES)
def test_the_same_seed_gives_the_same_picture(name: str, photo: Pixels) -> None:
    one, same, other = (RETOUCHES[name](photo, np.random.default_rng(seed)) for seed in (1, 1, 2))

    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", [name for name in RETOUCHES if name != "scanned"])
def test_frames_are_of_one_colour_at_two_corners_at_least_and_cut_nothing_off(
    name: str, photo: Pixels
) -> None:
    framed = RETOUCHES[name](photo, np.random.default_rng(1))

    assert framed.size > photo.size
    corners = framed[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert len(np.unique(corners, axis=0)) < 4
    assert np.count_nonzero((framed == photo.min()).all(axis=2)) > 100


def test_scans_are_black_and_white_and_keep_the_digit(photo: Pixels) -> None:
    scan = scanned(photo, np.random.default_rng(0))

    assert set(np.unique(scan)) == {0, 255}
    ink = photo[..., 0] < 130
    assert (scan[..., 0][ink] == 0).mean() > 0.9
    assert (scan[..., 0][~ink] == 255).mean() > 0.98
