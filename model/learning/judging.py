"""The judge: a small network that tells one whole digit from everything else.

The reader knows ten digits and nothing else, so it gives an answer to anything. The judge has an eleventh
class, "no digit", and has seen much of it: letters, symbols, doodles, two digits at once, parts of
digits, and what vision makes of blank paper and textures. The recognizer asks it whether a glyph is a digit
at all, and which way to part touching digits is best.

The shipped judge is made by ``python -m model.learning.judging data/mnist model/weights/judge.safetensors``.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.learning import augmentation, camera_glyphs, handwriting, mnist, negatives
from model.learning.examples import Examples
from model.nn import architectures, checkpoint
from model.nn.losses import SoftmaxCrossEntropy, one_hot
from model.nn.network import Network
from model.nn.optimizers import AdamW
from model.vision.finding import find_page
from model.vision.normalisation import normalise
from model.vision.picture import Picture

Glyphs = NDArray[np.uint8]
"""(N, 28, 28), ink bright."""

NO_DIGIT = 10
"""The eleventh class."""

PLAIN, DRAWN, PHOTOGRAPHED = 40_000, 15_000, 20_000
"""Digits to train on: MNIST's own, drawn by code, and those that went through camera and vision."""

BATCH = 64
LEARNING_RATE = 2e-3
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


def no_digits(digits: Glyphs, count: int, rng: np.random.Generator) -> Glyphs:
    """About ``count`` glyphs that are not one digit; ``digits`` are what pairs and parts are made of."""
    makers: tuple[tuple[float, Callable[[int], Glyphs]], ...] = (
        (0.28, lambda n: negatives.glyphs(n, rng)),
        (0.2, lambda n: printed(n, rng)),
        (0.25, lambda n: several(digits, n, rng)),
        (0.15, lambda n: parts(digits, n, rng)),
        (0.12, lambda n: found(n, rng)),
    )
    return np.concatenate([make(round(share * count)) for share, make in makers])


def printed(count: int, rng: np.random.Generator) -> Glyphs:
    """Letters and symbols of fonts."""
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


def found(count: int, rng: np.random.Generator) -> Glyphs:
    """What vision takes for digits in pictures that show none."""
    kinds = ("blank", "gradient", "noise", "texture", "landscape", "scribble", "doodles", "flower")
    made: list[Glyphs] = []
    while len(made) < count:
        picture = negatives.KINDS[kinds[rng.integers(len(kinds))]]((240, 320), rng)
        page = find_page(Picture.from_array(np.ascontiguousarray(picture[..., :3])))
        groups = [group for line in page.lines for group in line.groups]
        glyphs = [glyph.pixels for group in groups for glyph in group.alternatives[0]]
        chosen = [glyphs[index] for index in rng.permutation(len(glyphs))[:6]]
        made += [glyph for glyph in chosen if not _is_narrow(_trimmed(glyph))]
    return np.stack(made[:count])


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


def train(digits: Examples, seed: int, epochs: int) -> Iterator[Network]:
    """The judge after each epoch.

    Args:
        digits: glyphs of single digits.
        seed: of everything that is drawn by lot.
        epochs: passes over digits and as many glyphs that are none.
    """
    rng = np.random.default_rng(seed)
    others = no_digits(digits.images, round(0.7 * len(digits)), rng)
    images = np.concatenate([digits.images, others])
    targets = one_hot(np.concatenate([digits.labels, np.full(len(others), NO_DIGIT)]), NO_DIGIT + 1)
    network = architectures.build("judge", rng)
    optimizer = AdamW(network.parameters(), weight_decay=0.02)
    loss = SoftmaxCrossEntropy(label_smoothing=0.01)
    steps = epochs * (len(images) // BATCH)
    step = 0
    for _ in range(epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            pixels = augmentation.augment(images[chosen].astype(np.float32) / np.float32(255), rng)
            _, gradients = network.gradients(pixels.reshape(BATCH, 784), targets[chosen], loss, rng)
            rate = LEARNING_RATE * min(1.0, 20 * step / steps) * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.step({name: value / BATCH for name, value in gradients.items()}, rate)
            step += 1
        yield network


def main() -> None:
    """Train the judge that ships, and write it."""
    parser = argparse.ArgumentParser(description="Train the judge, which tells digits from everything else.")
    parser.add_argument("mnist", type=Path, help="folder of MNIST")
    parser.add_argument("out", type=Path, help="the checkpoint to write")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data = mnist.load(arguments.mnist)
    rng = np.random.default_rng((arguments.seed, 1))
    drawn = handwriting.examples(DRAWN, rng)
    photographed = camera_glyphs.cached(
        arguments.out.parent, data.train, PHOTOGRAPHED, arguments.seed, lambda done, total: None
    )
    plain = data.train.take(slice(None, PLAIN))
    digits = Examples.concatenate([plain, drawn, photographed])
    command = f"python -m model.learning.judging data/mnist {arguments.out.name}"
    metadata = {
        "command": f"{command} --epochs {arguments.epochs} --seed {arguments.seed}",
        "mnist_sha256": data.sha256,
    }
    for network in train(digits, arguments.seed, arguments.epochs):
        arguments.out.write_bytes(checkpoint.save(network, metadata))


if __name__ == "__main__":
    main()
