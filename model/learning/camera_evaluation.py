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
from model.learning import camera, handwriting, lines, negatives
from model.learning.camera import CONDITIONS, UNUSUAL, Condition
from model.learning.examples import Examples
from model.learning.handwriting import Hand, Spacing
from model.learning.lines import LinesWriting, Style
from model.learning.negatives import KINDS
from model.learning.paper import Size
from model.learning.retouching import RETOUCHES
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, MnistWriting, Writing
from model.reading import Reading
from model.vision.decode import decode

Read = Callable[[bytes], Reading]
"""The bytes of a photo to its reading."""

NUMBER_LENGTHS = (2, 6)
"""Digits in a number, fewest and most."""

LINE_KINDS = ("line", "several", "signs", "turned")
"""What `line_photos` shows, in turn."""

LINE_SIZES: tuple[Size, ...] = (
    (240, 900),
    (300, 720),
    (480, 640),
    (640, 480),
    (768, 1024),
    (720, 1280),
    (1200, 900),
)
"""(H, W) of its photos: lines cut out of a page, and whole pages."""

_TINY = 100
"""Longer side, in pixels, of photos that `retouched_photos` leaves out."""

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


def line_photos(digits: Examples, count: int, seed: int) -> Iterator[Photo]:
    """Lines of digits as people write them, the conditions in turn.

    In turn a line of two to eight digits, two to four lines, a number with signs, and a line turned by up to
    30 degrees; three in five of those without signs are MNIST digits of as many hands. A fifth are tight.
    """
    names = [name for name, condition in CONDITIONS.items() if condition.medium != "enlarged"]
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        style, name, kind = Style.random(rng), names[index % len(names)], LINE_KINDS[index % len(LINE_KINDS)]
        condition = CONDITIONS[name]
        if kind == "turned":
            photographed = condition if condition.medium == "photo" else CONDITIONS["plain"]
            condition = replace(photographed, rotation=30)
        writing, shown = _lines(kind, digits, style, rng)
        shot = _wholly_in_photo(writing, condition, rng)
        data = camera.encode(shot.photo, condition, rng)
        yield Photo(f"{kind}, {name}, {index}", shown, data)


def _lines(kind: str, digits: Examples, style: Style, rng: np.random.Generator) -> tuple[Writing, str]:
    """Writing of one of the `LINE_KINDS`, and the digits that it shows."""
    if kind == "signs":
        text = lines.punctuated(rng)
        return lines.drawn_line(text, style, rng), "".join(filter(str.isdigit, text))
    written = []
    is_drawn = rng.random() < 0.4
    for _ in range(rng.integers(2, 5) if kind == "several" else 1):
        length = int(rng.integers(1, 7) if kind == "several" else rng.integers(2, 9))
        if is_drawn:
            text = "".join(str(digit) for digit in rng.integers(0, 10, length))
            written.append((lines.drawn_line(text, style, rng), text))
        else:
            written.append(lines.mnist_line(digits, length, style, rng))
    shown = "\n".join(text for _, text in written)
    if kind != "several":
        return written[0][0], shown
    indents = rng.uniform(0, 0.8, len(written)).tolist()
    return LinesWriting([line for line, _ in written], rng.uniform(0.3, 1), indents), shown


def _wholly_in_photo(writing: Writing, condition: Condition, rng: np.random.Generator) -> camera.Shot:
    """A picture that shows all of the writing; perspective and rotation can take it out of sight."""
    size = LINE_SIZES[rng.integers(len(LINE_SIZES))]
    while True:
        shot = camera.shoot(writing, condition, rng, size)
        box = shot.box
        if min(box.left, box.top, size[1] - box.right, size[0] - box.bottom) >= 4:
            return shot


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
        part: only files below this folder, such as "single"; all if empty.

    Raises:
        DataError: there is no such manifest, or a file that it names is missing.
    """
    try:
        with (folder / "manifest.csv").open(newline="") as manifest:
            rows = [row for row in csv.DictReader(manifest) if row["file"].startswith(part and f"{part}/")]
        for row in rows:
            yield Photo(row["file"], row["label"], (folder / row["file"]).read_bytes())
    except (OSError, KeyError) as exc:
        raise DataError(f"no photos with a manifest in {folder}: {exc}") from exc


def retouched_photos(folder: Path, retouch: str, seed: int) -> Iterator[Photo]:
    """The photos of such a folder after an app, named in `RETOUCHES`; without tiny ones, which no app shows.

    Raises:
        DataError: as `folder_photos`.
    """
    for number, photo in enumerate(folder_photos(folder, "")):
        pixels = decode(photo.data).pixels
        if max(pixels.shape) < _TINY:
            continue
        colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        rng = np.random.default_rng([seed, number])
        shown = RETOUCHES[retouch](colour, rng)
        yield replace(photo, data=camera.encode(shown, CONDITIONS["plain"], rng))
