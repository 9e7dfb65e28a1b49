"""The cross-check of contributors."""

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from model.learning.cross_check import CrossCheck, agreements, choose, distrusted
from model.learning.handwriting import draw
from model.learning.selection import Limits, Rule, TaughtGlyph
from model.nn import checkpoint
from model.nn.network import Network

LIAR = 7


@pytest.fixture(scope="module")
def network() -> Network:
    return checkpoint.shipped("reader").network


@pytest.fixture(scope="module")
def drawings() -> NDArray[np.uint8]:
    return draw([index % 10 for index in range(80)], np.random.default_rng(2))


def taught(drawings: NDArray[np.uint8], people: int = 8) -> list[TaughtGlyph]:
    """Ten drawings of each person, rightly labelled but for the liar's; the network is unsure."""
    when = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        TaughtGlyph(
            index,
            index // 10,
            when,
            (index * 3 + 1) % 10 if index // 10 == LIAR else index % 10,
            drawing,
            0,
            0.4,
        )
        for index, drawing in enumerate(drawings[: 10 * people])
    ]


def test_who_labels_at_random_is_told_from_those_who_do_not(
    network: Network, drawings: NDArray[np.uint8]
) -> None:
    found = agreements(taught(drawings), network, CrossCheck())

    assert found.pop(LIAR) < 0.2
    assert min(found.values()) > 0.5
    assert distrusted(taught(drawings), network, CrossCheck()) == {LIAR}


def test_what_they_taught_goes_to_review_unless_an_admin_accepted_it(
    network: Network, drawings: NDArray[np.uint8]
) -> None:
    selection = choose(taught(drawings), network, Limits(per_pair=100), CrossCheck())

    assert {glyph.contributor for glyph in selection.chosen} == set(range(7))
    assert set(selection.left_out.values()) == {Rule.DISAGREES_WITH_OTHERS}


def test_a_few_people_are_no_majority(network: Network, drawings: NDArray[np.uint8]) -> None:
    assert agreements(taught(drawings, people=5), network, CrossCheck()) == {}


def test_the_order_of_people_and_their_numbers_decide_nothing(
    network: Network, drawings: NDArray[np.uint8]
) -> None:
    glyphs = taught(drawings)
    renumbered = [
        TaughtGlyph(g.key, 100 - int(str(g.contributor)), g.taught_at, g.label, g.pixels, 0, 0.4)
        for g in reversed(glyphs)
    ]

    one, other = agreements(glyphs, network, CrossCheck()), agreements(renumbered, network, CrossCheck())

    assert {who: other[100 - int(str(who))] for who in one} == one
