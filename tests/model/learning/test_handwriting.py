"""Drawn digits are seeded, look as MNIST was made, and cover the hands of the world."""

import cv2
import numpy as np
import pytest

from model.learning import handwriting
from model.learning.handwriting import Hand, Pen, Spacing
from model.learning.stroke_templates import DIGITS, LETTERS, natural_spline


def test_the_same_seed_draws_the_same_glyphs() -> None:
    labels = [3, 1, 4, 1, 5, 9]
    first, second = (handwriting.draw(labels, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, handwriting.draw(labels, np.random.default_rng(8)))


def test_no_two_glyphs_are_alike() -> None:
    glyphs = handwriting.draw([7] * 50, np.random.default_rng(0))
    assert len({glyph.tobytes() for glyph in glyphs}) == 50


def test_glyphs_are_made_as_mnist_was() -> None:
    """Bright ink within 20 x 20, the longer side filled, the centre of mass in the middle."""
    for glyph in handwriting.draw([*range(10)] * 20, np.random.default_rng(1)):
        assert glyph.dtype == np.uint8
        assert glyph.max() > 200
        rows, columns = np.nonzero(glyph > 127)
        assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        moments = cv2.moments(glyph)
        centre = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
        np.testing.assert_allclose(centre, 13.5, atol=0.3)


@pytest.mark.parametrize("digit", range(10))
def test_each_digit_has_at_least_five_shapes(digit: int) -> None:
    names = [shape.name for shape in DIGITS[digit]]
    assert len(set(names)) == len(names) >= 5


def test_hands_of_the_world_are_among_the_shapes() -> None:
    named = {(digit, shape.name) for digit in range(10) for shape in DIGITS[digit]}
    assert {
        (1, "long_flag"),
        (7, "bar"),
        (4, "open"),
        (9, "straight_stem"),
        (0, "slashed"),
        (2, "loop"),
    } <= named


def test_shapes_come_as_often_as_their_weights_say() -> None:
    rng = np.random.default_rng(2)
    drawn = [handwriting.choose_shape(DIGITS[7], rng).name for _ in range(4000)]
    weight = {shape.name: shape.weight for shape in DIGITS[7]}
    for name, value in weight.items():
        assert drawn.count(name) / 4000 == pytest.approx(value / sum(weight.values()), abs=0.03)


def test_a_natural_spline_passes_its_points_and_keeps_straight_lines_straight() -> None:
    knots = np.array([0.0, 1, 2, 3])
    curve = natural_spline(knots, samples=31)
    np.testing.assert_allclose(curve[::10], np.eye(4), atol=1e-12)
    np.testing.assert_allclose(curve @ (2 * knots + 5), np.linspace(5, 11, 31))


def test_a_natural_spline_follows_a_smooth_curve() -> None:
    knots = np.linspace(0, np.pi, 9)
    curve = natural_spline(knots, samples=100)
    np.testing.assert_allclose(curve @ np.sin(knots), np.sin(np.linspace(0, np.pi, 100)), atol=1e-3)


def test_a_steady_hand_writes_the_template() -> None:
    """Without variation a plain 1 is a straight upright line as wide as the pen."""
    plain = DIGITS[1][0]
    lines = handwriting.write(plain, Hand(Pen(0.1)), np.random.default_rng(3))
    mask = handwriting.large_ink(lines, height=100)
    assert mask.shape[0] == pytest.approx(113, abs=4)
    assert np.median((mask > 127).sum(axis=1)) == pytest.approx(10, abs=1)


def test_the_digits_of_a_number_stand_apart_or_touch_as_the_spacing_says() -> None:
    def pieces(spacing: Spacing) -> int:
        lines = handwriting.write_number("111", Hand(Pen(0.06)), np.random.default_rng(4), spacing)
        count, _ = cv2.connectedComponents(handwriting.large_ink(lines, 80))
        return count - 1

    assert pieces(Spacing(0.2, 0.4)) >= 3
    assert pieces(Spacing(-0.3, -0.2)) < 3


def test_letters_are_no_lookalikes_of_digits() -> None:
    assert not set("OoQIlSsZzBGbgqi") & set(LETTERS)
