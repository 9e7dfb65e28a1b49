"""Glyphs as the network meets them in a photo: written, photographed by our camera, found by our vision.

A photo gives a glyph only where vision found the writing as a whole: its box must be where the camera knows
the ink to be. So no rest of a ruled line is taught as a digit, while cluttered pages still give examples.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning import camera, handwriting
from model.learning.camera import CONDITIONS
from model.learning.examples import Examples
from model.learning.handwriting import Hand
from model.learning.paper import Size
from model.learning.processes import sharing
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting, Writing
from model.vision.finding import read_page
from model.vision.page import Box

SIZES: tuple[Size, ...] = ((240, 320), (320, 240), (300, 400), (360, 480), (480, 640))
"""Of the photos: small ones, which are quick, and some as large as vision works with."""

DRAWN_SHARE = 0.4
"""Share of the photos that show drawn handwriting; the others show given examples."""

SMALLEST_OVERLAP = 0.6
"""Of the box that vision found and the true one, intersection over union."""

ATTEMPTS = 4
"""Photos of the same writing, each under another condition, before it is given up."""

CHUNK = 200
"""Glyphs that one process makes at a time."""

Progress = Callable[[int, int], None]
"""Told after each chunk: glyphs done, glyphs in all."""


def build(examples: Examples, count: int, seed: int, progress: Progress, processes: int = 2) -> Examples:
    """About ``count`` glyphs of examples and drawn digits under all conditions; few photos give none.

    The same arguments give the same glyphs, whatever the number of processes.

    Args:
        examples: what is photographed, besides drawn digits.
        count: how many pieces of writing are photographed.
        seed: everything that is random comes from it.
        progress: told how far it is.
        processes: that share the work.
    """
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    parts = []
    with sharing(processes, partial(cv2.setNumThreads, 1)) as pool:
        for chunk, part in zip(chunks, pool.map(partial(_build_chunk, examples, seed), chunks), strict=True):
            parts.append(part)
            progress(chunk.stop, count)
    return Examples.concatenate(parts)


def cached(folder: Path, examples: Examples, count: int, seed: int, progress: Progress) -> Examples:
    """`build`, kept in ``folder`` under a name that changes with the arguments and the code behind it."""
    identity = hashlib.sha256(f"{count} {seed}".encode())
    for source in _sources():
        identity.update(source.read_bytes())
    identity.update(examples.images.tobytes() + examples.labels.tobytes())
    file = folder / f"camera-glyphs-{identity.hexdigest()[:16]}.npz"
    if file.exists():
        with np.load(file, allow_pickle=False) as arrays:
            return Examples(arrays["images"], arrays["labels"])
    built = build(examples, count, seed, progress)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, images=built.images, labels=built.labels)
    return built


def _sources() -> list[Path]:
    """The files that decide what a glyph looks like: writing, camera and vision."""
    here = Path(__file__).parent
    names = ("handwriting", "stroke_templates", "writing", "paper", "camera", "camera_glyphs")
    return [*(here / f"{name}.py" for name in names), *sorted((here.parent / "vision").glob("*.py"))]


def _build_chunk(examples: Examples, seed: int, numbers: range) -> Examples:
    images, labels = [], []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        writing, label = _written(examples, rng)
        glyph = photographed(writing, rng)
        if glyph is not None:
            images.append(glyph)
            labels.append(label)
    return Examples(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


def _written(examples: Examples, rng: np.random.Generator) -> tuple[Writing, int]:
    """A drawn digit or one of the examples, and what it is."""
    if rng.random() < DRAWN_SHARE:
        label = int(rng.integers(10))
        shape = handwriting.choose_shape(DIGITS[label], rng)
        return DrawnWriting(handwriting.write(shape, Hand.random(rng), rng)), label
    index = int(rng.integers(len(examples)))
    return MnistWriting([examples.images[index]]), int(examples.labels[index])


def photographed(writing: Writing, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """(28, 28), what vision makes of one digit in a photo; None where it never finds it as a whole."""
    names = list(CONDITIONS)
    for _ in range(ATTEMPTS):
        condition = CONDITIONS[names[rng.integers(len(names))]]
        shot = camera.shoot(writing, condition, rng, SIZES[rng.integers(len(SIZES))])
        page = read_page(camera.encode(shot.photo, condition, rng))
        candidates = [
            (overlap(alternative[0].box, shot.box), alternative[0].pixels)
            for line in page.lines
            for group in line.groups
            for alternative in group.alternatives
            if len(alternative) == 1
        ]
        share, pixels = max(candidates, key=lambda candidate: candidate[0], default=(0.0, None))
        if share >= SMALLEST_OVERLAP:
            return pixels
    return None


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(0, width) * max(0, height)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (first, second)]
    return shared / (sum(areas) - shared) if shared else 0.0
