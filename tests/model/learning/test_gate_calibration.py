"""The gate's margins, on candidates of known worth."""

from collections.abc import Sequence

import numpy as np
import pytest

from model.learning.gate import Margins
from model.learning.gate_calibration import (
    Damage,
    Rate,
    pass_rate,
    swapped,
    worse_in_digit,
    worse_overall,
)
from model.learning.holdouts import PLAIN, Holdout
from model.learning.report_card import Answers

PICTURES = 5000


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    labels = (np.arange(PICTURES) % 10).astype(np.uint8)
    return Holdout(PLAIN, np.zeros((PICTURES, 28, 28), np.uint8), labels, np.arange(PICTURES))


@pytest.fixture(scope="module")
def equals(holdout: Holdout) -> list[list[Answers]]:
    """Three networks that misread 20 pictures each, of which 12 are the same, as runs of one recipe do."""
    rng = np.random.default_rng(6)
    order = rng.permutation(PICTURES)
    networks = []
    for number in range(3):
        probabilities = np.full((PICTURES, 10), 0.01 / 8, np.float32)
        probabilities[np.arange(PICTURES), holdout.labels] = 0.97
        probabilities[np.arange(PICTURES), (holdout.labels + 1) % 10] = 0.02
        wrong = np.concatenate([order[:12], order[20 + 8 * number : 28 + 8 * number]])
        probabilities[wrong, holdout.labels[wrong]] = 0.2
        probabilities[wrong, (holdout.labels[wrong] + 1) % 10] = 0.79
        networks.append([Answers(probabilities)])
    return networks


def rate(equals: Sequence[Sequence[Answers]], holdout: Holdout, damage: Damage | None = None) -> Rate:
    return pass_rate(equals, [holdout], Margins(), rng=np.random.default_rng(0), draws=4, damage=damage)


def test_equally_good_candidates_pass(equals: list[list[Answers]], holdout: Holdout) -> None:
    found = rate(equals, holdout)

    assert found.asked == 24
    assert found.passed >= 0.95 * found.asked


@pytest.mark.parametrize(
    "damage", [worse_overall(0.005), worse_in_digit(4, 0.05), worse_in_digit(1, 0.05), swapped(3, 8)]
)
def test_candidates_made_worse_do_not(equals: list[list[Answers]], holdout: Holdout, damage: Damage) -> None:
    assert rate(equals, holdout, damage).passed == 0
