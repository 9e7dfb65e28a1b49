"""Pictures with no digit in them, seeded: what a reader must abstain from.

Each kind is a function of (size, rng) that gives a picture, uint8 (H, W, 3). Some are drawn as ink and
photographed by our camera, so that they differ from digits in nothing but what is written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning import camera, handwriting, paper
from model.learning.camera import CONDITIONS, Photo
from model.learning.handwriting import Hand, Line, Mask, Pen
from model.learning.paper import GROUNDS, Size
from model.learning.stroke_templates import LETTERS, Points, natural_spline

PAPER_CONDITIONS = (
    "plain",
    "lined",
    "squared",
    "pencil",
    "soft shadow",
    "coloured ink",
    "thick marker",
    "jpeg",
)
"""Under these, what is drawn here is photographed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawing:
    """A finished mask as `Writing`: the pen is already in it."""

    mask: Mask

    def ink(self, height: float, pen_width: float | None) -> Mask:
        """See `Writing.ink`; the pen stays as it is."""
        scale = height / len(self.mask)
        size = max(2, round(self.mask.shape[1] * scale)), max(2, round(height))
        return np.asarray(cv2.resize(self.mask, size, interpolation=cv2.INTER_AREA), np.uint8)


def photographed(mask: Mask, size: Size, rng: np.random.Generator) -> Photo:
    """A finished drawing under one of the conditions of paper."""
    condition = CONDITIONS[PAPER_CONDITIONS[rng.integers(len(PAPER_CONDITIONS))]]
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    ink = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return camera.photograph(_Drawing(ink), condition, rng, size)


def _loose_line(points: Points, rng: np.random.Generator, width: float) -> Line:
    """A smooth line through (K, 2) points."""
    chords = np.linalg.norm(np.diff(points, axis=0), axis=1) + 1e-3
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(chords))])
    path = natural_spline(knots, 20 * len(points)) @ points
    return Line(path.astype(np.float32), np.full(len(path), width * rng.uniform(0.8, 1.2), np.float32))


def scribble_ink(rng: np.random.Generator) -> Mask:
    """A pen that goes to and fro: zigzags, coils or a knot of 9 to 30 turns."""
    count, kind = int(rng.integers(9, 30)), rng.integers(3)
    t = np.linspace(0, 1, count)
    if kind == 0:
        points = np.stack([t * rng.uniform(0.8, 2), (np.arange(count) % 2) * rng.uniform(0.5, 1)], axis=1)
    elif kind == 1:
        angle, radius = t * count, rng.uniform(0.2, 0.5)
        points = np.stack([radius * np.cos(angle) + t * rng.uniform(0.8, 2), radius * np.sin(angle)], axis=1)
    else:
        points = rng.uniform(0, 1, (count, 2)) * (rng.uniform(0.8, 1.6), 1)
    points = points + rng.normal(0, 0.05, points.shape)
    return handwriting.large_ink([_loose_line(points.astype(np.float32), rng, 0.05)], 120)


def letter_ink(rng: np.random.Generator) -> Mask:
    """A single letter or sign that no one takes for a digit."""
    letters = sorted(LETTERS)
    return handwriting.large_ink(_letter(letters[rng.integers(len(letters))], Hand.random(rng), rng), 120)


def _letter(letter: str, hand: Hand, rng: np.random.Generator) -> list[Line]:
    return handwriting.write(LETTERS[letter][0], hand, rng)


def word_ink(rng: np.random.Generator) -> Mask:
    """Four to eight letters beside one another."""
    letters, hand = sorted(LETTERS), Hand.random(rng, Pen(rng.uniform(0.05, 0.1)))
    lines: list[Line] = []
    edge = 0.0
    for _ in range(rng.integers(4, 9)):
        written = _letter(letters[rng.integers(len(letters))], hand, rng)
        left, _, right, _ = handwriting.bounds(written)
        shift = np.array([edge - left, 0.0])
        lines += [Line((line.points + shift).astype(np.float32), line.widths) for line in written]
        edge += right - left + rng.uniform(0.08, 0.25)
    return handwriting.large_ink(lines, 80)


def face_ink(rng: np.random.Generator) -> Mask:
    """A smiley: a circle with eyes and a mouth, sometimes with hair and a nose."""
    mask = np.zeros((160, 160), np.uint8)
    pen = int(rng.integers(3, 8))
    axes = int(rng.integers(50, 70)), int(rng.integers(50, 70))
    cv2.ellipse(mask, (80, 80), axes, rng.uniform(-20, 20), rng.uniform(0, 20), 360, 255, pen, cv2.LINE_AA)
    for side in (-1, 1):
        eye = 80 + side * int(rng.integers(16, 28)), 80 - int(rng.integers(12, 26))
        cv2.circle(mask, eye, int(rng.integers(3, 8)), 255, -1 if rng.random() < 0.5 else 2, cv2.LINE_AA)
    happy = 0 if rng.random() < 0.7 else 180
    mouth = int(rng.integers(22, 36)), int(rng.integers(10, 24))
    cv2.ellipse(mask, (80, 98), mouth, happy, 10, 170, 255, pen, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.line(mask, (80, 74), (76, 92), 255, pen, cv2.LINE_AA)
    for _ in range(rng.integers(0, 8)):
        x = int(rng.integers(50, 110))
        cv2.line(mask, (x, 25), (x + int(rng.integers(-12, 12)), 4), 255, pen, cv2.LINE_AA)
    return mask


def shape_ink(rng: np.random.Generator) -> Mask:
    """A star, house, heart, arrow, triangle, spiral or a filled shape."""
    mask = np.zeros((180, 180), np.uint8)
    pen, kind = int(rng.integers(3, 8)), rng.integers(7)
    turn = rng.uniform(0, 2 * np.pi)
    if kind == 0:  # a five-pointed star in one line
        angles = turn + np.arange(6) * 4 * np.pi / 5
        _polygon(mask, 90 + 70 * np.stack([np.cos(angles), np.sin(angles)], axis=1), pen)
    elif kind == 1:  # a house
        _polygon(mask, np.array([[30, 160], [30, 80], [90, 25], [150, 80], [150, 160], [30, 160]]), pen)
        _polygon(mask, np.array([[75, 160], [75, 110], [105, 110], [105, 160]]), pen)
    elif kind == 2:  # a heart
        t = np.linspace(0, 2 * np.pi, 60)
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        _polygon(mask, 90 + 4.2 * np.stack([16 * np.sin(t) ** 3, -y], axis=1), pen)
    elif kind == 3:  # a long arrow with a double shaft
        _polygon(
            mask,
            np.array([[15, 75], [110, 75], [110, 45], [165, 90], [110, 135], [110, 105], [15, 105]]),
            pen,
        )
    elif kind == 4:  # a spiral
        t = np.linspace(0, rng.uniform(5, 9) * np.pi, 200)
        _polygon(mask, 90 + (t * 70 / t[-1] * np.stack([np.cos(t + turn), np.sin(t + turn)])).T, pen)
    elif kind == 5:  # a filled blob
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        radius = 55 + 14 * np.sin(t * rng.integers(3, 7) + turn)
        outline = 90 + radius[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255, cv2.LINE_AA)
    else:  # a grid, as for noughts and crosses
        for third in (65, 115):
            _polygon(mask, np.array([[third, 15], [third, 165]]) + rng.normal(0, 3, (2, 2)), pen)
            _polygon(mask, np.array([[15, third], [165, third]]) + rng.normal(0, 3, (2, 2)), pen)
    return mask


def _polygon(mask: Mask, points: NDArray[np.float64] | NDArray[np.int64], pen: int) -> None:
    """An open line of ``pen`` pixels through (K, 2) points."""
    cv2.polylines(mask, [np.rint(points * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)


def flower_ink(rng: np.random.Generator) -> Mask:
    """A flower or sun: a circle with five to twelve petals or rays, sometimes with a stem."""
    mask = np.zeros((200, 180), np.uint8)
    pen, petals = int(rng.integers(3, 7)), int(rng.integers(5, 13))
    rays = rng.random() < 0.5
    cv2.circle(mask, (90, 80), 22, 255, pen, cv2.LINE_AA)
    for number in range(petals):
        angle = 2 * np.pi * number / petals
        direction = np.array([np.cos(angle), np.sin(angle)])
        near, far = (90, 80) + 30 * direction, (90, 80) + 62 * direction
        if rays:
            _polygon(mask, np.array([near, far]), pen)
        else:
            middle = np.rint((near + far) / 2).astype(int).tolist()
            cv2.ellipse(mask, middle, (19, 11), np.degrees(angle), 0, 360, 255, pen, cv2.LINE_AA)
    if rng.random() < 0.5:
        _polygon(mask, np.array([[90, 145], [90 + rng.normal(0, 8), 195]]), pen)
    return mask


def doodles_ink(rng: np.random.Generator) -> Mask:
    """Several doodles over one another."""
    mask = np.zeros((200, 260), np.uint8)
    for _ in range(rng.integers(2, 5)):
        drawn = _INKS[rng.integers(len(_INKS))](rng)
        side = rng.uniform(80, 170)
        scale = side / max(drawn.shape)
        small = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = (int(rng.integers(0, mask.shape[i] - small.shape[i] + 1)) for i in (0, 1))
        place = mask[top : top + small.shape[0], left : left + small.shape[1]]
        np.maximum(place, small, out=place)
    return mask


def strokes_ink(rng: np.random.Generator) -> Mask:
    """Four to nine lines, arcs and bows across one another, as a pen is tried out."""
    mask = np.zeros((200, 200), np.uint8)
    pen = int(rng.integers(3, 12))
    for _ in range(rng.integers(4, 10)):
        if rng.random() < 0.6:
            points = rng.uniform(20, 180, (int(rng.integers(2, 5)), 2))
            path = _loose_line(points.astype(np.float32), rng, 1).points if len(points) > 2 else points
            _polygon(mask, np.asarray(path, np.float64), pen)
            continue
        centre, axes = rng.integers(60, 140, 2).tolist(), rng.integers(12, 50, 2).tolist()
        start = rng.uniform(0, 360)
        end = start + rng.uniform(90, 360)
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), start, end, 255, pen, cv2.LINE_AA)
    return mask


def hatching_ink(rng: np.random.Generator) -> Mask:
    """Four to fourteen strokes beside one another, sometimes with as many across them."""
    mask = np.zeros((240, 240), np.uint8)
    pen, count = int(rng.integers(3, 9)), int(rng.integers(4, 15))
    for angle in rng.uniform(0, np.pi) + np.pi / 2 * np.arange(1 if rng.random() < 0.6 else 2):
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        for place in np.linspace(-85, 85, count):
            ends = np.array([-1, 1])[:, None] * rng.uniform(45, 80, (2, 1)) * along
            _polygon(mask, 120 + place * across + ends + rng.normal(0, 3, (2, 2)), pen)
    return mask


def solid_ink(rng: np.random.Generator) -> Mask:
    """A filled figure: round, square, triangular or ragged, sometimes with a bite."""
    mask = np.zeros((200, 200), np.uint8)
    corners = int(rng.choice((3, 4, 5, 6, 9, 40)))
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(corners) / corners
    radius = 70 * (1 - rng.uniform(0, 0.5) * rng.random(corners) * (corners < 40))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]
    cv2.fillPoly(mask, [np.rint(100 + points * (rng.uniform(0.55, 1), 1)).astype(np.int32)], 255, cv2.LINE_AA)
    if rng.random() < 0.5:
        bite = (100 + 65 * np.array([np.cos(angles[0]), np.sin(angles[0])])).astype(int).tolist()
        cv2.circle(mask, bite, int(rng.integers(10, 45)), 0, -1, cv2.LINE_AA)
    return mask


def emblem_ink(rng: np.random.Generator) -> Mask:
    """Simple figures, filled or as outlines, within or beside one another, as in icons and logos."""
    mask = np.zeros((200, 200), np.uint8)
    pen = int(rng.integers(4, 16))
    size, middle = rng.uniform(60, 90), np.array([100.0, 100.0])
    for _ in range(rng.integers(2, 5)):
        corners = int(rng.choice((3, 4, 4, 5, 6, 60, 60)))
        angles = (0.25 if corners == 4 else -0.5) * np.pi + 2 * np.pi * np.arange(corners + 1) / corners
        points = middle + size * np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(0.6, 1, 2)
        if rng.random() < 0.35:
            cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 0 if mask[100, 100] else 255, cv2.LINE_AA)
        else:
            _polygon(mask, points, pen)
        size *= rng.uniform(0.3, 0.7)
        middle = middle + rng.uniform(-0.7, 0.7, 2) * size
    return mask


_INKS: tuple[Callable[[np.random.Generator], Mask], ...] = (
    scribble_ink, face_ink, shape_ink, flower_ink,
)  # fmt: skip


def blank(size: Size, rng: np.random.Generator) -> Photo:
    """A ground with nothing on it, in any light."""
    grounds = sorted(GROUNDS)
    ground = GROUNDS[grounds[rng.integers(len(grounds))]](size, rng, rng.uniform(0.08, 0.4) * min(size))
    y, x = paper.grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    light = rng.uniform(0.4, 1) * (1 + rng.uniform(0, 0.5) * (np.cos(angle) * x + np.sin(angle) * y))
    noise = rng.uniform(0, 8) * paper.fine_noise(size, rng)
    return np.asarray(np.clip(ground * light[..., None] * 255 + noise[..., None], 0, 255), np.uint8)


_WORDS = (
    "hello",
    "there",
    "please",
    "settings",
    "message",
    "not found",
    "today",
    "weather",
    "and the rest",
)


def text(size: Size, rng: np.random.Generator) -> Photo:
    """A screenshot: lines of printed words, light on dark or dark on light."""
    dark = rng.random() < 0.4
    colours = (rng.uniform(0, 60, 3), rng.uniform(200, 255, 3))
    ground, ink = colours if dark else colours[::-1]
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = ground
    scale = rng.uniform(0.35, 0.9)
    for y in range(round(30 * scale) + 4, size[0], round(38 * scale)):
        line = " ".join(_WORDS[i] for i in rng.integers(0, len(_WORDS), rng.integers(2, 8)))
        cv2.putText(picture, line, (8, y), int(rng.choice((0, 2, 3))), scale, ink.tolist(), 1, cv2.LINE_AA)
    return picture


def gradient(size: Size, rng: np.random.Generator) -> Photo:
    """One colour going over into another, straight or round."""
    y, x = paper.grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    share = np.cos(angle) * x + np.sin(angle) * y + 0.5 if rng.random() < 0.5 else 2 * np.hypot(x, y)
    first, second = rng.uniform(0, 255, (2, 3))
    colours = first + np.clip(share, 0, 1)[..., None] * (second - first)
    return np.asarray(np.clip(colours, 0, 255), np.uint8)


def noise(size: Size, rng: np.random.Generator) -> Photo:
    """Noise of one grain or another, grey or coloured."""
    cells = max(8, round(max(size) / rng.uniform(1, 24)))
    channels = [paper.clouds(size, rng, cells) for _ in range(3 if rng.random() < 0.5 else 1)]
    values = (
        rng.uniform(60, 190) + rng.uniform(10, 60) * np.stack(channels * (4 - len(channels)), axis=2)[..., :3]
    )
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def texture(size: Size, rng: np.random.Generator) -> Photo:
    """Wood, cloth or stone: large clouds, streaks and stripes."""
    ground = paper.desk(size, rng, 20.0)
    y, x = paper.grid(size)
    angle, waves = rng.uniform(0, np.pi), rng.uniform(10, 80)
    bend = 0.02 * paper.clouds(size, rng, 5)
    stripes = np.sin(2 * np.pi * waves * (np.cos(angle) * x + np.sin(angle) * y + bend))
    ground *= (1 + rng.uniform(0, 0.25) * stripes)[..., None]
    return np.asarray(np.clip(ground * 255, 0, 255), np.uint8)


def landscape(size: Size, rng: np.random.Generator) -> Photo:
    """Something like a snapshot: a sky, hills and round things of many colours."""
    picture = gradient(size, rng).astype(np.float32)
    _, x = paper.grid(size)
    rows = np.arange(size[0])[:, None]
    for depth in range(3):
        horizon = size[0] * (
            0.4 + 0.2 * depth + 0.05 * np.sin(6 * x * rng.uniform(0.5, 2) + rng.uniform(0, 6))
        )
        picture[rows > horizon] = rng.uniform(20, 200, 3)
    for _ in range(rng.integers(2, 9)):
        centre = (rng.uniform(0, 1, 2) * size[::-1]).astype(int).tolist()
        axes = (rng.uniform(0.03, 0.2, 2) * min(size)).astype(int).tolist()
        cv2.ellipse(picture, centre, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0, 255, 3).tolist(), -1)
    grain = rng.uniform(2, 10) * paper.fine_noise(size, rng)
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2) + grain[..., None], 0, 255), np.uint8)


def leaves(size: Size, rng: np.random.Generator) -> Photo:
    """Figures of all sizes over one another: the dead leaves that look like nature (Lee et al. 2001)."""
    picture = gradient(size, rng)
    longest = max(size)
    colours = rng.uniform(0, 255, (6, 3))
    for radius in longest * np.sort(0.01 / rng.uniform(0.02, 1, int(rng.integers(40, 300))))[::-1]:
        colour = np.clip(colours[rng.integers(6)] + rng.normal(0, 25, 3), 0, 255).tolist()
        centre = (rng.uniform(0, 1, 2) * size[::-1]).astype(int)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 14))))
        points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], colour, cv2.LINE_AA)
    shade = 1 + 0.15 * paper.clouds(size, rng, int(rng.integers(4, 40)))
    grain = rng.uniform(2, 10) * paper.fine_noise(size, rng)
    soft = cv2.GaussianBlur(picture.astype(np.float32) * shade[..., None], (0, 0), rng.uniform(0.6, 3))
    return np.asarray(np.clip(soft + grain[..., None], 0, 255), np.uint8)


def screenshot(size: Size, rng: np.random.Generator) -> Photo:
    """Bars, buttons, round pictures and lines of text, as on a screen."""
    dark = rng.random() < 0.4
    ground, ink = ([28, 26, 24], [235, 235, 235]) if dark else ([246, 246, 248], [40, 40, 45])
    height, width = size
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = ground
    cv2.rectangle(picture, (0, 0), (width, height // 14), rng.uniform(30, 230, 3).tolist(), -1)
    y = height // 9
    while y < 0.9 * height:
        row, colour = int(rng.uniform(0.04, 0.1) * height), rng.uniform(60, 240, 3).tolist()
        kind, left = rng.integers(4), width // 20
        if kind == 0:
            cv2.rectangle(picture, (left, y), (int(rng.uniform(0.4, 0.95) * width), y + row), colour, -1)
        elif kind == 1:
            cv2.circle(picture, (left + row // 2, y + row // 2), row // 2, colour, -1, cv2.LINE_AA)
        elif kind == 2:
            for column in range(4):
                corner = left + column * width // 4
                cv2.rectangle(picture, (corner, y), (corner + width // 6, y + row), ink, 2)
        words = " ".join(_WORDS[i] for i in rng.integers(0, len(_WORDS), rng.integers(1, 5)))
        cv2.putText(picture, words, (left + 2 * row, y + row // 2), 0, row / 60, ink, 1, cv2.LINE_AA)
        y += round(1.3 * row)
    return picture


def chart(size: Size, rng: np.random.Generator) -> Photo:
    """Axes with bars, a line, dots or a pie, without figures."""
    height, width = size
    picture = np.full((*size, 3), rng.choice((255, 245, 30)), np.uint8)
    ink = (255 - picture[0, 0].astype(int)).tolist()
    left, top, right, bottom = width // 8, height // 10, 9 * width // 10, 9 * height // 10
    kind, colour = rng.integers(4), rng.uniform(30, 220, 3).tolist()
    heights = rng.uniform(top, bottom, int(rng.integers(4, 25)))
    columns = np.linspace(left + width // 20, right, len(heights))
    places = np.rint(np.stack([columns, heights], axis=1)).astype(int)
    if kind == 3:
        edges = np.sort(rng.uniform(0, 360, 5))
        for start, end in zip(edges, [*edges[1:], edges[0] + 360], strict=True):
            shade = rng.uniform(30, 220, 3).tolist()
            radius = (min(size) // 3,) * 2
            cv2.ellipse(picture, (width // 2, height // 2), radius, 0, start, end, shade, -1, cv2.LINE_AA)
        return picture
    cv2.polylines(picture, [np.array([[left, top], [left, bottom], [right, bottom]])], False, ink, 2)
    if kind == 0:
        for x, y in places.tolist():
            cv2.rectangle(picture, (x, y), (x + width // 40, bottom), colour, -1)
    elif kind == 1:
        cv2.polylines(picture, [places.astype(np.int32)], False, colour, 3, cv2.LINE_AA)
    else:
        for place in places.tolist():
            cv2.circle(picture, place, width // 80, colour, -1, cv2.LINE_AA)
    return picture


def _drawn(ink: Callable[[np.random.Generator], Mask]) -> Callable[[Size, np.random.Generator], Photo]:
    return lambda size, rng: photographed(ink(rng), size, rng)


INKS: dict[str, Callable[[np.random.Generator], Mask]] = {
    "scribble": scribble_ink,
    "letter": letter_ink,
    "word": word_ink,
    "face": face_ink,
    "shape": shape_ink,
    "flower": flower_ink,
    "doodles": doodles_ink,
    "strokes": strokes_ink,
    "hatching": hatching_ink,
    "solid": solid_ink,
    "emblem": emblem_ink,
}
"""What can be written that is no digit: rng -> mask."""

TAUGHT = ("scribble", "letter", "word", "face", "shape", "flower", "doodles", "strokes", "solid")
"""Those that the judge is trained on; the others show what it makes of what it has never seen."""

PICTURES: dict[str, Callable[[Size, np.random.Generator], Photo]] = {
    picture.__name__: picture
    for picture in (blank, text, gradient, noise, texture, landscape, leaves, screenshot)
}
"""What no pen has made, and the judge is trained on: (size, rng) -> picture."""

KINDS: dict[str, Callable[[Size, np.random.Generator], Photo]] = {
    **{name: _drawn(ink) for name, ink in INKS.items()},
    **PICTURES,
    "chart": chart,
}
"""All pictures without a digit: (size, rng) -> picture."""


def glyphs(count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(count, 28, 28) drawn things that are no digits, fitted as MNIST was: what "not a digit" looks like."""
    names = sorted(TAUGHT)
    made = np.empty((count, 28, 28), np.uint8)
    for index in range(count):
        made[index] = _fitted(INKS[names[index % len(names)]](rng))
    return made


def _fitted(mask: Mask) -> NDArray[np.uint8]:
    """A mask of any size -> (28, 28), its ink in 20 x 20, its centre of mass in the middle."""
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    ink = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = 20 / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    shift = [13.5 - moments[key] / moments["m00"] for key in ("m10", "m01")]
    move = np.array([[1, 0, round(shift[0])], [0, 1, round(shift[1])]], np.float32)
    return np.asarray(cv2.warpAffine(small, move, (28, 28)), np.uint8)
