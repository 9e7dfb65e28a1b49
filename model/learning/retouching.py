"""What apps do to a photo before it is sent: margins and bars, screenshots, turning, black and white."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]
"""(H, W, 3)."""

_COLOURS = ((0, 0, 0), (18, 18, 20), (128, 128, 130), (242, 242, 247), (255, 255, 255))
"""Of frames; all but the third also of an app's bars."""
_SCREEN = 1080
"""Width in pixels."""


def margin(photo: Photo, rng: np.random.Generator) -> Photo:
    """The photo on a larger ground of one colour."""
    top, bottom, left, right = (round(rng.uniform(0.04, 0.25) * max(photo.shape)) for _ in range(4))
    return _padded(photo, (top, bottom, left, right), _colour(rng))


def bars(photo: Photo, rng: np.random.Generator) -> Photo:
    """The photo fitted to a screen of another shape."""
    width = round(rng.uniform(0.08, 0.4) * max(photo.shape))
    sides = (width, width, 0, 0) if rng.random() < 0.5 else (0, 0, width, width)
    return _padded(photo, sides, _colour(rng))


def screenshot(photo: Photo, rng: np.random.Generator) -> Photo:
    """The photo in an app that shows it, as wide as the screen, with the time above and buttons below."""
    scale = _SCREEN / photo.shape[1]
    shown = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale), np.uint8)
    above, below = round(rng.uniform(0.08, 0.16) * _SCREEN), round(rng.uniform(0.1, 0.25) * _SCREEN)
    colour = _COLOURS[rng.choice([0, 1, 3, 4])]
    ink = (20, 20, 20) if colour[0] > 128 else (235, 235, 235)
    screen = _padded(shown, (above, below, 0, 0), colour)
    time = f"{rng.integers(10, 24)}:{rng.integers(10, 60)}"
    cv2.putText(screen, time, (_SCREEN // 25, round(0.7 * above)), 0, above / 60, ink, 3)
    _lay_buttons(screen, len(screen) - below // 2, below, ink, rng)
    return screen


def _lay_buttons(
    screen: Photo, middle: int, room: int, ink: tuple[int, int, int], rng: np.random.Generator
) -> None:
    """Three to five outlined buttons around this row, in a bar of so many pixels."""
    count = int(rng.integers(3, 6))
    size = round(min(0.25 * room, 0.2 * _SCREEN / count))
    for button in range(count):
        x = round((button + 0.5) * _SCREEN / count)
        if rng.random() < 0.5:
            cv2.circle(screen, (x, middle), size, ink, 4, cv2.LINE_AA)
        else:
            cv2.rectangle(screen, (x - size, middle - size), (x + size, middle + size), ink, 4)


def turned(photo: Photo, rng: np.random.Generator) -> Photo:
    """The whole photo turned by 4 to 14 degrees, the corners around it of one colour."""
    height, width = photo.shape[:2]
    angle = rng.choice([-1, 1]) * rng.uniform(4, 14)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(photo, turn, size, borderValue=_colour(rng)), np.uint8)


def scanned(photo: Photo, rng: np.random.Generator) -> Photo:
    """The photo in black and white, as apps for documents make it: black is what is darker than around it."""
    side = max(photo.shape)
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 0.0025 * side)
    window, below = 2 * round(0.075 * side) + 1, rng.uniform(10, 16)
    black = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, window, below)
    return np.repeat(np.asarray(black, np.uint8)[..., None], 3, axis=2)


RETOUCHES: dict[str, Callable[[Photo, np.random.Generator], Photo]] = {
    "in a margin": margin,
    "between bars": bars,
    "in a screenshot": screenshot,
    "turned in a frame": turned,
    "scanned": scanned,
}


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    return _COLOURS[rng.integers(len(_COLOURS))]


def _padded(photo: Photo, sides: tuple[int, int, int, int], colour: tuple[int, int, int]) -> Photo:
    """The photo with so many pixels of a colour above, below, left and right."""
    return np.asarray(cv2.copyMakeBorder(photo, *sides, cv2.BORDER_CONSTANT, value=colour), np.uint8)
