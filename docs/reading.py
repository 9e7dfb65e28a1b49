"""Makes the table and the pictures of `reading.md`: ``python docs/reading.py MNIST [PHOTOS]``.

Each row of the table reads the same photos with one technique switched off.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from model import recognizer as recognition
from model.learning import camera_evaluation, mnist
from model.learning.camera import CONDITIONS, UNUSUAL
from model.learning.camera_evaluation import Photo, Score
from model.learning.negatives import KINDS
from model.nn import checkpoint
from model.recognizer import Recognizer
from model.vision import choosing, cutting, finding, ink, normalisation, segmentation
from model.vision.decode import decode
from model.vision.ink import find_ink

SEED = 5
PER_CONDITION, PER_UNUSUAL, NUMBERS, LINES, PER_KIND = 10, 16, 80, 104, 6

SHOWN = ("squared", "hard shadow", "blackboard", "desk", "newspaper", "hard")
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
    "edges of the page left out": ((choosing, "_is_frame", lambda mark, others, labels: False),),
    "ruled lines as dark as ink taken out": ((finding, "runs_through", lambda mark, labels: False),),
    "faded middles of strokes filled": ((ink, "_FADED", math.inf),),
    "outlined digits filled": ((normalisation, "_filled", lambda outline: outline),),
    "sloping lines levelled": ((finding, "_LEVEL", math.inf),),
    "digits at the edge that go on with a line": ((choosing, "_goes_on", lambda mark, inner, labels: False),),
    "loose pieces joined to their digit": ((segmentation, "_NEAR", -1.0),),
    "touching digits cut": ((cutting, "_may_be_several", lambda mark, own: False),),
    "strokes as wide as MNIST's": ((normalisation, "_THINNEST", 0.0), (normalisation, "_THICKEST", math.inf)),
    "brackets known": ((recognition, "_brackets_among", lambda found: []),),
    "hatching known": ((recognition, "_MOST_STROKES", math.inf),),
    "all ink accounted for": ((recognition, "_LEAST_EXPLAINED", 0.0),),
    "the judge": ((Recognizer, "_likeness", lambda self, pixels: 1.0),),
}
"""What each technique is replaced by."""


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


def ablate(sets: dict[str, list[Photo]], recognizer: Recognizer, console: Console) -> None:
    """Print the accuracy on every set with each technique switched off."""

    def accuracies() -> list[str]:
        scores = [camera_evaluation.score(name, iter(photos), read) for name, photos in sets.items()]
        return [_figure(score) for score in scores]

    def read(data: bytes) -> Any:
        return recognizer.read(finding.read_page(data))

    table = Table("without", *(f"{name} ({len(photos)})" for name, photos in sets.items()))
    table.add_row("(everything on)", *accuracies())
    for name, changes in OFF.items():
        with switched_off(changes):
            table.add_row(name, *accuracies())
    console.print(table)


def _figure(score: Score) -> str:
    return f"{100 * score.accuracy:.1f} %"


def picture_of_steps(digits: mnist.Mnist, out: Path) -> None:
    """Photo, strength of the ink, ink, and the glyph, one row for each condition."""
    rows = []
    for condition in SHOWN:
        (photo,) = camera_evaluation.mnist_photos(digits.test, condition, 1, SEED, (360, 480))
        picture = decode(photo.data)
        found = find_ink(picture.pixels)
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
    """Write the picture beside this file and print the table."""
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
        "lines": list(camera_evaluation.line_photos(digits.test, LINES, SEED)),
        "numbers": list(camera_evaluation.number_photos(NUMBERS, SEED)),
        "no digit": [p for kind in KINDS for p in camera_evaluation.negative_photos(kind, PER_KIND, SEED)],
    }
    if len(sys.argv) > 2:
        sets["strangers' photos"] = [
            photo
            for part in ("single", "multi")
            for photo in camera_evaluation.folder_photos(Path(sys.argv[2]), part)
        ]
    ablate(sets, Recognizer.from_checkpoint(checkpoint.shipped("reader")), Console(width=140))


if __name__ == "__main__":
    main()
