"""Glyphs that are not one digit, for the judge to learn from: letters, doodles, pairs and parts of digits.

Some are made as MNIST was, fitted and centred; others are whatever vision takes for marks in pictures that
show no digit, which is what the judge meets most.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.learning import negatives
from model.learning.paper import Size
from model.learning.processes import sharing
from model.vision.finding import find_page
from model.vision.normalisation import normalise
from model.vision.picture import Picture

Glyphs = NDArray[np.uint8]
"""(N, 28, 28), ink bright."""

FONTS = ("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmss10")
"""Fonts that come with matplotlib; the first has every character, the others have letters."""

LOOKALIKES = frozenset("OoQDIilj|!1ZzSsBbgqGJyOΟοΙιОоЗзбӨѲօՕ°º")
"""Characters that may be written like a digit."""

CHARACTERS = tuple(
    chr(code)
    for first, last in (
        (0x21, 0x2F), (0x3A, 0x7E), (0xA1, 0xFF), (0x391, 0x3C9), (0x410, 0x44F), (0x531, 0x587),
        (0x5D0, 0x5EA), (0x621, 0x64A), (0x10D0, 0x10FA), (0x2190, 0x21FF), (0x2200, 0x22FF),
        (0x2600, 0x26FF), (0x2701, 0x2767),
    )
    for code in range(first, last + 1)
    if not chr(code).isdigit() and not chr(code).isnumeric() and chr(code) not in LOOKALIKES
)  # fmt: skip
"""Letters, punctuation and symbols."""

LETTERS = tuple(character for character in CHARACTERS if character.isascii())
"""Those that every font has."""


PAIRED, PARTED, DRAWN, PRINTED = 0.2, 0.13, 0.22, 0.17
"""Shares of the glyphs; vision finds the rest."""

PICTURES = 0.1
"""Pictures that vision looks into, for each glyph; one of them gives some three."""

SIZES: tuple[Size, ...] = ((240, 320), (320, 240), (300, 400), (360, 480))
"""(H, W) of the pictures that vision looks into."""

KINDS = (*negatives.TAUGHT, *negatives.PICTURES)
"""Of these pictures: what is drawn on paper and taught, and what no pen has made."""

OF_A_PICTURE = 5
"""Glyphs at most that are taken out of one picture."""

CHUNK = 200
"""Pictures that one process looks into at a time."""


Progress = Callable[[int, int], None]
"""Told after each chunk: pictures looked into, pictures in all."""


def glyphs(digits: Glyphs, count: int, seed: int, progress: Progress, processes: int = 2) -> Glyphs:
    """About ``count`` glyphs that are not one digit; equal arguments give equal ones.

    Args:
        digits: what pairs and parts are made of.
        count: how many.
        seed: everything that is random comes from it.
        progress: told how far it is.
        processes: that look into pictures side by side.
    """
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [
            several(digits, round(PAIRED * count), rng),
            parts(digits, round(PARTED * count), rng),
            negatives.glyphs(round(DRAWN * count), rng),
            printed(round(PRINTED * count), rng),
            found(round(PICTURES * count), seed, progress, processes),
        ]
    )


def printed(count: int, rng: np.random.Generator) -> Glyphs:
    """Letters and symbols of fonts."""
    import matplotlib  # noqa: PLC0415  a third of a second, and complaints in a home that is read-only

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = [ImageFont.truetype(str(folder / f"{name}.ttf"), 64) for name in FONTS]
    made: list[Glyphs] = []
    while len(made) < count:
        number = int(rng.integers(len(fonts))) if rng.random() < 0.5 else 0
        characters = CHARACTERS if number == 0 else LETTERS
        canvas = Image.new("L", (128, 128))
        ImageDraw.Draw(canvas).text(
            (64, 64), characters[rng.integers(len(characters))], 255, fonts[number], "mm"
        )
        ink = _cropped(np.asarray(canvas))
        if ink is not None and not _is_narrow(ink):
            made.append(normalise(ink))
    return np.stack(made)


def several(digits: Glyphs, count: int, rng: np.random.Generator) -> Glyphs:
    """Two or three digits that touch or nearly do."""
    made = []
    for _ in range(count):
        canvas = np.zeros((40, 112), np.uint8)
        right = 0
        for index in rng.integers(len(digits), size=2 if rng.random() < 0.8 else 3):
            ink = _trimmed(digits[index])
            left = max(0, right - int(rng.integers(-2, 4)))
            top = int(np.clip(20 - len(ink) // 2 + rng.integers(-3, 4), 0, 40 - len(ink)))
            place = canvas[top : top + len(ink), left : left + ink.shape[1]]
            np.maximum(place, ink, out=place)
            right = left + ink.shape[1]
        made.append(normalise(_trimmed(canvas)))
    return np.stack(made)


def parts(digits: Glyphs, count: int, rng: np.random.Generator) -> Glyphs:
    """What a cut through a digit leaves, or a cut through two of them that misses the gap."""
    made: list[Glyphs] = []
    while len(made) < count:
        ink = _trimmed(digits[rng.integers(len(digits))])
        if rng.random() < 0.5:
            ink = ink[:, : round(ink.shape[1] * rng.uniform(0.3, 0.6))]
        else:
            ink = ink[:, round(ink.shape[1] * rng.uniform(0.4, 0.7)) :]
        if rng.random() < 0.5:
            other = _trimmed(digits[rng.integers(len(digits))])
            height = max(len(ink), len(other))
            ink = np.hstack([_padded(ink, height), _padded(other, height)])
        cropped = _cropped(ink)
        if cropped is not None and min(cropped.shape) >= 0.4 * max(
            cropped.shape
        ):  # narrow ones look like a 1
            made.append(normalise(cropped))
    return np.stack(made)


def found(pictures: int, seed: int, progress: Progress, processes: int = 2) -> Glyphs:
    """What vision takes for digits, or for parts of some, in so many pictures that show none."""
    chunks = [range(start, min(start + CHUNK, pictures)) for start in range(0, pictures, CHUNK)]
    made: list[Glyphs] = []
    with sharing(processes, partial(cv2.setNumThreads, 1)) as pool:
        for chunk, part in zip(chunks, pool.map(partial(_found_in, seed), chunks), strict=True):
            made += part
            progress(chunk.stop, pictures)
    return np.stack(made)


def _found_in(seed: int, numbers: range) -> list[Glyphs]:
    """Glyphs out of the pictures of these numbers."""
    return [glyph for number in numbers for glyph in _looked_into(np.random.default_rng([seed, number]))]


def _looked_into(rng: np.random.Generator) -> Iterator[Glyphs]:
    """A few of the glyphs that vision finds in one picture, in any of the ways to part its marks."""
    kind = KINDS[rng.integers(len(KINDS))]
    picture = negatives.KINDS[kind](SIZES[rng.integers(len(SIZES))], rng)
    page = find_page(Picture.from_array(np.ascontiguousarray(picture[..., :3])))
    groups = (group for line in page.lines for group in line.groups)
    ways = chain.from_iterable(group.alternatives for group in groups)
    found = list({glyph.pixels.tobytes(): glyph.pixels for way in ways for glyph in way}.values())
    chosen = (found[index] for index in rng.permutation(len(found))[:OF_A_PICTURE])
    yield from (glyph for glyph in chosen if not _is_narrow(_trimmed(glyph)))


def _is_narrow(ink: NDArray[Any]) -> bool:
    """Whether the ink may be taken for a 1."""
    height, width = ink.shape
    return bool(width < 0.4 * height)


def _trimmed(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without empty rows and columns around the ink."""
    rows, columns = np.flatnonzero(ink.max(axis=1) > 25), np.flatnonzero(ink.max(axis=0) > 25)
    if not len(rows):
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _cropped(ink: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The ink alone; None where there is next to none."""
    trimmed = _trimmed(ink)
    return None if trimmed.max(initial=0) <= 25 or max(trimmed.shape) < 8 else trimmed


def _padded(ink: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    above = (height - len(ink)) // 2
    return np.pad(ink, ((above, height - len(ink) - above), (0, 0)))
