"""Held-out pictures, and the random hands that some of them are rewritten in."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from model.learning import handwriting, holdouts
from model.learning.examples import Examples
from model.learning.holdouts import Holdout
from model.learning.styles import Style


@pytest.fixture(scope="module")
def drawn() -> Examples:
    return handwriting.examples(20, np.random.default_rng(5))


def same(one: Holdout, other: Holdout) -> bool:
    return np.array_equal(one.images, other.images) and np.array_equal(one.sources, other.sources)


def test_the_same_pictures_are_rendered_alike_and_each_knows_its_source(drawn: Examples) -> None:
    one, other = holdouts.styled(drawn, 1, renderings=2), holdouts.styled(drawn, 1, renderings=2)

    assert same(one, other)
    np.testing.assert_array_equal(one.labels, np.tile(drawn.labels, 2))
    np.testing.assert_array_equal(drawn.labels[one.sources], one.labels)
    assert not np.array_equal(one.images[:20], one.images[20:])


def test_photos_are_of_the_first_pictures_and_know_their_source(drawn: Examples) -> None:
    photos = holdouts.photographed(drawn, 1, count=5)

    assert 3 <= len(photos.images) == len(photos.sources) <= 5
    np.testing.assert_array_equal(photos.labels, drawn.labels[photos.sources])


def test_renderings_are_kept_in_a_file_and_read_back(drawn: Examples, tmp_path: Path) -> None:
    told: list[float] = []
    first = holdouts.load_or_render(drawn, 3, tmp_path / "cache", told.append)
    assert told
    told.clear()

    second = holdouts.load_or_render(drawn, 3, tmp_path / "cache", told.append)

    assert told == []
    assert all(same(one, other) for one, other in zip(first, second, strict=True))


def test_a_damaged_file_of_renderings_is_made_anew(drawn: Examples, tmp_path: Path) -> None:
    first = holdouts.load_or_render(drawn, 3, tmp_path, lambda _: None)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])

    second = holdouts.load_or_render(drawn, 3, tmp_path, lambda _: None)

    assert all(same(one, other) for one, other in zip(first, second, strict=True))


def test_where_nothing_can_be_kept_renderings_are_made_all_the_same(drawn: Examples) -> None:
    assert len(holdouts.load_or_render(drawn, 0, Path("/dev/null/nowhere"), lambda _: None)) == 3


def test_a_style_of_no_strength_leaves_the_shape_as_it_is(drawn: Examples) -> None:
    style = Style.random(np.random.default_rng(1), strength=0)

    for glyph, label in zip(drawn.images, drawn.labels, strict=True):
        rewritten = style.write(glyph, int(label))
        near = cv2.dilate(glyph, np.ones((3, 3), np.uint8))
        assert np.minimum(near, rewritten).sum() > 0.95 * rewritten.sum()


@pytest.mark.parametrize(
    ("adornment", "digit"),
    [
        ({"flags_one": True}, 1),
        ({"foots_one": True}, 1),
        ({"bars_seven": True}, 7),
        ({"slashes_zero": True}, 0),
    ],
)
def test_a_style_adorns_its_own_digit_and_no_other(
    drawn: Examples, adornment: dict[str, bool], digit: int
) -> None:
    plain, adorned = Style(), Style(**adornment)  # type: ignore[arg-type]  # all of them are booleans

    changed = {
        int(label)
        for glyph, label in zip(drawn.images, drawn.labels, strict=True)
        if not np.array_equal(plain.write(glyph, int(label)), adorned.write(glyph, int(label)))
    }

    assert changed == {digit}


def test_a_style_writes_glyphs_as_vision_would_make_them(drawn: Examples) -> None:
    """The longer side takes 20 pixels and the centre of mass lies in the middle, to a pixel."""
    for seed in range(20):
        glyph = Style.random(np.random.default_rng(seed)).write(drawn.images[seed], int(drawn.labels[seed]))
        rows, columns = np.nonzero(glyph > 60)
        mass = glyph / glyph.sum()
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        assert abs((mass.sum(axis=1) @ np.arange(28)) - 13.5) < 1
        assert abs((mass.sum(axis=0) @ np.arange(28)) - 13.5) < 1


def test_a_style_of_nothing_writes_nothing() -> None:
    blank = np.zeros((28, 28), np.uint8)

    assert not Style(boldness=1.0).write(blank, 1).any()
