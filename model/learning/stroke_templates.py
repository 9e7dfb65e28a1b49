"""How people write digits and letters: strokes as points that a pen passes, in the order in which it does.

Notation: a stroke is "x y, x y, ..." in a box of about 70 x 100 units, x to the right, y down; "!" after a
point is a corner, everything else is passed smoothly. A shape is its strokes joined by ";". The digits hold
the variants that hands of the world use and MNIST, which is American, hardly knows: a 1 with a long flag or a
foot, a 7 with a bar or hook, a 4 left open, a 9 with a straight stem, a 5 whose bar is a stroke of its own.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""(K, 2) x and y, in units of a character's height."""


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """One movement of the pen between putting it down and lifting it.

    Attributes:
        points: (K, 2), what the pen passes.
        curve: (M, K), turns those points, or any near them, into a dense smooth line: ``curve @ points``.
    """

    points: Points
    curve: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One way to write a character.

    Attributes:
        name: what is particular about it.
        strokes: in the order in which they are written.
        weight: how often it is drawn, relative to the other shapes of the character.
        aspects: the narrowest and widest that everyone still reads, 1 as it stands here.
        slants: the steepest slants to the left (negative) and right under which everyone still reads it.
        freedom: how much of a hand's untidiness it bears: a 1 soon looks like a 7, a 3 only like a 3.
    """

    name: str
    strokes: tuple[Stroke, ...]
    weight: float
    aspects: tuple[float, float]
    slants: tuple[float, float]
    freedom: float


def natural_spline(knots: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """(samples, K): turns values at K increasing knots into even samples of the natural cubic spline.

    The second derivatives m solve the usual tridiagonal system ``A m = B y`` with m = 0 at both ends.
    """
    count = len(knots)
    step = np.diff(knots)
    second: NDArray[np.float64] = np.zeros((count, count))
    if count > 2:
        inner = np.arange(1, count - 1)
        before, after = step[:-1], step[1:]
        a, b = np.eye(count), np.zeros((count, count))
        a[inner, inner - 1], a[inner, inner], a[inner, inner + 1] = (
            before / 6,
            (before + after) / 3,
            after / 6,
        )
        b[inner, inner - 1], b[inner, inner + 1] = 1 / before, 1 / after
        b[inner, inner] = -1 / before - 1 / after
        second = np.asarray(np.linalg.solve(a, b))
    t = np.linspace(knots[0], knots[-1], samples)
    left = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, count - 2)
    width = step[left]
    share = ((t - knots[left]) / width)[:, None]
    values = np.eye(count)
    bend = (width**2 / 6)[:, None]
    return np.asarray(
        (1 - share) * values[left]
        + share * values[left + 1]
        + bend * ((1 - share) ** 3 - (1 - share)) * second[left]
        + bend * (share**3 - share) * second[left + 1]
    )


def _stroke(text: str) -> Stroke:
    """Parse one stroke; between corners it is a spline with centripetal knots (Lee 1989)."""
    words = [word.strip() for word in text.split(",")]
    points = np.array([[float(number) for number in word.rstrip("!").split()] for word in words]) / 100
    ends = [0, *(i for i, word in enumerate(words) if word.endswith("!")), len(words) - 1]
    pieces = []
    for start, end in pairwise(ends):
        chords = np.linalg.norm(np.diff(points[start : end + 1], axis=0), axis=1)
        knots = np.concatenate([[0], np.cumsum(np.sqrt(chords))])
        samples = max(4, round(chords.sum() * 24))
        piece = np.zeros((samples, len(points)))
        piece[:, start : end + 1] = natural_spline(knots, samples)
        pieces.append(piece)
    return Stroke(points.astype(np.float32), np.concatenate(pieces).astype(np.float32))


def _shapes(
    aspects: tuple[float, float] = (0.65, 1.5),
    slants: tuple[float, float] = (-0.3, 0.5),
    freedom: float = 1.0,
    /,
    **shapes: tuple[float, str],
) -> tuple[Shape, ...]:
    return tuple(
        Shape(name, tuple(_stroke(text) for text in strokes.split(";")), weight, aspects, slants, freedom)
        for name, (weight, strokes) in shapes.items()
    )


DIGITS: tuple[tuple[Shape, ...], ...] = (
    _shapes(
        (0.85, 1.5),
        (-0.3, 0.4),
        round=(3, "44 2, 22 8, 8 34, 8 66, 22 93, 40 98, 60 84, 68 50, 60 16, 40 2, 34 3"),
        narrow=(1.5, "36 1, 20 14, 12 46, 18 84, 32 99, 48 85, 54 50, 48 14, 34 1"),
        open=(1, "54 9, 38 2, 17 18, 8 50, 16 86, 38 98, 60 84, 67 52, 61 24, 49 7"),
        crossing=(1.5, "26 12, 48 5, 63 28, 62 70, 42 97, 20 88, 8 56, 12 24, 28 6, 50 1"),
        clockwise=(1, "36 2, 58 12, 68 46, 58 86, 38 99, 16 86, 7 50, 16 14, 40 2"),
        wide=(0.8, "50 4, 22 8, 2 36, 4 70, 28 95, 58 92, 80 64, 78 30, 54 6, 44 4"),
        slashed=(0.8, "44 2, 22 8, 8 34, 8 66, 22 93, 40 98, 60 84, 68 50, 60 16, 40 2; 66 14, 10 88"),
        long_slash=(0.6, "42 8, 22 14, 11 38, 11 64, 22 88, 40 93, 58 80, 64 50, 57 20, 40 8; 76 -2, 0 102"),
    ),
    _shapes(
        (0.6, 1.15),
        (-0.12, 0.3),
        0.5,
        plain=(2.5, "50 0, 49 50, 48 100"),
        bowed=(1, "52 0, 47 30, 46 66, 50 100"),
        short_flag=(2, "32 20, 50 0!, 50 50, 50 100"),
        flag=(3, "20 32, 51 0!, 50 50, 50 100"),
        long_flag=(2, "14 50, 34 27, 52 0!, 51 50, 51 100"),
        curved_flag=(1, "28 27, 43 19, 52 0!, 51 50, 50 100"),
        flag_and_foot=(1.5, "30 20, 51 0!, 50 100; 24 100, 50 99, 78 100"),
        long_flag_and_foot=(0.8, "16 42, 51 0!, 50 98; 22 98, 78 98"),
        foot=(0.5, "50 0, 50 98; 28 99, 72 98"),
    ),
    _shapes(
        flat=(2, "12 24, 28 4, 54 3, 67 24, 54 52, 10 97!, 40 96, 74 96"),
        loop=(2, "12 20, 32 3, 57 7, 65 28, 52 54, 30 80, 12 92, 8 82, 22 77, 42 90, 60 96, 76 86"),
        small_loop=(1, "14 18, 36 2, 60 12, 60 36, 40 66, 18 92, 10 93, 14 85, 32 89, 54 97, 74 92"),
        wave=(1.5, "12 26, 26 5, 52 2, 67 22, 56 50, 30 78, 8 97!, 30 90, 54 97, 74 93"),
        curled_start=(1, "26 30, 14 26, 20 8, 44 1, 66 16, 62 42, 38 70, 10 96!, 40 94, 74 97"),
        pointed=(0.8, "14 14, 42 2, 64 18, 52 46, 8 95!, 74 95"),
        steep=(0.8, "16 22, 34 2, 54 10, 56 36, 42 66, 16 97!, 40 96, 62 98"),
    ),
    _shapes(
        round=(3, "12 15, 34 1, 57 10, 60 29, 46 44, 28 48!, 52 52, 67 70, 57 92, 32 99, 8 86"),
        smooth=(1, "14 12, 36 1, 58 14, 52 36, 38 46, 52 52, 66 70, 56 92, 32 99, 8 88"),
        flat_top=(1.5, "12 4, 40 4, 66 3!, 34 42!, 58 48, 69 70, 58 93, 32 99, 8 88"),
        loop=(1, "14 14, 38 0, 60 13, 54 36, 36 49, 26 47, 33 42, 54 50, 68 73, 50 97, 22 98, 6 84"),
        curled=(0.7, "24 22, 13 18, 26 2, 52 4, 60 26, 34 46!, 62 56, 66 82, 40 99, 16 93, 8 80, 18 76"),
        narrow=(0.8, "16 10, 36 0, 52 12, 48 34, 28 46!, 48 54, 58 76, 44 96, 20 98, 8 90"),
    ),
    _shapes(
        open=(2.5, "22 4, 15 32, 8 60!, 40 58, 74 57; 54 22, 52 60, 50 100"),
        open_square=(1.5, "14 4, 12 30, 12 54!, 40 54, 72 54; 54 4, 53 50, 52 100"),
        open_round=(1.2, "14 4, 8 34, 16 52, 36 54, 58 44; 62 2, 59 50, 56 100"),
        open_short=(1, "30 2, 20 30, 6 60!, 40 60, 76 60; 48 38, 46 70, 44 100"),
        two_halves=(0.6, "20 8, 12 34, 9 56!, 30 57, 46 57; 58 8, 57 54, 56 100"),
        closed=(1.5, "56 100, 57 50, 58 0!, 32 34, 4 66!, 40 66, 78 66"),
        closed_two=(1.5, "55 2, 30 36, 6 66!, 40 66, 78 65; 57 0, 56 50, 55 100"),
        one_stroke=(0.8, "16 6, 11 30, 14 52, 36 52, 57 40, 63 8!, 60 50, 56 100"),
        far_stem=(0.7, "26 6, 16 34, 8 60!, 44 58, 82 58; 62 34, 60 66, 56 100"),
    ),
    _shapes(
        one_stroke=(2, "66 4, 44 4, 22 5!, 19 24, 15 44!, 38 37, 60 46, 66 68, 54 92, 30 99, 8 90"),
        two_strokes=(2, "22 6, 19 26, 15 45!, 40 38, 62 48, 66 72, 50 95, 26 99, 8 90; 22 5, 46 4, 70 4"),
        detached_bar=(
            1.5,
            "20 8, 18 26, 15 44!, 40 38, 62 48, 66 72, 50 95, 26 99, 8 90; 32 0, 52 -2, 76 -3",
        ),
        rounded=(1, "64 3, 44 6, 26 5!, 19 26, 20 42, 44 43, 63 56, 63 80, 44 98, 20 98, 7 88"),
        angular=(0.8, "62 3, 20 3!, 14 48!, 44 42, 66 60, 60 86, 36 99, 8 94"),
        tall_neck=(0.8, "64 2, 24 3!, 20 30, 18 55!, 40 48, 58 58, 60 80, 44 97, 22 99, 8 92"),
        looped_end=(0.5, "66 4, 24 5!, 16 45!, 42 38, 65 54, 62 84, 36 100, 12 94, 12 84, 22 84"),
    ),
    _shapes(
        (0.65, 1.3),
        (-0.25, 0.45),
        0.9,
        curved=(3, "56 2, 32 20, 13 52, 12 80, 32 99, 54 92, 62 73, 48 56, 28 60, 13 78"),
        straight=(1.5, "50 0, 28 36, 11 72, 20 95, 44 99, 62 82, 54 61, 32 58, 13 74"),
        curled=(1.5, "60 13, 48 2, 26 12, 10 48, 12 82, 32 99, 56 92, 64 72, 50 54, 28 57, 13 72"),
        small_loop=(1, "50 0, 28 24, 13 62, 16 88, 34 99, 52 90, 53 74, 38 67, 23 73, 15 84"),
        big_loop=(1, "50 0, 25 20, 10 52, 10 82, 30 99, 58 93, 67 72, 54 50, 30 51, 11 70"),
        upright=(0.8, "22 0, 16 40, 14 78, 30 98, 52 94, 60 74, 46 58, 26 62, 15 76"),
    ),
    _shapes(
        (0.9, 1.4),
        (-0.25, 0.25),
        0.65,
        plain=(2, "8 5, 38 4, 68 4!, 50 50, 34 100"),
        curved=(1.5, "8 8, 36 5, 67 4!, 48 38, 37 68, 33 100"),
        wavy=(1, "6 12, 22 3, 46 8, 72 2!, 50 46, 36 100"),
        hook=(1, "7 22, 8 5!, 40 5, 72 5!, 54 50, 38 100"),
        short_hook=(0.6, "6 15, 9 4!, 70 6!, 52 50, 40 100"),
        bar=(2.5, "8 5, 38 4, 68 4!, 50 50, 34 100; 24 53, 48 51, 72 49"),
        curved_bar=(1.5, "8 8, 36 5, 67 4!, 48 38, 37 68, 33 100; 20 54, 44 52, 66 48"),
        hook_and_bar=(1.5, "7 22, 8 5!, 40 5, 72 5!, 54 50, 38 100; 26 54, 48 52, 74 48"),
        rounded=(0.8, "4 9, 34 4, 62 7, 67 20, 54 52, 40 100"),
        upright=(0.6, "12 5, 60 5!, 54 50, 50 100"),
    ),
    _shapes(
        (0.8, 1.5),
        one_stroke=(
            3,
            "60 16, 44 2, 20 6, 15 24, 32 42, 54 58, 64 79, 46 98, 20 95, 11 77, 26 57, 52 38, 62 18",
        ),
        crossed_top=(1.5, "68 8, 44 1, 18 12, 20 32, 46 50, 62 74, 50 96, 22 97, 10 78, 26 54, 54 32, 66 4"),
        two_circles=(
            2,
            "38 0, 19 9, 17 31, 36 46, 55 34, 57 11, 36 0; 36 46, 13 58, 10 84, 36 100, 62 87, 62 60, 38 46",
        ),
        slim=(1, "48 10, 36 0, 22 10, 24 30, 38 48, 48 72, 38 98, 20 96, 14 76, 28 50, 46 28, 50 12"),
        from_the_middle=(
            0.8,
            "38 46, 18 32, 22 8, 44 1, 60 16, 52 36, 22 58, 10 82, 32 100, 58 92, 62 70, 38 46",
        ),
        top_heavy=(
            0.6,
            "62 20, 46 1, 18 4, 10 28, 30 48, 52 62, 56 84, 40 98, 22 92, 20 74, 40 54, 64 34, 63 20",
        ),
    ),
    _shapes(
        (0.65, 1.25),
        (-0.15, 0.45),
        0.8,
        straight_stem=(2.5, "64 18, 44 2, 18 9, 10 33, 26 51, 48 45, 64 18!, 64 60, 63 100"),
        curled=(2, "64 20, 44 2, 18 9, 10 33, 27 52, 50 44, 65 18!, 64 60, 48 92, 26 99, 9 89"),
        leaning=(1.5, "62 16, 40 2, 16 12, 12 36, 30 50, 52 40, 63 14!, 54 58, 38 100"),
        two_strokes=(1.5, "62 10, 40 2, 16 14, 14 38, 32 50, 54 42, 63 26; 66 4, 64 50, 62 100"),
        round=(1, "60 28, 48 50, 22 52, 9 32, 20 8, 46 1, 64 22, 63 58, 46 90, 20 99"),
        small_head=(0.8, "60 12, 42 1, 24 10, 24 30, 42 38, 60 24, 61 8!, 60 54, 56 100"),
        hooked=(0.6, "63 16, 42 2, 17 10, 12 34, 30 49, 52 40, 64 14!, 64 64, 60 92, 46 98, 38 90"),
    ),
)  # fmt: skip
"""The shapes of each digit, 0 to 9."""

LETTERS: dict[str, tuple[Shape, ...]] = {
    letter: _shapes(**{letter: (1, strokes)})
    for letter, strokes in {
        "A": "4 100, 34 0!, 66 100; 18 62, 52 62",
        "E": "62 2, 10 2!, 10 100!, 64 100; 10 50, 52 50",
        "F": "62 2, 10 2!, 10 100; 10 48, 50 48",
        "H": "10 0, 10 100; 62 0, 62 100; 10 50, 62 50",
        "K": "10 0, 10 100; 60 0, 12 56!, 64 100",
        "L": "12 0, 10 100!, 62 98",
        "M": "6 100, 14 0!, 42 62!, 70 0!, 78 100",
        "N": "8 100, 10 0!, 60 100!, 62 0",
        "P": "10 100, 10 2!, 44 2, 62 22, 46 48, 12 52",
        "R": "10 100, 10 2!, 44 2, 60 22, 44 46, 12 50!, 64 100",
        "T": "2 2, 72 2; 37 2, 37 100",
        "U": "8 0, 10 66, 24 96, 48 96, 62 66, 64 0",
        "V": "4 0, 34 100!, 66 0",
        "W": "2 0, 20 100!, 42 34!, 62 100!, 84 0",
        "X": "6 0, 64 100; 62 0, 4 100",
        "Y": "4 0, 34 48!, 64 0; 34 48, 34 100",
        "a": "58 40, 34 34, 12 58, 16 90, 40 94, 58 62!, 60 36!, 60 86, 74 98",
        "d": "58 44, 32 40, 12 66, 20 96, 46 92, 60 66!, 62 0!, 62 100",
        "e": "12 66, 60 58, 50 36, 26 38, 10 66, 22 96, 58 88",
        "f": "58 10, 42 0, 32 22, 30 100; 10 42, 54 40",
        "h": "12 0, 12 100; 12 64, 34 42, 54 58, 56 100",
        "k": "12 0, 12 100; 52 44, 14 70!, 56 100",
        "m": "6 100, 8 42!, 8 62, 26 42, 38 58, 38 100; 38 62, 56 42, 70 58, 72 100",
        "n": "10 100, 12 40!, 12 64, 36 40, 54 58, 56 100",
        "w": "2 40, 18 98!, 36 54!, 54 98!, 72 40",
        "x": "8 40, 58 100; 58 40, 6 100",
        "+": "36 20, 36 80; 6 50, 66 50",
        "#": "26 6, 20 94; 54 6, 48 94; 4 34, 74 34; 2 66, 72 66",
        "*": "36 10, 36 74; 8 26, 64 58; 64 26, 8 58",
        "@": "58 40, 36 36, 26 58, 42 68, 58 42!, 58 66, 78 62, 80 30, 48 6, 12 26, 6 66, 38 98, 74 88",
    }.items()
}
"""Letters and signs that no one takes for a digit: none of C, D, I, J, O, S, Z, B, G, l, r, b, g, q, &, ?."""
