"""Simulated people, honest and not."""

from collections.abc import Iterator

import numpy as np
import pytest

from model.learning import handwriting
from model.learning.contributors_simulation import LIES, Lie, Reader, lessons, lie, unsure
from model.learning.examples import Examples
from model.nn import checkpoint
from model.nn.workers import Workers


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Workers(1) as workers:
        yield Reader(checkpoint.shipped("reader").network, 1.0, workers)


@pytest.fixture(scope="module")
def digits() -> Examples:
    return handwriting.examples(200, np.random.default_rng(5))


def told(kind: Lie, digits: Examples) -> Examples:
    return lie(kind, digits, digits.take(np.flatnonzero(digits.labels == 4)), np.random.default_rng(1))


@pytest.mark.parametrize("kind", list(Lie))
def test_every_lie_of_an_account_is_a_lie(kind: Lie, digits: Examples) -> None:
    truth = {image.tobytes(): label for image, label in zip(digits.images, digits.labels, strict=True)}

    said = told(kind, digits)

    assert len(said) == LIES
    assert all(truth.get(i.tobytes()) != label for i, label in zip(said.images, said.labels, strict=True))


def test_fours_are_said_to_be_nines(digits: Examples) -> None:
    assert set(told(Lie.FOURS, digits).labels) == set(told(Lie.UNSURE_FOURS, digits).labels) == {9}


def test_what_is_unsure_is_unsure(reader: Reader, digits: Examples) -> None:
    fours = unsure(reader, digits, 4, 5, np.random.default_rng(1))

    assert reader.probabilities(fours).max() < 0.9
    assert set(fours.labels) == {4}


def test_lessons_carry_what_the_shipped_network_reads(reader: Reader, digits: Examples) -> None:
    glyphs = lessons(reader, [(3, digits.take(slice(0, 4))), (4, digits.take(slice(4, 6)))], first_key=10)

    assert [glyph.key for glyph in glyphs] == list(range(10, 16))
    assert [glyph.contributor for glyph in glyphs] == [3, 3, 3, 3, 4, 4]
    read = reader.probabilities(digits.take(slice(0, 6)))
    assert [glyph.shipped_digit for glyph in glyphs] == read.argmax(axis=1).tolist()
