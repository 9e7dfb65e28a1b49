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
"""What is wider, as a part of the picture's shorter side, may be a thick marker, or desk, finger or shadow."""
_LEAST_CONTRAST = 0.05
"""Ink differs from its ground by at least this part of the full range."""
_WEAK_SHARE = 0.5
"""Ink beside strong ink may have this part of its threshold."""
_REACH = 0.008
"""How far from strong ink weak ink is looked for, as a part of the picture's longer side."""
_DARKEST_GROUND = 40
"""Grounds darker than this (0..255) divide as if they were this light, lest their noise is blown up."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """The ink of a picture.

    Attributes:
        strength: uint8 (h, w), how much darker than its ground each pixel is, 0..255 of the ground (for light
            ink: of the negative).
        threshold: strength from which on a pixel is ink.
        weakest: strength from which on a pixel beside ink is ink.
        level: strength of the middle of strokes.
        noise: standard deviation of the strength of bare ground.
        light_on_dark: the ink is lighter than its ground.
    """

    strength: NDArray[np.uint8]
    threshold: int
    weakest: int
    level: int
    noise: float
    light_on_dark: bool

    @property
    def mask(self) -> NDArray[np.uint8]:
        """uint8 (h, w), 1 where there is ink: strong, or weak beside strong, lest strokes break."""
        strong = (self.strength >= self.threshold).view(np.uint8)
        reach = 2 * max(2, round(_REACH * max(strong.shape))) + 1
        near = cv2.dilate(strong, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach)))
        return ((self.strength >= self.weakest) & (near > 0)).view(np.uint8)


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (h, w) or (h, w, 3) -> the (h, w) in which ink stands out best: luminance or a colour channel."""
    if pixels.ndim == 2:
        return pixels
    small = _small(pixels)
    luminance = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    best = max(range(3), key=lambda channel: _spread(small[..., channel]))
    if _spread(small[..., best]) > 1.6 * _spread(luminance):
        return np.ascontiguousarray(pixels[..., best])
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def find_ink(grey: NDArray[np.uint8]) -> Ink:
    """uint8 (h, w) -> its ink."""
    light_on_dark = is_light_on_dark(grey)
    paper = cv2.bitwise_not(grey) if light_on_dark else grey
    strength = _strength(paper)
    histogram = np.bincount(strength.ravel(), minlength=256)
    noise = _noise(histogram)
    floor = int(max(_LEAST_CONTRAST * 255, 4 * noise)) + 1
    threshold = _otsu(histogram, floor)
    level = _median(histogram, threshold)
    weakest = max(floor, round(_WEAK_SHARE * threshold))
    return Ink(strength, threshold, weakest, level, noise, light_on_dark)


def is_light_on_dark(grey: NDArray[np.uint8]) -> bool:
    """Whether the ink is lighter than its ground; the negative gives the opposite answer.

    Closing takes dark ink away and leaves a plain ground, opening takes light ink away; the wrong one of both
    makes blobs of the ink. So what leaves less of the picture is right. A tiny picture has no room for them;
    there the ink is the minority that differs from the local median, by the sign of the third moment.
    """
    small = _small(grey)
    if min(small.shape) < TINY:
        side = max(3, int(min(small.shape) * _WINDOW_SHARE_OF_TINY) | 1)
        difference = small.astype(np.float32) - cv2.medianBlur(small, side).astype(np.float32)
        return float((difference**3).sum()) > 0
    smooth = cv2.medianBlur(small, 3)
    return _variation(_ground(smooth, cv2.MORPH_OPEN)) < _variation(_ground(smooth, cv2.MORPH_CLOSE))


def _variation(ground: NDArray[np.uint8]) -> int:
    """Sum of the differences of neighbours in (h, w)."""
    signed = ground.astype(np.int16)
    return int(np.abs(np.diff(signed, axis=0)).sum()) + int(np.abs(np.diff(signed, axis=1)).sum())


def _ground(small: NDArray[np.uint8], operation: int) -> NDArray[np.uint8]:
    """(h, w) without what is narrower than the widest stroke: dark things if closed, light ones if opened."""
    share = _STROKE_SHARE if min(small.shape) >= TINY else _STROKE_SHARE_OF_TINY
    side = max(3, int(min(small.shape) * share) | 1)
    return cv2.morphologyEx(small, operation, np.ones((side, side), np.uint8))


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
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _spread(channel: NDArray[np.uint8]) -> float:
    """How far the pixels that stand out most are from their ground."""
    smooth = cv2.medianBlur(channel, 3)
    closed, opened = _ground(smooth, cv2.MORPH_CLOSE), _ground(smooth, cv2.MORPH_OPEN)
    return max(float(np.percentile(closed - smooth, 99.5)), float(np.percentile(smooth - opened, 99.5)))


def _strength(paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark ink on lighter paper (h, w) -> how much darker than that paper, 0..255 of its lightness."""
    small = cv2.medianBlur(_small(paper), 3)
    ground = _ground(small, cv2.MORPH_CLOSE)
    if min(small.shape) >= TINY:  # enlarged below, a step of the ground must not reach over the darker side
        ground = cv2.erode(ground, np.ones((3, 3), np.uint8))
    ground = cv2.resize(ground, paper.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.divide(cv2.subtract(ground, paper), cv2.max(ground, _DARKEST_GROUND), scale=255)  # type: ignore[return-value]


def _noise(histogram: NDArray[np.int64]) -> float:
    """Standard deviation of the ground's strength, and a part of its median (the bias of the closing)."""
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
