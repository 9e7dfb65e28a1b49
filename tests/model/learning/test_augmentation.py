"""Augmentation is seeded, bounded, keeps what it must and changes what it says."""

import numpy as np
import pytest

from model.learning import augmentation
from model.learning.augmentation import MILD, PHOTO, TRANSFORMATIONS, Images, Recipe, augment


@pytest.fixture
def glyphs() -> Images:
    """Sixteen upright bars, 4 pixels wide and 20 high, with grey edges, in the middle."""
    images = np.zeros((16, 28, 28), np.float32)
    images[:, 4:24, 11:17] = 0.5
    images[:, 4:24, 12:16] = 1
    return images


def test_the_same_seed_gives_the_same_images_bit_for_bit(glyphs: Images) -> None:
    first, second = (augment(glyphs, np.random.default_rng(7)) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert not np.array_equal(first, augment(glyphs, np.random.default_rng(8)))


def test_the_images_given_are_not_changed(glyphs: Images) -> None:
    before = glyphs.copy()
    augment(glyphs, np.random.default_rng(1), strength=30)
    np.testing.assert_array_equal(glyphs, before)


@pytest.mark.parametrize("recipe", [MILD, PHOTO], ids=["mild", "photo"])
@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_results_keep_shape_type_and_range(glyphs: Images, recipe: Recipe, strength: float) -> None:
    varied = augment(glyphs, np.random.default_rng(2), strength, recipe)
    assert varied.shape == glyphs.shape
    assert varied.dtype == np.float32
    assert varied.min() >= 0
    assert varied.max() <= 1


def test_strength_zero_changes_nothing(glyphs: Images) -> None:
    np.testing.assert_array_equal(augment(glyphs, np.random.default_rng(3), strength=0), glyphs)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_each_transformation_alone_changes_some_images_and_keeps_the_digit(glyphs: Images, name: str) -> None:
    many = np.tile(glyphs, (40, 1, 1))  # more than one sheet
    varied = augment(many, np.random.default_rng(4), recipe=PHOTO.only(name))
    changed = (varied != many).any(axis=(1, 2))
    assert changed.any()
    overlap = np.minimum(varied, many).sum(axis=(1, 2)) / np.maximum(varied, many).sum(axis=(1, 2))
    assert overlap.min() > 0.2


def test_no_image_leaks_into_another() -> None:
    """Between bright neighbours, an empty image stays empty under the widest filters and warps."""
    images = np.ones((9, 28, 28), np.float32)
    images[1::2] = 0
    recipe = Recipe(rotation=180, scale=0.5, shift=14, elastic=3, stroke_width=0.9, blur=1)
    assert augment(images, np.random.default_rng(5), recipe=recipe)[1::2].max() == 0


def test_a_quarter_turn_samples_without_loss() -> None:
    """The warp's centre is the image's centre: turned by 90 degrees, pixels land on pixels."""
    image = np.random.default_rng(0).random((1, 28, 28), np.float32)
    columns, rows = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5)
    turned = augmentation._sample(image, rows[None].astype(np.float32), -columns[None].astype(np.float32))
    np.testing.assert_allclose(turned[0], np.rot90(image[0], -1), atol=1e-6)


def test_stroke_width_alone_moves_the_mean_both_ways(glyphs: Images) -> None:
    varied = augment(glyphs, np.random.default_rng(6), recipe=Recipe(stroke_width=1.5))
    masses = varied.sum(axis=(1, 2)) / glyphs.sum(axis=(1, 2))
    assert masses.min() < 0.8
    assert masses.max() > 1.2


def test_rotation_turns_by_at_most_its_angle(glyphs: Images) -> None:
    varied = augment(glyphs, np.random.default_rng(7), recipe=Recipe(rotation=20))
    y, x = np.mgrid[:28, :28] - 13.5
    angles = []
    for image in varied:
        xx, yy, xy = ((image * product).sum() for product in (x * x, y * y, x * y))
        angles.append(np.degrees(0.5 * np.arctan2(2 * xy, yy - xx)))
    assert 12 < np.abs(angles).max() < 20.5
