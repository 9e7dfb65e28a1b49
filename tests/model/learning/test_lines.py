"""Lines of digits: layout, signs, and what they say they show."""

import numpy as np
import pytest

from model.learning import lines
from model.learning.examples import Examples
from model.learning.lines import LinesWriting, LineWriting, Placed, Style
from model.learning.writing import MnistWriting
from tests.model.vision.pictures import Pixels


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


EVEN = Style(gap=0.3, spread=0, tightest=0.3, sizes=0, jitter=0, slope=0)


def bar() -> MnistWriting:
    """A glyph of 20 x 4 pixels."""
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 12:16] = 255
    return MnistWriting([glyph])


def columns_of(ink: Pixels) -> list[tuple[int, int]]:
    """Where runs of inked columns start and end."""
    inked = np.concatenate([[False], (ink > 127).any(axis=0), [False]])
    edges = np.flatnonzero(inked[1:] != inked[:-1]).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_pieces_stand_beside_one_another_with_their_gaps() -> None:
    line = LineWriting([Placed(bar(), 1, 0, 0), Placed(bar(), 1, 0.5, 0)], slope=0)

    (_, end), (start, _) = columns_of(line.ink(100, None))

    assert start - end == pytest.approx(50, abs=3)


def test_a_line_falls_by_its_slope() -> None:
    line = LineWriting([Placed(bar(), 1, 0, 0), Placed(bar(), 1, 1.0, 0)], slope=0.5)

    ink = line.ink(100, None)

    (first, _), (second, _) = columns_of(ink)
    tops = [int(np.flatnonzero(ink[:, column + 5] > 127)[0]) for column in (first, second)]
    assert tops[1] - tops[0] == pytest.approx(0.5 * (second - first), abs=3)


def test_lines_lie_below_one_another() -> None:
    line = LineWriting([Placed(bar(), 1, 0, 0)], slope=0)

    ink = LinesWriting([line, line], leading=0.5, indents=[0, 0.4]).ink(100, None)

    assert len(ink) == pytest.approx(250, abs=4)
    assert columns_of(ink[:100])[0][0] == pytest.approx(columns_of(ink[-100:])[0][0] - 40, abs=2)


def test_a_line_of_examples_says_what_it_shows(rng: np.random.Generator) -> None:
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 12:16] = 255
    examples = Examples(np.stack([glyph, glyph]), np.array([1, 7], np.uint8))

    line, digits = lines.mnist_line(examples, 5, EVEN, rng)

    assert len(columns_of(line.ink(60, None))) == len(digits) == 5
    assert set(digits) <= {"1", "7"}


def test_signs_and_spaces_stand_between_drawn_digits(rng: np.random.Generator) -> None:
    ink = lines.drawn_line("1.1 1", EVEN, rng).ink(100, 0.08)

    runs = columns_of(ink)
    assert len(runs) == 4
    assert runs[3][0] - runs[2][1] > 2 * (runs[2][0] - runs[1][1]) * 0.9
    dot = ink[:, runs[1][0] : runs[1][1]]
    assert np.flatnonzero(dot.max(axis=1) > 127)[0] > 0.7 * len(ink)


def test_a_punctuated_number_has_digits_and_signs(rng: np.random.Generator) -> None:
    texts = [lines.punctuated(rng) for _ in range(30)]

    characters = set("".join(texts))
    assert characters <= {*"0123456789 ", *lines.SIGNS}
    assert all(sum(character.isdigit() for character in text) >= 4 for text in texts)
