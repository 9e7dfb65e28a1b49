"""Grounds that people write on, as reflectance: (H, W, 3) float32 in 0..1, red first.

Lengths that belong to the writing (the distance of ruled lines) are given in pixels by the caller, who knows
how large the digits are; everything else is relative to the size of the picture.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Ground = NDArray[np.float32]
"""(H, W, 3), 0..1."""

Size = tuple[int, int]
"""(H, W)."""


def clouds(size: Size, rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    """(H, W) smooth noise with a standard deviation of about 1, ``cells`` cells along the longer side."""
    height, width = size
    cell = max(height, width) / cells
    knots = rng.standard_normal((int(height / cell) + 2, int(width / cell) + 2), dtype=np.float32)
    return np.asarray(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def fine_noise(size: Size, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) independent noise with a standard deviation of 1, from the sum of two uniform bytes."""
    pairs = np.frombuffer(rng.bytes(2 * size[0] * size[1]), np.uint8).reshape(2, *size)
    # The variance of the sum of two bytes is 2 * (256**2 - 1) / 12.
    return np.asarray((pairs[0].astype(np.float32) + pairs[1] - 255) / 104.5, np.float32)


def _uniform(size: Size, colour: NDArray[np.float64] | tuple[float, float, float]) -> Ground:
    ground = np.empty((*size, 3), np.float32)
    ground[:] = colour
    return ground


def _textured(ground: Ground, rng: np.random.Generator, coarse: float, fine: float) -> Ground:
    """The ground with uneven brightness: large clouds and fine grain, both as shares."""
    size = ground.shape[0], ground.shape[1]
    factor = 1 + coarse * clouds(size, rng, 6) + fine * fine_noise(size, rng)
    ground *= factor[..., None]
    return ground


def plain(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """White to cream paper. ``spacing`` has no meaning here."""
    tint = np.array([1.0, rng.uniform(0.97, 1), rng.uniform(0.88, 1)]) * rng.uniform(0.82, 0.96)
    return _textured(_uniform(size, tint), rng, rng.uniform(0, 0.012), rng.uniform(0, 0.012))


def _share(mask: NDArray[Any]) -> NDArray[np.float32]:
    """0..255 -> 0..1."""
    return np.asarray(mask, np.float32) / np.float32(255)


def _ruling(size: Size, spacing: float, upright: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) 0..1: parallel lines with the given spacing and any offset."""
    height, width = size
    lines = np.zeros(size, np.uint8)
    thickness = max(1, round(spacing * rng.uniform(0.015, 0.035)))
    along = width if upright else height
    for position in np.arange(rng.uniform(0, spacing), along, spacing):
        p = round(position * 16)
        start, end = ((p, 0), (p, height * 16)) if upright else ((0, p), (width * 16, p))
        cv2.line(lines, start, end, 255, thickness, cv2.LINE_AA, 4)
    return _share(lines)


def _print(ground: Ground, lines: NDArray[np.float32], colour: tuple[float, ...], strength: float) -> Ground:
    """Colour laid over the ground where ``lines`` are 1."""
    share = np.float32(strength) * lines
    for channel, value in enumerate(colour):
        ground[..., channel] *= 1 - np.float32(1 - value) * share
    return ground


def _ruling_colour(rng: np.random.Generator) -> tuple[float, ...]:
    return ((0.45, 0.6, 0.85), (0.55, 0.55, 0.6), (0.5, 0.75, 0.75), (0.7, 0.55, 0.75))[rng.integers(4)]


def lined(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Ruled paper, sometimes with a red margin."""
    ground = plain(size, rng, spacing)
    _print(ground, _ruling(size, spacing, False, rng), _ruling_colour(rng), rng.uniform(0.5, 0.95))
    if rng.random() < 0.3:
        margin = np.zeros(size, np.float32)
        column = int(rng.uniform(0.03, 0.12) * size[1])
        margin[:, column : column + max(1, round(spacing * 0.03))] = 1
        _print(ground, margin, (0.9, 0.45, 0.45), 0.8)
    return ground


def squared(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Squared paper; its squares are half as large as the lines of ruled paper are apart."""
    ground = plain(size, rng, spacing)
    colour, strength = _ruling_colour(rng), rng.uniform(0.4, 0.9)
    grid = np.maximum(_ruling(size, spacing / 2, False, rng), _ruling(size, spacing / 2, True, rng))
    return _print(ground, grid, colour, strength)


def dark_lined(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Ruled paper whose lines are as dark as ink."""
    return _darkly_ruled(_ruling(size, spacing, False, rng), rng, spacing)


def dark_squared(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Squared paper whose lines are as dark as ink."""
    level, upright = (_ruling(size, 0.6 * spacing, way, rng) for way in (False, True))
    return _darkly_ruled(np.maximum(level, upright), rng, spacing)


def _darkly_ruled(lines: NDArray[np.float32], rng: np.random.Generator, spacing: float) -> Ground:
    ground = plain((lines.shape[0], lines.shape[1]), rng, spacing)
    colour = ((0.1, 0.12, 0.42), (0.12, 0.12, 0.14), (0.5, 0.15, 0.15))[rng.integers(3)]
    return _print(ground, lines, colour, rng.uniform(0.85, 1))


def crumpled(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Paper that was folded and crushed: facets of different brightness that meet at creases."""
    ground = plain(size, rng, spacing)
    low = (size[0] + 1) // 2, (size[1] + 1) // 2
    y, x = grid(low)
    relief = np.ones(low, np.float32)
    for _ in range(rng.integers(5, 11)):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        distance = np.cos(angle) * x + np.sin(angle) * y - offset
        relief += rng.normal(0, 0.035) * np.tanh(distance / rng.uniform(0.004, 0.05))
        relief -= rng.uniform(0, 0.05) * np.exp(-((distance / 0.006) ** 2))
    ground *= cv2.resize(relief, size[::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    return ground


def grid(size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows (H, 1) and columns (1, W) from -0.5 to 0.5 of the longer side."""
    longer = max(size)
    y = (np.arange(size[0], dtype=np.float32)[:, None] - size[0] / 2) / longer
    x = (np.arange(size[1], dtype=np.float32)[None, :] - size[1] / 2) / longer
    return np.asarray(y, np.float32), np.asarray(x, np.float32)


def whiteboard(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """A glossy board with the shadows of what was wiped off."""
    tint = np.array([rng.uniform(0.93, 1), rng.uniform(0.96, 1), 1.0]) * rng.uniform(0.75, 0.92)
    ground = _textured(_uniform(size, tint), rng, 0.015, 0.004)
    smears = np.zeros(size, np.uint8)
    for _ in range(rng.integers(0, 6)):
        start = rng.uniform(0, 1, 2) * size[::-1]
        end = start + rng.normal(0, 0.25, 2) * max(size)
        cv2.line(smears, start.astype(int).tolist(), end.astype(int).tolist(), 255, max(3, int(spacing / 4)))
    soft = _share(cv2.blur(smears, (int(spacing / 4) + 3,) * 2))
    return _print(ground, soft, (0.86, 0.88, 0.92), rng.uniform(0.2, 0.8))


def blackboard(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """A dark green or black board with chalk dust."""
    tint = ((0.1, 0.24, 0.18), (0.12, 0.12, 0.13), (0.16, 0.27, 0.22))[rng.integers(3)]
    ground = _uniform(size, np.array(tint) * rng.uniform(0.8, 1.4))
    dust = np.clip(0.04 + 0.03 * clouds(size, rng, 8), 0, 1) * rng.uniform(0.2, 1.6)
    ground += dust[..., None]
    return _textured(ground, rng, 0.02, 0.02)


def coloured(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Coloured paper, packing paper or a yellow note."""
    colours = (
        (1, 0.93, 0.5),
        (1, 0.75, 0.8),
        (0.7, 0.9, 0.7),
        (0.65, 0.83, 1),
        (0.78, 0.64, 0.47),
        (1, 0.75, 0.45),
    )
    tint = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.8, 0.97)
    return _textured(_uniform(size, tint), rng, 0.01, rng.uniform(0, 0.03))


_WORDS = (
    "the paper of today",
    "and what was said",
    "in the town hall",
    "prices rise again",
    "weather: some rain",
)


def newspaper(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Thin paper through which the print of the other side shows, mirrored."""
    ground = plain(size, rng, spacing)
    text = np.zeros(size, np.uint8)
    letters = max(5.0, spacing * rng.uniform(0.16, 0.25))  # height of the letters
    for row in np.arange(letters * 2, size[0] + letters, letters * 1.9):
        words = "  ".join(_WORDS[i] for i in rng.integers(0, len(_WORDS), 12))
        place = int(-rng.uniform(0, 20) * letters), int(row)
        cv2.putText(text, words, place, cv2.FONT_HERSHEY_COMPLEX, letters / 22, 255, 1, cv2.LINE_AA)
    shown = _share(cv2.GaussianBlur(text[:, ::-1], (0, 0), max(0.6, letters / 12)))
    return _print(ground, shown, (0.55, 0.55, 0.55), rng.uniform(0.15, 0.4))


def desk(size: Size, rng: np.random.Generator, spacing: float) -> Ground:
    """Wood, cloth or stone under the page, darker than it."""
    colours = ((0.55, 0.38, 0.22), (0.35, 0.24, 0.16), (0.3, 0.32, 0.35), (0.2, 0.25, 0.3), (0.5, 0.48, 0.44))
    ground = _uniform(size, np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.7, 1.2))
    grain = clouds((size[0], max(2, size[1] // 12)), rng, 30)
    streaks = cv2.resize(grain, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    ground *= (1 + 0.06 * streaks)[..., None]
    return _textured(ground, rng, 0.04, 0.02)


GROUNDS: dict[str, Callable[[Size, np.random.Generator, float], Ground]] = {
    ground.__name__: ground
    for ground in (
        plain,
        lined,
        squared,
        dark_lined,
        dark_squared,
        crumpled,
        whiteboard,
        blackboard,
        coloured,
        newspaper,
    )
}
"""What can be written on: (size, rng, distance of ruled lines in pixels) -> ground."""
