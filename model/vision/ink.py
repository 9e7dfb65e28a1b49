"""What in a picture is ink: local ground, polarity, contrast and threshold, all from the picture itself."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_SMALL = 160
"""Longest side, in pixels, at which ground and polarity are estimated."""
TINY = 64
"""Pictures with a shorter side below this many pixels are cropped to a digit and evenly lit."""
_STROKE_SHARE, _STROKE_SHARE_OF_TINY = 0.28, 0.6
"""The widest stroke that is ink, as a part of the picture's shorter side; wider dark areas are ground."""
_WINDOW_SHARE_OF_TINY = 0.75
"""The window of the local median that their polarity is judged by, as a part of the shorter side."""
WIDE = 0.12
"""What is wider, as a part of the picture's shorter side, may be a marker, or desk, finger, shadow."""
_LEAST_CONTRAST = 0.05
"""Ink differs from its ground by at least this part of the full range."""
_CLEARER = 1.6
"""A colour channel is taken where ink stands out this many times more than in luminance."""
_WEAK_SHARE = 0.5
"""Ink beside strong ink may have this part of its threshold."""
_REACH = 0.008
"""How far from strong ink weak ink is looked for, as a part of the picture's longer side."""
_FADED = 0.2
"""From this share on, relative to strong ink, weak ink between it is the middle of wide strokes."""
_MOST_NOISE = 0.19
"""With more, as a part of the full range, nothing could stand out of it."""
_PLENTY = 100_000
"""Pixels, of which every fourth is enough for a histogram."""
_DARKEST_GROUND = 40
"""Grounds darker than this (0..255) divide as if they were this light, lest their noise is blown up."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """The ink of a picture.

    Attributes:
        strength: uint8 (h, w), how much darker than its ground each pixel is, 0..255 of the ground (for light
            ink: of the negative).
        mask: uint8 (h, w), 1 where there is ink.
        level: strength of the middle of strokes.
        noise: standard deviation of the strength of bare ground.
        light_on_dark: the ink is lighter than its ground.
    """

    strength: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    level: int
    noise: float
    light_on_dark: bool


def find_ink(pixels: NDArray[np.uint8]) -> Ink:
    """The ink of uint8 (h, w), or of (h, w, 3) in red, green and blue."""
    small = _smoothed(_small(pixels))
    grey, small = _clearest(pixels, small)
    light_on_dark = _is_light_on_dark(small)
    if light_on_dark:
        grey, small = 255 - grey, 255 - small
    strength = _strength(grey, small)
    histogram = _histogram(strength)
    noise = _noise(histogram)
    floor = int(max(_LEAST_CONTRAST * 255, 4 * noise)) + 1
    threshold = _otsu(histogram, floor)
    level = _median(histogram, threshold)
    weakest = max(floor, round(_WEAK_SHARE * threshold))
    mask = _mask(strength, threshold, weakest)
    _fill(strength, mask, weakest, level)
    return Ink(strength, mask, level, noise, light_on_dark)


def _clearest(
    pixels: NDArray[np.uint8], small: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both as (h, w) in which ink stands out best: luminance, or a colour channel that is much clearer."""
    if pixels.ndim == 2:
        return pixels, small
    luminance = _luminance(small)
    *channels, plain = _spreads(np.dstack([small, luminance])[::2, ::2])
    best = int(np.argmax(channels))
    if channels[best] > _CLEARER * plain:
        return np.ascontiguousarray(pixels[..., best]), np.ascontiguousarray(small[..., best])
    return _luminance(pixels), luminance


def _luminance(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _spreads(channels: NDArray[np.uint8]) -> list[float]:
    """How far the pixels of each channel (h, w, C) that stand out most are from their ground."""
    channels = np.ascontiguousarray(channels)
    away = np.maximum(
        _ground(channels, cv2.MORPH_CLOSE) - channels, channels - _ground(channels, cv2.MORPH_OPEN)
    )
    away = away.reshape(-1, channels.shape[2])
    place = int(0.995 * (len(away) - 1))
    return [float(spread) for spread in np.partition(away, place, axis=0)[place]]


def _mask(strength: NDArray[np.uint8], threshold: int, weakest: int) -> NDArray[np.uint8]:
    """(h, w), 1 where there is ink: strong, or weak beside strong, lest strokes break."""
    strong = (strength >= threshold).view(np.uint8)
    reach = 2 * max(2, round(_REACH * max(strong.shape))) + 1
    near = cv2.dilate(strong, np.ones((reach, reach), np.uint8))
    weak = (strength >= weakest).view(np.uint8)
    return np.asarray(cv2.bitwise_and(weak, near), np.uint8)


def _fill(strength: NDArray[np.uint8], mask: NDArray[np.uint8], weakest: int, level: int) -> None:
    """Make wide strokes whole whose middle is weaker than their edges, as markers leave them; in place."""
    left, top, width, height = cv2.boundingRect(mask)
    inside = slice(top, top + height), slice(left, left + width)
    weak = (strength[inside] >= weakest).view(np.uint8) & ~mask[inside]
    least = _FADED * cv2.countNonZero(mask)
    if cv2.countNonZero(weak) <= least:
        return
    side = 2 * round(WIDE / 2 * min(mask.shape)) + 1
    between = cv2.morphologyEx(mask[inside], cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    middles = weak & np.asarray(between, np.uint8)
    if cv2.countNonZero(middles) <= least:
        return
    mask[inside] |= middles
    whole = cv2.erode(mask[inside], np.ones((3, 3), np.uint8))
    strength[inside] = np.where(whole > 0, np.maximum(strength[inside], np.uint8(level)), strength[inside])


def _is_light_on_dark(small: NDArray[np.uint8]) -> bool:
    """Whether the ink is lighter than its ground; the negative gives the opposite answer.

    Closing takes dark ink away and leaves a plain ground, opening takes light ink away; the wrong one of both
    makes blobs of the ink. So what leaves less of the picture is right. A tiny picture has no room for them;
    there the ink is the minority that differs from the local median, by the sign of the third moment.
    """
    if min(small.shape) < TINY:
        side = max(3, int(min(small.shape) * _WINDOW_SHARE_OF_TINY) | 1)
        difference = small.astype(np.float32) - cv2.medianBlur(small, side).astype(np.float32)
        return float((difference**3).sum()) > 0
    return _variation(_ground(small, cv2.MORPH_OPEN)) < _variation(_ground(small, cv2.MORPH_CLOSE))


def _variation(ground: NDArray[np.uint8]) -> float:
    """Sum of the differences of neighbours in (h, w)."""
    down, across = cv2.absdiff(ground[1:], ground[:-1]), cv2.absdiff(ground[:, 1:], ground[:, :-1])
    return float(cv2.sumElems(down)[0] + cv2.sumElems(across)[0])


def _ground(small: NDArray[np.uint8], operation: int) -> NDArray[np.uint8]:
    """Without what is narrower than the widest stroke: dark things if closed, light ones if opened."""
    shorter = min(small.shape[:2])
    share = _STROKE_SHARE if shorter >= TINY else _STROKE_SHARE_OF_TINY
    side = max(3, int(shorter * share) | 1)
    return np.asarray(cv2.morphologyEx(small, operation, np.ones((side, side), np.uint8)), np.uint8)


def border_contact(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """How many pixels of the border of (h, w) each of ``count`` labels has."""
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(border, minlength=count)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at the size for estimates."""
    height, width = pixels.shape[:2]
    factor = _SMALL / max(height, width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _smoothed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without single pixels that differ."""
    return np.asarray(cv2.medianBlur(pixels, 3), np.uint8)


def _strength(paper: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark ink on lighter paper (h, w) -> how much darker than that paper, 0..255 of its lightness."""
    ground = _ground(small, cv2.MORPH_CLOSE)
    if min(small.shape) >= TINY:  # enlarged below, a step of the ground must not reach over the darker side
        ground = np.asarray(cv2.erode(ground, np.ones((3, 3), np.uint8)), np.uint8)
    enlarged = np.asarray(cv2.resize(ground, paper.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    darker = cv2.subtract(enlarged, paper)
    return np.asarray(cv2.divide(darker, np.maximum(enlarged, _DARKEST_GROUND), scale=255), np.uint8)


def _histogram(strength: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Counts (256,) of the values; of a quarter of the pixels where there are plenty."""
    if strength.size > _PLENTY:
        strength = np.ascontiguousarray(strength[::2, ::2])
    return cv2.calcHist([strength], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def _noise(histogram: NDArray[np.int64]) -> float:
    """Standard deviation of the ground's strength, and a part of its median (the bias of the closing).

    The ground is what is usual, unless a digit fills the picture.
    """
    noise = _deviation(histogram)
    if noise <= _MOST_NOISE * 255:
        return noise
    return _deviation(np.where(np.arange(256) < _otsu(histogram, 0), histogram, 0))


def _deviation(histogram: NDArray[np.int64]) -> float:
    median = _median(histogram, 0)
    deviations = np.zeros(256, np.int64)
    np.add.at(deviations, np.abs(np.arange(256) - median), histogram)
    return 1.4826 * _median(deviations, 0) + median / 4


def _median(histogram: NDArray[np.int64], start: int) -> int:
    """The median of the values from ``start`` on."""
    cumulative = np.cumsum(histogram[start:])
    return start + int(np.searchsorted(cumulative, cumulative[-1] / 2))


def _otsu(histogram: NDArray[np.int64], start: int) -> int:
    """The threshold among the values from ``start`` on that best separates two classes (Otsu 1979)."""
    counts = histogram[start:].astype(np.float64)
    if counts.sum() == 0:
        return 255
    values = np.arange(start, 256)
    weight = np.cumsum(counts)
    mass = np.cumsum(counts * values)
    rest = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * weight - mass * weight[-1]) ** 2 / (weight * rest)
    between[~np.isfinite(between)] = 0
    return int(values[int(np.argmax(between))]) + 1 if between.any() else start
