"""Digits written by code: stroke templates, each hand and each time a little different.

A `Hand` is what stays the same within a number (slant, proportions, steadiness, pen); control points, sizes
and baselines vary from digit to digit. Lines are drawn antialiased, with subpixel positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.learning.stroke_templates import DIGITS, Points, Shape

Mask = NDArray[np.uint8]
"""(H, W), ink 255 on 0, edges antialiased."""

SUPERSAMPLING = 4
BOLDEST = 0.18  # width of a line at which the loops of a digit of normal proportions are still open
SUBPIXEL_BITS = 4  # OpenCV takes coordinates in 1/16 pixel


@dataclass(frozen=True, slots=True)
class Pen:
    """What the line looks like.

    Attributes:
        width: of the line, in heights of a digit.
        pressure: how much the width follows pressure, 0 (ballpoint) .. 1 (brush).
        nib: how much the width depends on direction, 0 (round) .. 1 (chisel marker).
        angle: direction in which a chisel nib draws its thinnest line, in radians.
    """

    width: float
    pressure: float = 0.0
    nib: float = 0.0
    angle: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """A ballpoint or pencil, fibre pen, marker, brush or chisel nib; up to a fifth of the height wide."""
        kind = rng.choice(5, p=(0.34, 0.3, 0.2, 0.1, 0.06))
        angle = rng.uniform(-np.pi / 2, np.pi / 2)
        if kind == 0:
            return cls(rng.uniform(0.03, 0.08), pressure=rng.uniform(0, 0.15))
        if kind == 1:
            return cls(rng.uniform(0.06, 0.12), pressure=rng.uniform(0, 0.25))
        if kind == 2:
            return cls(rng.uniform(0.11, 0.19), pressure=rng.uniform(0, 0.15))
        if kind == 3:
            return cls(rng.uniform(0.08, 0.16), pressure=rng.uniform(0.4, 0.9))
        return cls(rng.uniform(0.08, 0.15), nib=rng.uniform(0.3, 0.7), angle=angle)


@dataclass(frozen=True, slots=True)
class Hand:
    """What stays the same while one person writes one number.

    Attributes:
        pen: what is written with.
        slant: horizontal shift per height, positive to the right at the top.
        rotation: of the baseline, in radians.
        aspect: width of the digits, 1 as the templates have it.
        variation: standard deviation of control points around the template, in heights.
        slack: the same for where strokes start and end, so that loops stay open and bars miss their stems.
        bend: standard deviation of a smooth distortion of the whole digit, in heights.
        tremor: standard deviation of the line's unsteadiness, in heights.
    """

    pen: Pen
    slant: float = 0.0
    rotation: float = 0.0
    aspect: float = 1.0
    variation: float = 0.0
    slack: float = 0.0
    bend: float = 0.0
    tremor: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator, pen: Pen | None = None) -> Self:
        """A hand as one meets it; most are tidy, some are not."""
        untidiness = rng.beta(1.5, 2.0)
        return cls(
            pen=pen if pen is not None else Pen.random(rng),
            slant=float(rng.normal(0.08, 0.24)),
            rotation=float(np.clip(rng.normal(0, 0.1), -0.22, 0.22)),
            aspect=float(np.exp(rng.normal(0, 0.24))),
            variation=0.008 + 0.028 * untidiness,
            slack=0.01 + 0.05 * untidiness,
            bend=0.015 + 0.065 * untidiness,
            tremor=float(rng.choice((0.0, 0.002, 0.006), p=(0.5, 0.35, 0.15))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One stroke as the pen left it: (M, 2) points and the M widths there, both in heights of a digit."""

    points: Points
    widths: NDArray[np.float32]


def choose_shape(shapes: Sequence[Shape], rng: np.random.Generator) -> Shape:
    """One of the shapes, with probability proportional to its weight."""
    weights = np.array([shape.weight for shape in shapes])
    return shapes[int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum(), side="right"))]


def write(shape: Shape, hand: Hand, rng: np.random.Generator) -> list[Line]:
    """A shape as this hand writes it this time."""
    distortion = rng.normal(0, hand.bend * shape.freedom, (5, 2))
    aspect = float(np.clip(hand.aspect * np.exp(rng.normal(0, 0.06)), *shape.aspects))
    matrix = _matrix(aspect, shape, hand, rng)
    pen = replace(hand.pen, width=min(hand.pen.width, BOLDEST * aspect))
    lines = []
    for stroke in shape.strokes:
        points = stroke.points + rng.normal(0, hand.variation * shape.freedom, stroke.points.shape)
        points[[0, -1]] += rng.normal(0, hand.slack * shape.freedom, (2, 2))
        points = points + _bent(points, distortion)
        path = (stroke.curve @ points - (0.35, 0.5)) @ matrix.T
        if hand.tremor:
            path = path + _smooth_noise(len(path), hand.tremor, rng)
        lines.append(Line(path.astype(np.float32), _widths(path, pen, rng)))
    return lines


def _matrix(aspect: float, shape: Shape, hand: Hand, rng: np.random.Generator) -> NDArray[np.float64]:
    """(2, 2): aspect, slant and rotation of the hand, each a little different for each digit, and legible."""
    slant = np.clip(hand.slant + rng.normal(0, 0.04), *shape.slants)
    angle = shape.freedom * (hand.rotation + rng.normal(0, 0.04))
    sine, cosine = np.sin(angle), np.cos(angle)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return np.asarray(rotation @ np.array([[aspect, -slant], [0, 1]]))


def _bent(points: NDArray[np.float64], distortion: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, 2) displacements of a smooth field: a polynomial of degree 2 with the given coefficients."""
    x, y = 2 * points[:, 0] - 0.7, 2 * points[:, 1] - 1  # about -1..1
    basis = np.stack([x, y, x * y, x * x - 0.5, y * y - 0.5], axis=1)
    return np.asarray(basis @ distortion)


def _smooth_noise(count: int, deviation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 2) noise whose neighbours are alike, so that a line trembles and does not fray."""
    noise = rng.normal(0, deviation * 1.5, (count + 4, 2))
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    return np.stack([np.convolve(noise[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def _widths(path: NDArray[np.float64], pen: Pen, rng: np.random.Generator) -> NDArray[np.float32]:
    """(M,) widths along a path: pressure swells and fades, a chisel nib depends on the direction."""
    share = np.linspace(0, 1, len(path))
    phase, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.5)
    fading = np.minimum(1, 0.35 + 4 * (1 - share))  # a brush leaves the paper gradually
    pressed = (0.75 + 0.35 * np.sin(2 * np.pi * waves * share + phase)) * fading
    widths = pen.width * (1 + pen.pressure * (pressed - 1))
    if pen.nib:
        direction = np.arctan2(*np.gradient(path, axis=0).T[::-1])
        widths = widths * (1 - pen.nib * np.abs(np.cos(direction - pen.angle)))
    return np.asarray(widths, np.float32)


def bounds(lines: Sequence[Line]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the ink, in heights."""
    points = np.concatenate([line.points for line in lines])
    half = np.concatenate([line.widths for line in lines])[:, None] / 2
    left, top = (points - half).min(axis=0)
    right, bottom = (points + half).max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def ink(lines: Sequence[Line], scale: float, origin: tuple[float, float], size: tuple[int, int]) -> Mask:
    """Draw lines into a mask of ``size`` (H, W).

    Args:
        lines: what to draw.
        scale: pixels per height.
        origin: x and y, in pixels of the mask, of the lines' (0, 0).
        size: of the mask.
    """
    mask = np.zeros(size, np.uint8)
    for line in lines:
        path = np.rint((line.points * scale + np.asarray(origin) - 0.5) * (1 << SUBPIXEL_BITS)).astype(
            np.int32
        )
        widths = np.maximum(1, np.rint(line.widths * scale)).astype(int)
        if widths.min() == widths.max():
            cv2.polylines(mask, [path], False, 255, int(widths[0]), cv2.LINE_AA, SUBPIXEL_BITS)
            continue
        for start, end, width in zip(path[:-1].tolist(), path[1:].tolist(), widths.tolist(), strict=False):
            cv2.line(mask, start, end, 255, width, cv2.LINE_AA, SUBPIXEL_BITS)
    return mask


def mnist_glyph(lines: Sequence[Line]) -> NDArray[np.uint8]:
    """(28, 28) as MNIST was made: ink fitted into 20 x 20, its centre of mass in the middle, ink bright."""
    left, top, right, bottom = bounds(lines)
    scale = 20 * SUPERSAMPLING / max(right - left, bottom - top)
    side = 28 * SUPERSAMPLING
    origin = side / 2 - scale * (left + right) / 2, side / 2 - scale * (top + bottom) / 2
    mask = ink(lines, scale, origin, (side, side))
    moments = cv2.moments(mask)
    shift = [side / 2 - 0.5 - moments[key] / moments["m00"] for key in ("m10", "m01")]
    centred = cv2.warpAffine(
        mask, np.array([[1, 0, round(shift[0])], [0, 1, round(shift[1])]], np.float32), (side, side)
    )
    return np.asarray(cv2.resize(centred, (28, 28), interpolation=cv2.INTER_AREA), np.uint8)


def draw(labels: Sequence[int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(N, 28, 28) glyphs of the given digits, each by another hand, as MNIST was made."""
    glyphs = np.empty((len(labels), 28, 28), np.uint8)
    for index, label in enumerate(labels):
        glyphs[index] = mnist_glyph(write(choose_shape(DIGITS[label], rng), Hand.random(rng), rng))
    return glyphs


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far apart the digits of a number are, in heights; negative gaps touch or overlap."""

    smallest: float = 0.06
    largest: float = 0.35


def write_number(
    digits: str, hand: Hand, rng: np.random.Generator, spacing: Spacing = Spacing()
) -> list[Line]:
    """The digits beside one another, by one hand that keeps to one shape for each digit."""
    shapes = {digit: choose_shape(DIGITS[int(digit)], rng) for digit in sorted(set(digits))}
    written: list[Line] = []
    edge, gap = 0.0, rng.uniform(spacing.smallest, spacing.largest)
    for digit in digits:
        lines = write(shapes[digit], hand, rng)
        size = np.exp(rng.normal(0, 0.05))
        left, _, right, _ = bounds(lines)
        shift = np.array([edge - left * size, rng.normal(0, 0.03)])
        written += [Line((line.points * size + shift).astype(np.float32), line.widths) for line in lines]
        edge += (right - left) * size + np.clip(gap + rng.normal(0, 0.05), spacing.smallest, spacing.largest)
    return written


def large_ink(lines: Sequence[Line], height: float) -> Mask:
    """A mask as large as the ink and one pixel around it; ``height`` is in pixels per height of a digit."""
    left, top, right, bottom = bounds(lines)
    size = int(np.ceil((bottom - top) * height)) + 3, int(np.ceil((right - left) * height)) + 3
    return ink(lines, height, (1.5 - left * height, 1.5 - top * height), size)


def examples(count: int, rng: np.random.Generator) -> Examples:
    """So many drawn glyphs: the digits 0 to 9 in turn, each by another hand."""
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    return Examples(draw(labels.tolist(), rng), labels)
