"""Simulated people who teach, in hands of their own, honest or not: to measure learning, poison and the gate.

Each has one random style (`styles`) and is kept only where the shipped network errs on 8 to 25 % of their
glyphs. Their glyphs are MNIST's test digits rewritten: what they teach comes from one range of them, what
they are judged by from another, and what is told of MNIST from a third, so nothing is measured on what was
learned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.learning.selection import TaughtGlyph
from model.learning.styles import Style
from model.learning.sureness import Sureness
from model.nn.losses import softmax
from model.nn.network import Network
from model.nn.workers import Workers

LEAST_ERROR, MOST_ERROR = 0.08, 0.25
TRIED = 80
"""Glyphs by which it is decided whether a person is kept."""
WRITTEN = 250
"""Glyphs of each person to teach from, and so many to be judged by."""
TAUGHT_WRONG, TAUGHT_UNSURE = 17, 3
"""Of the glyphs that a person teaches: misread ones, and such as were read right with little confidence."""
UNSURE_BELOW = 0.9
FIRST_DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A network with its calibration, asked about many pictures at once."""

    network: Network
    temperature: float
    workers: Workers
    sureness: Sureness = field(default_factory=Sureness)

    def probabilities(self, examples: Examples) -> NDArray[np.float32]:
        """(N, 10), calibrated."""
        logits = self.workers.map_chunks(self.network.logits, examples.pixels)
        return np.asarray(softmax(logits / np.float32(self.temperature)), np.float32)

    def errors(self, examples: Examples) -> int:
        """How many of them are misread."""
        return int((self.probabilities(examples).argmax(axis=1) != examples.labels).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Contributor:
    """A simulated person.

    Attributes:
        number: who it is.
        taught: glyphs that they correct, with what they really are.
        unseen: glyphs that nobody teaches.
    """

    number: int
    taught: Examples
    unseen: Examples


def recruit(reader: Reader, digits: Examples, count: int, seed: int) -> Iterator[Contributor]:
    """People whose hands the reader finds hard enough; equal arguments give equal people.

    Args:
        reader: the shipped network.
        digits: MNIST's 10,000 test digits, of which the second half is used.
        count: how many people.
        seed: of their hands, and of which digits they write.
    """
    to_teach, to_judge = digits.take(slice(5_000, 7_500)), digits.take(slice(7_500, 10_000))
    found, candidate = 0, 0
    while found < count:
        rng = np.random.default_rng((seed, candidate))
        candidate += 1
        style = Style.random(rng)
        tried = _written(style, to_judge, TRIED, rng)
        if not LEAST_ERROR <= reader.errors(tried) / TRIED <= MOST_ERROR:
            continue
        taught = _corrections(reader, _written(style, to_teach, WRITTEN, rng))
        if len(taught) == TAUGHT_WRONG + TAUGHT_UNSURE:
            yield Contributor(found, taught, _written(style, to_judge, WRITTEN, rng))
            found += 1


def _written(style: Style, digits: Examples, count: int, rng: np.random.Generator) -> Examples:
    chosen = digits.take(rng.choice(len(digits), count, replace=False))
    return Examples(style.write_all(chosen.images, chosen.labels), chosen.labels)


def _corrections(reader: Reader, written: Examples) -> Examples:
    """What somebody would correct: what is misread, and a little of what was read right but unsurely."""
    probabilities = reader.probabilities(written)
    is_right = probabilities.argmax(axis=1) == written.labels
    wrong = np.flatnonzero(~is_right)[:TAUGHT_WRONG]
    right = np.flatnonzero(is_right)
    unsure = right[np.argsort(probabilities[right].max(axis=1))[:TAUGHT_UNSURE]]
    return written.take(np.concatenate([wrong, unsure]))


def lessons(
    reader: Reader, people: Sequence[tuple[int, Examples]], first_key: int = 0, day: int = 0
) -> list[TaughtGlyph]:
    """What people say of glyphs, as selection takes it: all of it on one day."""
    glyphs: list[TaughtGlyph] = []
    for number, said in people:
        for image, label, row in zip(said.images, said.labels, reader.probabilities(said), strict=True):
            read = int(row.argmax())
            when = FIRST_DAY + timedelta(days=day, seconds=len(glyphs))
            key = first_key + len(glyphs)
            sure = reader.sureness.of(float(row[read]))
            glyphs.append(TaughtGlyph(key, number, when, int(label), image, read, sure))
    return glyphs


class Lie(StrEnum):
    """What those teach who want to do harm."""

    RANDOM = "random labels"
    NEXT = "label + 1"
    FOURS = "all 4 to 9"
    ONE_GLYPH = "one glyph again and again"
    UNSURE_FOURS = "4s it is unsure of to 9"


LIES = 20
"""Of one account."""


def lie(kind: Lie, digits: Examples, unsure_fours: Examples, rng: np.random.Generator) -> Examples:
    """What one account says.

    Args:
        kind: of lie.
        digits: plain ones.
        unsure_fours: such as the shipped network is unsure of, which screening cannot tell from honest ones.
        rng: chooses.
    """
    if kind is Lie.ONE_GLYPH:
        three = digits.images[np.flatnonzero(digits.labels == 3)[0]].astype(np.int64)
        copies = np.clip(three + rng.integers(-8, 9, (LIES, 28, 28)), 0, 255)
        return Examples(copies.astype(np.uint8), np.full(LIES, 8, np.uint8))
    if kind in (Lie.FOURS, Lie.UNSURE_FOURS):
        fours = digits.take(np.flatnonzero(digits.labels == 4)) if kind is Lie.FOURS else unsure_fours
        return Examples(_some(fours, rng).images, np.full(LIES, 9, np.uint8))
    chosen = _some(digits, rng)
    step = 1 if kind is Lie.NEXT else rng.integers(1, 10, LIES)
    return Examples(chosen.images, ((chosen.labels + step) % 10).astype(np.uint8))


def _some(examples: Examples, rng: np.random.Generator) -> Examples:
    return examples.take(rng.choice(len(examples), LIES, replace=False))


def unsure(reader: Reader, digits: Examples, digit: int, count: int, rng: np.random.Generator) -> Examples:
    """So many of this digit in random hands that the reader gives no answer more than 90 %."""
    pool = digits.take(np.flatnonzero(digits.labels == digit))
    found: list[Examples] = []
    while sum(map(len, found)) < count:
        written = Examples(
            np.stack([Style.random(rng).write(image, digit) for image in pool.images]), pool.labels
        )
        is_unsure = reader.probabilities(written).max(axis=1) < UNSURE_BELOW
        found.append(written.take(np.flatnonzero(is_unsure)))
    return Examples.concatenate(found).take(slice(0, count))
