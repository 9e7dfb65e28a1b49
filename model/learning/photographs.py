"""Glyphs as the bot meets them: digits written on paper, photographed by our camera, found by our vision."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from model.errors import DataError
from model.learning import camera, handwriting
from model.learning.examples import Examples
from model.learning.handwriting import Hand
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting, Writing
from model.nn.checkpoint import read_metadata
from model.vision.finding import read_page
from model.vision.page import PREPROCESSING_VERSION

SIZES = ((480, 640), (640, 480), (600, 800), (800, 600))
"""Of the photos; large enough for our vision, and quick."""

DRAWN = 0.4
"""Share of the photos that show drawn digits; the others show MNIST's."""

SHEET = 250
"""Photos that one process takes at a time."""

LEFT_OUT = ("tiny", "hard")
"""Conditions under which a glyph is often no longer what was written."""


def take(
    digits: Examples, count: int, seed: int, processes: int, progress: Callable[[int, int], None]
) -> Examples:
    """The glyphs that vision found in ``count`` photos, without those in which it did not find just one.

    The same arguments give the same glyphs, whatever the number of processes.

    Args:
        digits: what is written, besides drawn digits.
        count: photos to take.
        seed: of everything that is drawn by lot.
        processes: that share the work.
        progress: told after each sheet: photos taken, photos in all.
    """
    sheets = [range(start, min(start + SHEET, count)) for start in range(0, count, SHEET)]
    parts = []
    with ProcessPoolExecutor(processes, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        for sheet, part in zip(sheets, pool.map(partial(_take_sheet, digits, seed), sheets), strict=True):
            parts.append(part)
            progress(sheet.stop, count)
    return Examples.concatenate(parts)


def _take_sheet(digits: Examples, seed: int, numbers: range) -> Examples:
    images, labels = [], []
    for number in numbers:
        rng = np.random.default_rng((seed, 4, number))
        writing, label = _write(digits, rng)
        glyph = photograph(writing, rng)
        if glyph is not None:
            images.append(glyph)
            labels.append(label)
    return Examples(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


def _write(digits: Examples, rng: np.random.Generator) -> tuple[Writing, int]:
    """A digit, drawn or from the examples, and what it is."""
    if rng.random() < DRAWN:
        label = int(rng.integers(10))
        shape = handwriting.choose_shape(DIGITS[label], rng)
        return DrawnWriting(handwriting.write(shape, Hand.random(rng), rng)), label
    index = int(rng.integers(len(digits)))
    return MnistWriting([digits.images[index]]), int(digits.labels[index])


def photograph(writing: Writing, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """The glyph, uint8 (28, 28), in a photo under some condition; None unless vision finds just one."""
    names = [name for name in camera.CONDITIONS if name not in LEFT_OUT]
    condition = camera.CONDITIONS[names[rng.integers(len(names))]]
    page = read_page(camera.take(writing, condition, rng, SIZES[rng.integers(len(SIZES))]))
    glyphs = [
        glyph
        for line in page.lines
        for group in line.groups
        for glyph in group.alternatives[0]  # as one digit wherever that is possible
    ]
    return glyphs[0].pixels if len(glyphs) == 1 else None


def save(taken: Examples, seed: int) -> bytes:
    """The glyphs in the safetensors format, to be taken only once."""
    return safetensors.numpy.save(
        {"images": taken.images, "labels": taken.labels}, {"made_with": _made_with(seed)}
    )


def load(data: bytes, seed: int) -> Examples:
    """What `save` was given. Raises `DataError` where it is damaged or of another seed or vision."""
    try:
        tensors = safetensors.numpy.load(data)
    except safetensors.SafetensorError as exc:
        raise DataError("not a file of photographed digits") from exc
    found = read_metadata(data).get("made_with")
    if found != _made_with(seed):
        raise DataError(
            f"the photographed digits are of {found}, not of {_made_with(seed)}; remove their file"
        )
    return Examples(tensors["images"], tensors["labels"])


def _made_with(seed: int) -> str:
    return f"seed {seed}, preprocessing version {PREPROCESSING_VERSION}"
