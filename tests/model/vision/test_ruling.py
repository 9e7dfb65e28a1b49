"""Ruled lines as dark as the ink, and the strokes that they cross."""

import numpy as np

from model.vision.ruling import without_rules


def test_level_and_upright_lines_are_taken_out() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[40:43] = mask[150:153] = 1
    mask[:, 100:103] = 1

    left = without_rules(mask)

    assert left.sum() <= 2 * 3 * 3  # where they cross


def test_a_line_that_slopes_is_taken_out() -> None:
    mask = np.zeros((200, 300), np.uint8)
    for column in range(300):
        mask[80 + column // 12 : 83 + column // 12, column] = 1

    assert without_rules(mask).sum() == 0


def test_a_stroke_that_a_line_crosses_stays_whole() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[100:103] = 1
    mask[40:160, 140:152] = 1

    left = without_rules(mask)

    assert left[40:160, 140:152].all()
    assert left.sum() == 120 * 12


def test_strokes_that_do_not_come_in_from_the_border_stay() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[100:103, 60:240] = 1

    np.testing.assert_array_equal(without_rules(mask), mask)


def test_what_is_as_wide_as_a_desk_stays() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[150:] = 1

    np.testing.assert_array_equal(without_rules(mask), mask)
