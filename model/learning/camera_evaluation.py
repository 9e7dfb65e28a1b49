"""How well photos are read: our camera by condition, drawn handwriting, numbers, pictures without a digit.

Everything goes the whole way, from the bytes of a file to a reading, as for a user. ``read`` is that way:
`Recognizer.read` of `read_page`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.errors import DataError
from model.learning import camera, handwriting, negatives
from model.learning.camera import CONDITIONS, UNUSUAL
from model.learning.examples import Examples
from model.learning.handwriting import Hand, Spacing
from model.learning.negatives import KINDS
from model.learning.paper import Size
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting
from model.reading import Reading

Read = Callable[[bytes], Reading]
"""The bytes of a photo to its reading."""

NUMBER_LENGTHS = (2, 6)
"""Digits in a number, fewest and most."""

TOUCHING_SHARE = 0.25
"""Share of the numbers whose digits may touch."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and what it shows; an empty string where it shows no digit.

    Attributes:
        name: of the file, or how to make it again.
        digits: in reading order.
        data: the file.
    """

    name: str
    digits: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read in one photo.

    Attributes:
        name: of the photo.
        expected: what it shows, "" for no digit.
        read: what was read, "" where abstained.
        confidence: as the reading states it, 0..1.
        reason: of the abstention, or None.
    """

    name: str
    expected: str
    read: str
    confidence: float
    reason: str | None

    @property
    def is_right(self) -> bool:
        """The digits are right or, where there are none, none were read."""
        return self.read == self.expected


@dataclass(frozen=True, slots=True)
class Score:
    """How a set of photos was read.

    Attributes:
        name: of the set.
        answers: one for each photo.
    """

    name: str
    answers: tuple[Answer, ...]

    @property
    def accuracy(self) -> float:
        """Share of the photos that were read right."""
        return sum(answer.is_right for answer in self.answers) / max(1, len(self.answers))

    @property
    def abstained(self) -> float:
        """Share of the photos in which nothing was read."""
        return sum(not answer.read for answer in self.answers) / max(1, len(self.answers))

    @property
    def mistakes(self) -> tuple[Answer, ...]:
        """The answers that are not right, abstentions among them."""
        return tuple(answer for answer in self.answers if not answer.is_right)


def score(name: str, photos: Iterator[Photo], read: Read) -> Score:
    """Read all photos of a set."""
    answers = []
    for photo in photos:
        reading = read(photo.data)
        reason = reading.abstention.reason.value if reading.abstention is not None else None
        answers.append(Answer(photo.name, photo.digits, reading.digits, reading.confidence, reason))
    return Score(name, tuple(answers))


def calibration_error(answers: Sequence[Answer], bins: int = 15) -> float:
    """Mean distance of confidence and accuracy where something was read, by bins (Guo et al. 2017, eq. 3)."""
    read = [answer for answer in answers if answer.read]
    confidence = np.array([answer.confidence for answer in read])
    right = np.array([answer.is_right for answer in read], float)
    numbers = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((right - confidence)[numbers == number].sum()) for number in range(bins)]
    return float(sum(gaps) / max(1, len(read)))


def mnist_photos(
    digits: Examples, condition: str, count: int, seed: int, size: Size | None = None
) -> Iterator[Photo]:
    """MNIST digits under one named condition, usual or not; each condition has digits of its own."""
    conditions = CONDITIONS | UNUSUAL
    number = list(conditions).index(condition)
    order = np.random.default_rng([seed, number]).permutation(len(digits))
    for index in order[:count]:
        rng = np.random.default_rng([seed, number, index])
        data = camera.take(MnistWriting([digits.images[index]]), conditions[condition], rng, size)
        yield Photo(f"{condition} {index}", str(digits.labels[index]), data)


def drawn_photos(count: int, seed: int, size: Size | None = None) -> Iterator[Photo]:
    """Drawn digits, each by another hand, the conditions in turn."""
    names = list(CONDITIONS)
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        digit = int(rng.integers(10))
        shape = handwriting.choose_shape(DIGITS[digit], rng)
        writing = DrawnWriting(handwriting.write(shape, Hand.random(rng), rng))
        condition = names[index % len(names)]
        name = f"{shape.name} {digit}, {condition}, {index}"
        yield Photo(name, str(digit), camera.take(writing, CONDITIONS[condition], rng, size))


def number_photos(count: int, seed: int, size: Size | None = None) -> Iterator[Photo]:
    """Drawn numbers of several digits, the conditions in turn; some digits touch."""
    names = [name for name, condition in CONDITIONS.items() if condition.medium != "enlarged"]
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        length = int(rng.integers(NUMBER_LENGTHS[0], NUMBER_LENGTHS[1] + 1))
        digits = "".join(str(digit) for digit in rng.integers(0, 10, length))
        spacing = Spacing(-0.04, 0.1) if rng.random() < TOUCHING_SHARE else Spacing()
        hand = Hand.random(rng)
        hand = replace(hand, rotation=hand.rotation / 2)
        writing = DrawnWriting(handwriting.write_number(digits, hand, rng, spacing))
        condition = names[index % len(names)]
        data = camera.take(writing, CONDITIONS[condition], rng, size)
        yield Photo(f"{digits}, {condition}, {index}", digits, data)


def negative_photos(kind: str, count: int, seed: int, size: Size | None = None) -> Iterator[Photo]:
    """Pictures of one kind that show no digit, as JPEG files."""
    number = list(KINDS).index(kind)
    for index in range(count):
        rng = np.random.default_rng([seed, number, index])
        shape = size or camera.SIZES[rng.integers(len(camera.SIZES))]
        picture = negatives.KINDS[kind](shape, rng)
        yield Photo(f"{kind} {index}", "", camera.encode(picture, CONDITIONS["plain"], rng))


def folder_photos(folder: Path, part: str) -> Iterator[Photo]:
    """The photos of a folder whose ``manifest.csv`` has the columns `file` and `label`.

    Args:
        folder: where the manifest is.
        part: only files below this folder, such as "single".

    Raises:
        DataError: there is no such manifest, or a file that it names is missing.
    """
    try:
        with (folder / "manifest.csv").open(newline="") as manifest:
            rows = [row for row in csv.DictReader(manifest) if row["file"].startswith(f"{part}/")]
        for row in rows:
            yield Photo(row["file"], row["label"], (folder / row["file"]).read_bytes())
    except (OSError, KeyError) as exc:
        raise DataError(f"no photos with a manifest in {folder}: {exc}") from exc
