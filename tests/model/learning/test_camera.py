"""Photos of our own camera are seeded, named, of the size asked for, and show what was written."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.learning import camera, handwriting, paper
from model.learning.camera import CONDITIONS, UNUSUAL, Condition
from model.learning.handwriting import Hand, Pen
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting, thinned


@pytest.fixture
def three() -> DrawnWriting:
    """A 3 by a steady hand."""
    return DrawnWriting(handwriting.write(DIGITS[3][0], Hand(Pen(0.1)), np.random.default_rng(0)))


@pytest.mark.parametrize("name", CONDITIONS | UNUSUAL)
def test_every_condition_gives_the_same_file_for_the_same_seed(name: str, three: DrawnWriting) -> None:
    condition = (CONDITIONS | UNUSUAL)[name]
    files = [camera.take(three, condition, np.random.default_rng(seed), (120, 160)) for seed in (1, 1, 2)]
    assert files[0] == files[1] != files[2]
    with Image.open(io.BytesIO(files[0])) as picture:
        assert picture.format == ("JPEG" if condition.medium == "photo" else "PNG")
        if condition.medium != "enlarged":
            assert picture.size == (160, 120)


@pytest.mark.parametrize("ground", paper.GROUNDS)
def test_grounds_are_reflectances_of_the_size_asked_for(ground: str) -> None:
    reflectance = paper.GROUNDS[ground]((50, 70), np.random.default_rng(3), 20.0)
    assert reflectance.shape == (50, 70, 3)
    assert reflectance.dtype == np.float32
    assert -0.1 <= reflectance.min() < reflectance.max() <= 1.2


def test_on_plain_paper_the_darkest_pixels_are_the_writing(three: DrawnWriting) -> None:
    """Otsu's threshold alone finds the ink where nothing disturbs, and all of it is inside the picture."""
    photo = camera.photograph(three, CONDITIONS["plain"], np.random.default_rng(4), (240, 320))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    assert 0.005 < ink.mean() < 0.1
    assert not ink[0].any()
    assert not ink[-1].any()


def test_without_a_size_photos_have_the_sizes_of_phones(three: DrawnWriting) -> None:
    sizes = {
        camera.photograph(three, CONDITIONS["screen"], np.random.default_rng(seed)).shape[:2]
        for seed in range(40)
    }
    assert sizes == set(camera.SIZES)


def test_blackboards_are_darker_than_their_chalk(three: DrawnWriting) -> None:
    photo = camera.photograph(three, CONDITIONS["blackboard"], np.random.default_rng(5), (120, 160))
    assert np.median(photo) < 110 < photo.max()


def test_shadows_take_light_and_leave_the_writing(three: DrawnWriting) -> None:
    steady = Condition(rotation=0, noise=(0, 0), gradient=(0, 0), exposure=(1, 1))
    shaded = replace(steady, shadow=(0.5, 0.5), shadow_edge=(0.02, 0.02))
    means = [
        camera.photograph(three, condition, np.random.default_rng(6), (120, 160)).mean()
        for condition in (steady, shaded)
    ]
    assert 0.5 * means[0] < means[1] < 0.87 * means[0]


def test_a_transparent_drawing_is_only_in_its_alpha(three: DrawnWriting) -> None:
    picture = camera.photograph(three, CONDITIONS["transparent"], np.random.default_rng(7), (120, 160))
    assert picture.shape == (120, 160, 4)
    assert len(np.unique(picture[..., :3])) == 1
    assert picture[..., 3].max() == 255
    assert picture[0, 0, 3] == 0


@pytest.fixture
def glyph() -> NDArray[np.uint8]:
    """A hand-drawn 0 as MNIST has it."""
    return np.asarray(handwriting.draw([0], np.random.default_rng(8))[0])


@pytest.mark.parametrize("height", [20, 57, 200])
def test_an_enlarged_glyph_has_the_height_asked_for(glyph: NDArray[np.uint8], height: int) -> None:
    ink = MnistWriting([glyph]).ink(height, None)
    assert max(ink.shape) == pytest.approx(height, abs=max(2, 0.08 * height))
    assert ink.max() == 255


@pytest.mark.parametrize("width", [0.03, 0.1])
def test_another_pen_follows_the_middle_of_the_strokes(glyph: NDArray[np.uint8], width: float) -> None:
    """A thin pen leaves the 0 whole: one piece of ink around one hole."""
    ink = MnistWriting([glyph]).ink(200, width) > 127
    padded = np.pad(ink, 2).astype(np.uint8)
    assert cv2.connectedComponents(padded)[0] == 2
    assert cv2.connectedComponents(1 - padded, connectivity=4)[0] == 3


def test_the_digits_of_a_number_stand_beside_one_another(glyph: NDArray[np.uint8]) -> None:
    ink = MnistWriting([glyph, glyph], gap=0.3).ink(100, None)
    single = MnistWriting([glyph]).ink(100, None)
    assert ink.shape == (single.shape[0], 2 * single.shape[1] + 30)


def test_thinning_leaves_lines_of_one_pixel() -> None:
    bar = np.zeros((20, 40), bool)
    bar[6:13, 5:35] = True
    line = thinned(bar)
    assert line.any(axis=0).sum() >= 20
    assert line.sum(axis=0).max() == 1


def test_sample_photos_are_jpegs_of_digits_and_numbers_and_always_the_same() -> None:
    samples = camera.sample_photos(4, seed=1, size=(120, 160))
    assert samples == camera.sample_photos(4, seed=1, size=(120, 160))
    assert [len(sample.digits) for sample in samples] == [1, 1, 1, 3]
    for sample in samples:
        with Image.open(io.BytesIO(sample.jpeg)) as picture:
            assert picture.format == "JPEG"


@pytest.mark.parametrize(("around", "sides"), [("box", 4), ("circle", 4), ("line", 2)])
def test_what_is_drawn_around_writing_is_clear_of_it(around: str, sides: int, three: DrawnWriting) -> None:
    """Pieces of ink: the 3, and what is around it, which is wider and reaches further down."""
    steady = Condition(rotation=0, noise=(0, 0), blur=(0, 0), height=(0.3, 0.3), centred=1)
    photo = camera.photograph(three, replace(steady, around=around), np.random.default_rng(7), (480, 640))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    digit, drawn = sorted(stats[1:, :4].tolist(), key=lambda box: box[2])
    assert len(stats) == 3
    assert drawn[2] > digit[2] + 10
    assert drawn[1] + drawn[3] > digit[1] + digit[3] + 4
    assert (drawn[1] < digit[1]) == (sides == 4)


def test_a_note_has_the_desk_all_around(three: DrawnWriting) -> None:
    photo = camera.photograph(three, UNUSUAL["note"], np.random.default_rng(8), (480, 640))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    assert 0.02 < light.mean() < 0.4
    assert not light[[0, -1]].any()
    assert not light[:, [0, -1]].any()


def test_a_pen_lies_beside_the_writing(three: DrawnWriting) -> None:
    steady = Condition(rotation=0, noise=(0, 0), height=(0.3, 0.3), pen_lies=True)
    shot = camera.shoot(three, steady, np.random.default_rng(9), (480, 640))
    bare = camera.shoot(three, replace(steady, pen_lies=False), np.random.default_rng(9), (480, 640))
    changed = np.abs(shot.photo.astype(int) - bare.photo).max(axis=2) > 60
    assert shot.box == bare.box
    assert np.ptp(np.flatnonzero(changed.any(axis=1))) > 240
    assert not changed[shot.box.top : shot.box.bottom, shot.box.left : shot.box.right].any()
