"""Which corrected glyphs train: a pure function of the corrections at hand and the shipped network.

Nothing here depends on row numbers, on earlier runs or on who else was once there: glyphs are ordered by a
digest of what they show and say, sums are exact integers, and only people's own decisions come in from
outside. So a run after somebody has left chooses, bit for bit, what a run would have chosen that never knew
them.

What each rule is against is told in `docs/learning.md`: quarantine stops lazy lies, near-duplicates count
once and must agree, the daily cap stops floods, the cap on each pair (what the shipped network reads, label)
blunts many accounts that lie together. No cap binds where there are few corrections in all.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples

NEAR = 0.975
"""Cosine of two glyphs in blurred 14x14 cells from which on they are copies of one another.

It finds copies that are turned by 3 or 5 degrees (100 and 91 %), resized by 5 % (100 %) or noisy (99 %);
among 3,000 digits of MNIST it takes 11 % of those other than 1 for a copy of one with the same label, and
none of one with another.
"""


class Rule(StrEnum):
    """Why a corrected glyph does not train."""

    MODEL_IS_SURE = "model_is_sure"
    CONFLICTING_LABELS = "conflicting_labels"
    DISAGREES_WITH_OTHERS = "disagrees_with_others"
    DUPLICATE = "duplicate"
    PERSON_AND_DAY = "person_and_day"
    PAIR = "pair"
    MAXIMUM = "maximum"


QUARANTINING = frozenset({Rule.MODEL_IS_SURE, Rule.CONFLICTING_LABELS, Rule.DISAGREES_WITH_OTHERS})
"""The rules whose glyphs an admin reviews; the others' glyphs are fine and merely not needed this time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken from where.

    Attributes:
        quarantine_above: how sure the shipped network may be of another digit (its `Sureness`); corrections
            of what it is surer of are held back.
        per_person_and_day: glyphs of one person on one day (UTC).
        per_pair: glyphs with the same reading by the shipped network and the same label.
        person_share: the largest part of a training set, replay counted in, that one person makes up.
        unlimited_below: with fewer glyphs than this in all, no cap binds.
        maximum: glyphs in all.
    """

    quarantine_above: float = 0.95
    per_person_and_day: int = 20
    per_pair: int = 20
    person_share: float = 0.05
    unlimited_below: int = 20
    maximum: int = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class TaughtGlyph:
    """One glyph and what a person says it is.

    Attributes:
        key: names it to the caller; decides nothing.
        contributor: who says so; people are told apart by it and nothing else.
        taught_at: when, UTC.
        label: the digit it is said to be.
        pixels: uint8 (28, 28), ink bright.
        shipped_digit, shipped_confidence: what the shipped network reads, and how sure it may be of that: its
            `Sureness`, 0..1.
        is_trusted: an admin said it or has accepted it.
    """

    key: int
    contributor: Hashable
    taught_at: datetime
    label: int
    pixels: NDArray[np.uint8]
    shipped_digit: int
    shipped_confidence: float
    is_trusted: bool = False

    @property
    def digest(self) -> bytes:
        """32 bytes that depend on pixels and label alone: the order in which glyphs are considered."""
        return hashlib.sha256(bytes([self.label]) + self.pixels.tobytes()).digest()

    @property
    def day(self) -> date:
        """The day it was taught on, UTC."""
        return self.taught_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class Selection:
    """What trains, and why the rest does not.

    Attributes:
        chosen: in the order of their digests.
        left_out: the rule that left a glyph out, by its key.
    """

    chosen: tuple[TaughtGlyph, ...]
    left_out: dict[int, Rule]


def is_doubtful(shipped_digit: int, shipped_confidence: float, label: int, limits: Limits) -> bool:
    """Whether the shipped network is so sure of another digit that a person should look first."""
    return shipped_digit != label and shipped_confidence > limits.quarantine_above


def select(
    glyphs: Iterable[TaughtGlyph], limits: Limits, distrusted: frozenset[Hashable] = frozenset()
) -> Selection:
    """Choose what trains among corrected glyphs; the order they come in does not matter.

    Args:
        glyphs: consented ones that nobody has rejected.
        limits: see `Limits`.
        distrusted: people whose glyphs go to review, by the cross-check of contributors.
    """
    ordered = sorted(glyphs, key=lambda glyph: (glyph.digest, glyph.taught_at))
    left_out: dict[int, Rule] = {}
    kept = []
    for glyph in ordered:
        is_doubted = is_doubtful(glyph.shipped_digit, glyph.shipped_confidence, glyph.label, limits)
        if is_doubted and not glyph.is_trusted:
            left_out[glyph.key] = Rule.MODEL_IS_SURE
        elif glyph.contributor in distrusted and not glyph.is_trusted:
            left_out[glyph.key] = Rule.DISAGREES_WITH_OTHERS
        else:
            kept.append(glyph)
    kept = _leave_out_copies(kept, left_out)
    if len(kept) >= limits.unlimited_below:
        kept = _cap(kept, limits, left_out)
    return Selection(tuple(kept), left_out)


def _leave_out_copies(glyphs: list[TaughtGlyph], left_out: dict[int, Rule]) -> list[TaughtGlyph]:
    """One person's copies count once; copies under different labels count not at all, save trusted ones."""
    labels = np.array([glyph.label for glyph in glyphs], np.uint8)
    numbers: dict[Hashable, int] = {}
    people = np.array([numbers.setdefault(glyph.contributor, len(numbers)) for glyph in glyphs], np.int64)
    is_conflicting = np.zeros(len(glyphs), np.bool_)
    is_copy = np.zeros(len(glyphs), np.bool_)
    for start, is_near in _near_blocks([glyph.pixels for glyph in glyphs]):
        block = slice(start, start + len(is_near))
        disagrees = is_near & (labels[block, None] != labels[None, start:])
        is_conflicting[block] |= disagrees.any(axis=1)
        is_conflicting[start:] |= disagrees.any(axis=0)
        repeats = is_near & ~disagrees & (people[block, None] == people[None, start:])
        for row in np.flatnonzero(repeats.any(axis=1)):
            if not is_copy[start + row]:
                is_copy[start:] |= repeats[row]
    kept = []
    for index, glyph in enumerate(glyphs):
        if is_conflicting[index] and not glyph.is_trusted:
            left_out[glyph.key] = Rule.CONFLICTING_LABELS
        elif is_copy[index]:
            left_out[glyph.key] = Rule.DUPLICATE
        else:
            kept.append(glyph)
    return kept


def _near_blocks(pictures: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Which later glyphs are copies of which, for some glyphs at a time: memory does not grow with copies.

    Each block starts at a number s: row r and column c of its booleans (R, N - s) tell of glyphs s + r and
    s + c, true where they are copies of one another and c > r.

    A glyph becomes 196 cells of 0..255; no sum of their products reaches 2**24, so float32 holds each exactly
    and the outcome cannot depend on how the product of matrices is blocked, that is, on who else is there.
    """
    if len(pictures) < 2:
        return
    blurred = [
        cv2.resize(cv2.GaussianBlur(picture, (0, 0), 1.0), (14, 14), interpolation=cv2.INTER_AREA)
        for picture in pictures
    ]
    cells = np.stack(blurred).reshape(len(blurred), -1).astype(np.float32)  # (N, 196)
    squares = np.einsum("nd,nd->n", cells, cells).astype(np.float64)
    for start in range(0, len(cells), 512):
        products = (cells[start : start + 512] @ cells[start:].T).astype(np.float64)
        least = NEAR**2 * squares[start : start + 512, None] * squares[None, start:]
        yield start, np.triu(products**2 >= least, k=1)


def _cap(glyphs: list[TaughtGlyph], limits: Limits, left_out: dict[int, Rule]) -> list[TaughtGlyph]:
    """Apply the caps of a day, of a pair and in all; people take turns, so that nobody crowds out another."""
    days: dict[tuple[Hashable, date], list[TaughtGlyph]] = defaultdict(list)
    for glyph in sorted(glyphs, key=lambda glyph: (glyph.taught_at, glyph.digest)):
        days[glyph.contributor, glyph.day].append(glyph)
    taken: list[TaughtGlyph] = []
    for of_a_day in days.values():
        taken += of_a_day[: limits.per_person_and_day]
        left_out.update((glyph.key, Rule.PERSON_AND_DAY) for glyph in of_a_day[limits.per_person_and_day :])

    pairs: dict[tuple[int, int], int] = defaultdict(int)
    kept: list[TaughtGlyph] = []
    for glyph in _in_turns(taken):
        pair = (glyph.shipped_digit, glyph.label)
        pairs[pair] += 1
        if pairs[pair] > limits.per_pair and not glyph.is_trusted:
            left_out[glyph.key] = Rule.PAIR
        elif len(kept) >= limits.maximum:
            left_out[glyph.key] = Rule.MAXIMUM
        else:
            kept.append(glyph)
    return sorted(kept, key=lambda glyph: (glyph.digest, glyph.taught_at))


def _in_turns(glyphs: list[TaughtGlyph]) -> list[TaughtGlyph]:
    """Everybody's first glyph, then everybody's second, and so on; each round in the order of the digests."""
    seen: dict[Hashable, int] = defaultdict(int)
    rounds: list[tuple[int, bytes, datetime, TaughtGlyph]] = []
    for glyph in sorted(glyphs, key=lambda glyph: (glyph.digest, glyph.taught_at)):
        rounds.append((seen[glyph.contributor], glyph.digest, glyph.taught_at, glyph))
        seen[glyph.contributor] += 1
    return [glyph for *_, glyph in sorted(rounds, key=lambda entry: entry[:3])]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Chosen glyphs, to train on and to judge by."""

    trained: tuple[TaughtGlyph, ...]
    held_out: tuple[TaughtGlyph, ...]


def split(
    chosen: Sequence[TaughtGlyph], share: float = 0.1, least: int = 20, whole_below: int = 200
) -> Split:
    """Hold glyphs out for the gate: those of whole people, or pictures where there is only one person.

    Below ``whole_below`` glyphs every one of them is needed for learning and none is held out. A person is
    known by the smallest digest among their glyphs, so the split depends on nothing but what they taught.
    """
    if len(chosen) < whole_below:
        return Split(tuple(chosen), ())
    people: dict[Hashable, list[TaughtGlyph]] = defaultdict(list)
    for glyph in chosen:
        people[glyph.contributor].append(glyph)
    groups = list(people.values()) if len(people) > 1 else [[glyph] for glyph in chosen]
    wanted = max(least, math.ceil(share * len(chosen)))
    held_out: set[int] = set()
    for group in sorted(
        groups, key=lambda group: hashlib.sha256(min(glyph.digest for glyph in group)).digest()
    ):
        if len(held_out) >= wanted:
            break
        if len(held_out) + len(group) <= len(chosen) // 2:
            held_out |= {glyph.key for glyph in group}
    return Split(
        tuple(glyph for glyph in chosen if glyph.key not in held_out),
        tuple(glyph for glyph in chosen if glyph.key in held_out),
    )


def largest_share(glyphs: Sequence[TaughtGlyph]) -> float:
    """The part of these glyphs that comes from the person with the most, 0..1."""
    counts: dict[Hashable, int] = defaultdict(int)
    for glyph in glyphs:
        counts[glyph.contributor] += 1
    return max(counts.values(), default=0) / max(1, len(glyphs))


def to_examples(glyphs: Sequence[TaughtGlyph]) -> Examples:
    """The glyphs as images and labels, in the order given."""
    images = np.zeros((len(glyphs), 28, 28), np.uint8)
    for index, glyph in enumerate(glyphs):
        images[index] = glyph.pixels
    return Examples(images, np.array([glyph.label for glyph in glyphs], np.uint8))
