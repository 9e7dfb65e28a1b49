"""Makes the tables and the pictures of `reading.md`: ``python docs/reading.py MNIST [PHOTOS]``.

Each row of the first table reads the same photos with one technique switched off, each row of the second
those photos that the technique is for.
"""

import io
import math
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from model import recognizer as recognition
from model.learning import camera_evaluation, mnist
from model.learning.camera import CONDITIONS, UNUSUAL
from model.learning.camera_evaluation import Photo, Score
from model.learning.examples import Examples
from model.learning.negatives import KINDS
from model.learning.retouching import RETOUCHES
from model.nn import checkpoint
from model.reading import Reading
from model.recognizer import Recognizer
from model.vision import choosing, cutting, finding, ink, normalisation, segmentation
from model.vision.decode import decode
from model.vision.ink import find_ink
from model.vision.sheet import only_sheet

SEED = 5
PER_CONDITION, PER_UNUSUAL, PIECES, LINES, CROPPED, NUMBERS, PER_KIND, PER_PART = 4, 8, 2, 52, 30, 40, 3, 40

SHOWN = ("squared", "hard shadow", "blackboard", "desk", "newspaper", "hard", "note", "boxed")
"""Conditions in the pictures of the steps."""

OFF: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "local ground (one ground for the whole picture)": ((ink, "_ground", lambda small, _: _median(small)),),
    "polarity by the plainer ground (paper is light)": ((ink, "_is_light_on_dark", lambda small: False),),
    "clearest colour channel (luminance only)": ((ink, "_CLEARER", math.inf),),
    "weak ink beside strong ink": ((ink, "_WEAK_SHARE", 1.0),),
    "what comes in from the border left out": (
        (choosing, "_is_surroundings", lambda mark, labels: False),
        (choosing, "_lies_along_border", lambda mark: False),
    ),
    "frames left out": ((finding, "without_frame", lambda picture: picture),),
    "a note looked at alone": ((finding, "only_sheet", lambda pixels: pixels),),
    "edges of the page and pens left out": ((choosing, "_is_edge", lambda mark, others, labels: False),),
    "boxes and circles left out": ((choosing, "_frames", lambda mark, other, labels: False),),
    "lines under digits left out": ((segmentation, "_underlines", lambda piece, mark: False),),
    "ruled lines as dark as ink taken out": ((finding, "runs_through", lambda mark, labels: False),),
    "broken ruled lines taken out": ((finding, "_gap_of_rules", lambda ink, marks: None),),
    "faded middles of strokes filled": ((ink, "_FADED", 1e9),),
    "outlined digits filled": ((normalisation, "_filled", lambda outline: outline),),
    "sloping lines levelled": ((finding, "_LEVEL", math.inf),),
    "digits at the edge that go on with a line": ((choosing, "_goes_on", lambda mark, inner, labels: False),),
    "pieces above one another joined": ((segmentation, "_are_stacked", lambda a, b: False),),
    "loose pieces joined to their digit": ((segmentation, "_NEAR", -1.0),),
    "touching digits cut": ((cutting, "_may_be_several", lambda mark, own: False),),
    "strokes as wide as MNIST's": ((normalisation, "_THINNEST", 0.0), (normalisation, "_THICKEST", math.inf)),
    "brackets known": ((recognition, "_brackets_among", lambda found: []),),
    "hatching known": ((recognition, "_MOST_STROKES", math.inf),),
    "all ink accounted for": ((recognition, "_LEAST_EXPLAINED", 0.0),),
    "the judge": ((Recognizer, "_likeness", lambda self, pixels: 1.0),),
}
"""What each technique is replaced by."""

SELDOM: dict[str, tuple[str, ...]] = {
    "frames left out": ("in a margin", "between bars", "in a screenshot", "turned in a frame"),
    "broken ruled lines taken out": ("scanned",),
    "ruled lines as dark as ink taken out": ("dark lines", "dark squares"),
    "faded middles of strokes filled": ("faded",),
    "outlined digits filled": ("outlined",),
    "a note looked at alone": ("note",),
    "edges of the page and pens left out": ("pen on it",),
    "boxes and circles left out": ("boxed", "circled"),
    "lines under digits left out": ("underlined",),
    "hatching known": ("hatching",),
    "sloping lines levelled": ("lines by many hands",),
    "brackets known": ("lines by many hands",),
}
"""Techniques that most photos do not need: conditions, kinds of pictures or retouches that they are for."""


def _median(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    middle = np.median(small, axis=(0, 1)).astype(np.uint8)
    return np.broadcast_to(middle, small.shape).copy()


@contextmanager
def switched_off(changes: tuple[tuple[Any, str, Any], ...]) -> Iterator[None]:
    """With these attributes replaced."""
    before = [getattr(owner, name) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(changes, before, strict=True):
            setattr(owner, name, value)


def ablate(sets: dict[str, list[Photo]], console: Console) -> None:
    """Print the accuracy on every set with each technique switched off, row by row, in Markdown."""
    console.print(
        "| without | " + " | ".join(f"{name} ({len(photos)})" for name, photos in sets.items()) + " |"
    )
    console.print("| --- |" + " ---: |" * len(sets))
    with ProcessPoolExecutor(2, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        for name, scores in zip(("", *OFF), pool.map(partial(_scores, sets), ("", *OFF)), strict=True):
            console.print(f"| {name or '(everything on)'} | " + " | ".join(map(_figure, scores)) + " |")


def _scores(sets: dict[str, list[Photo]], without: str) -> list[Score]:
    """On every set, with this technique switched off, or none."""
    recognizer = Recognizer.from_checkpoint(checkpoint.shipped("reader"))

    def read(data: bytes) -> Reading:
        return recognizer.read(finding.read_page(data))

    with switched_off(OFF.get(without, ())):
        return [camera_evaluation.score(name, iter(photos), read) for name, photos in sets.items()]


def ablate_seldom(digits: Examples, folder: Path | None, console: Console) -> None:
    """Print how many photos are read right with and without a technique that few photos need, in Markdown."""
    console.print("\n| technique | photos | of | with | without |\n| --- | --- | ---: | ---: | ---: |")
    tasks = [
        (name, {", ".join(parts): _photos_of(parts, digits, folder)})
        for name, parts in SELDOM.items()
        if folder or parts[0] not in RETOUCHES
    ]
    with ProcessPoolExecutor(2, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        running = [[pool.submit(_scores, sets, without) for without in ("", name)] for name, sets in tasks]
        for (name, _), futures in zip(tasks, running, strict=True):
            (with_it,), (without,) = (future.result() for future in futures)
            counts = [len(with_it.answers), *(len(s.answers) - len(s.mistakes) for s in (with_it, without))]
            console.print(f"| {name} | {with_it.name} | " + " | ".join(map(str, counts)) + " |")


def _photos_of(parts: tuple[str, ...], digits: Examples, folder: Path | None) -> list[Photo]:
    if folder and parts[0] in RETOUCHES:
        return [p for name in parts for p in camera_evaluation.retouched_photos(folder, name, SEED)]
    if parts == ("lines by many hands",):
        return list(camera_evaluation.line_photos(digits, 2 * LINES, SEED))
    if parts[0] in KINDS:
        return [p for kind in parts for p in camera_evaluation.negative_photos(kind, PER_PART, SEED)]
    return [p for name in parts for p in camera_evaluation.mnist_photos(digits, name, PER_PART, SEED)]


def in_pieces(digits: Examples) -> Examples:
    """Those of which a second piece is at least a third as high as the digit."""

    def is_in_pieces(image: NDArray[np.uint8]) -> bool:
        _, _, stats, _ = cv2.connectedComponentsWithStats((image > 127).astype(np.uint8), connectivity=8)
        heights = sorted(stats[1:, cv2.CC_STAT_HEIGHT])
        return len(heights) > 1 and heights[-2] > 7

    return digits.take(np.flatnonzero([is_in_pieces(image) for image in digits.images]))


def cropped(photos: Iterable[Photo]) -> Iterator[Photo]:
    """Cut out so tightly that the first digit and the last one touch the edge."""
    for photo in photos:
        picture = decode(photo.data)
        groups = [group for line in finding.find_page(picture).lines for group in line.groups]
        boxes = [glyph.box for group in groups for glyph in group.alternatives[0]]
        left, right = (
            round(edge / picture.scale)
            for edge in (min(box.left for box in boxes), max(box.right for box in boxes))
        )
        file = io.BytesIO()
        Image.fromarray(picture.pixels[:, left + 2 : right - 2]).save(file, "PNG")
        yield Photo(photo.name, photo.digits, file.getvalue())


def _figure(score: Score) -> str:
    return f"{100 * score.accuracy:.1f} %"


def picture_of_steps(digits: mnist.Mnist, out: Path) -> None:
    """Photo, strength of the ink, ink, and the glyph, one row for each condition."""
    rows = []
    for condition in SHOWN:
        (photo,) = camera_evaluation.mnist_photos(digits.test, condition, 1, SEED, (360, 480))
        picture = decode(photo.data)
        found = find_ink(only_sheet(picture.pixels))
        glyph = finding.glyph_of(picture)
        tiles = [
            picture.pixels,
            found.strength,
            found.mask * np.uint8(255),
            np.zeros((28, 28), np.uint8) if glyph is None else glyph,
        ]
        rows.append(np.hstack([_tile(tile) for tile in tiles]))
    Image.fromarray(np.vstack(rows)).save(out, optimize=True)


def _tile(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    height, width = colour.shape[:2]
    size = (round(150 * width / height), 150)
    nearest = cv2.INTER_NEAREST if height < 100 else cv2.INTER_AREA
    tile = np.asarray(cv2.resize(colour, size, interpolation=nearest), np.uint8)
    return np.pad(tile, ((2, 2), (2, 2), (0, 0)), constant_values=128)


def main() -> None:
    """Write the picture beside this file and print the tables."""
    cv2.setNumThreads(1)
    digits = mnist.load(Path(sys.argv[1]))
    picture_of_steps(digits, Path(__file__).with_name("reading-steps.png"))
    sets = {
        "camera": [
            photo
            for name in CONDITIONS
            for photo in camera_evaluation.mnist_photos(digits.test, name, PER_CONDITION, SEED)
        ],
        "unusual": [
            photo
            for name in UNUSUAL
            for photo in camera_evaluation.mnist_photos(digits.test, name, PER_UNUSUAL, SEED)
        ],
        "in pieces": [
            photo
            for name in CONDITIONS
            for photo in camera_evaluation.mnist_photos(in_pieces(digits.test), name, PIECES, SEED)
        ],
        "lines": list(camera_evaluation.line_photos(digits.test, LINES, SEED)),
        "cropped lines": list(
            cropped(
                photo
                for photo in camera_evaluation.line_photos(digits.test, 4 * CROPPED, SEED + 1)
                if photo.name.startswith("line")
            )
        ),
        "numbers": list(camera_evaluation.number_photos(NUMBERS, SEED)),
        "no digit": [p for kind in KINDS for p in camera_evaluation.negative_photos(kind, PER_KIND, SEED)],
    }
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if folder:
        sets["strangers' photos"] = list(camera_evaluation.folder_photos(folder, ""))
    console = Console(soft_wrap=True)
    ablate(sets, console)
    ablate_seldom(digits.test, folder, console)


if __name__ == "__main__":
    main()
