"""Training glyphs come through camera and vision, are what was written, and always the same."""

from pathlib import Path

import numpy as np
import pytest

from model.learning import camera, camera_glyphs, handwriting
from model.learning.camera_glyphs import overlap
from model.learning.examples import Examples
from model.learning.handwriting import Hand, Pen
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting
from model.vision.page import Box


@pytest.fixture(scope="module")
def written() -> Examples:
    """Drawn digits in the place of MNIST."""
    return handwriting.examples(30, np.random.default_rng(0))


def ignore(done: int, count: int) -> None:
    """No one is told."""


def test_the_same_seed_gives_the_same_glyphs_however_the_work_is_shared(
    written: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_glyphs, "CHUNK", 10)
    one, two = (camera_glyphs.build(written, 30, 5, ignore, processes) for processes in (1, 2))
    np.testing.assert_array_equal(one.images, two.images)
    np.testing.assert_array_equal(one.labels, two.labels)
    assert 27 <= len(one) <= 30


def test_progress_reaches_the_whole(written: Examples) -> None:
    told: list[tuple[int, int]] = []
    camera_glyphs.build(written, 4, 6, lambda done, count: told.append((done, count)), processes=1)
    assert told[-1] == (4, 4)


def test_glyphs_are_kept_until_their_arguments_change(written: Examples, tmp_path: Path) -> None:
    first = camera_glyphs.cached(tmp_path, written, 3, 7, ignore)
    second = camera_glyphs.cached(tmp_path, written, 3, 7, ignore)
    np.testing.assert_array_equal(first.images, second.images)
    assert len(list(tmp_path.iterdir())) == 1
    camera_glyphs.cached(tmp_path, written, 3, 8, ignore)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_glyph_is_the_writing_as_vision_normalises_it() -> None:
    """It resembles what MNIST's recipe makes of the same strokes."""
    lines = handwriting.write(DIGITS[2][0], Hand(Pen(0.12)), np.random.default_rng(1))
    glyph = camera_glyphs.photographed(DrawnWriting(lines), np.random.default_rng(2))
    assert glyph is not None
    expected = handwriting.mnist_glyph(lines)
    assert np.corrcoef(glyph.ravel(), expected.ravel())[0, 1] > 0.7


def test_the_camera_knows_where_the_ink_is() -> None:
    """On plain paper the box encloses the dark pixels, also under perspective."""
    lines = handwriting.write(DIGITS[2][0], Hand(Pen(0.1)), np.random.default_rng(3))
    for name in ("plain", "perspective", "screen", "enlarged"):
        shot = camera.shoot(
            DrawnWriting(lines), camera.CONDITIONS[name], np.random.default_rng(4), (240, 320)
        )
        grey = shot.photo.mean(axis=2)
        ground = np.median(grey)
        rows, columns = np.nonzero(np.abs(grey - ground) > 0.5 * np.abs(grey - ground).max())
        found = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        assert overlap(found, shot.box) > 0.85, name


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 2, 2), Box(2, 0, 3, 2)) == 0
