"""What the gate says of candidates whose worth is known: equally good ones, and ones worse by design.

Its margins are right when it passes nearly all of the first kind and none of the second. Networks differ by
more than the pictures at hand show, so each comparison is repeated on pictures drawn anew, with replacement,
from the holdouts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.learning.gate import Margins, judge
from model.learning.holdouts import Holdout
from model.learning.report_card import Answers, CorrectionsEffect, Health, ReportCard, grade

_WELL = Health(parameters_are_finite=True, shapes_fit=True, answers_are_finite=True, slowdown=1.0)
_NOTHING = CorrectionsEffect(0, 0, 0, 0)

Damage = Callable[[Answers, Holdout, np.random.Generator], Answers]
"""Makes a candidate's answers worse."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often the gate passed, of how many times it was asked."""

    passed: int
    asked: int

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.passed + other.passed, self.asked + other.asked)


def pass_rate(
    networks: Sequence[Sequence[Answers]],
    judged_on: Sequence[Holdout],
    margins: Margins,
    *,
    rng: np.random.Generator,
    draws: int,
    damage: Damage | None = None,
) -> Rate:
    """Each network as a candidate against each other one as the champion and as what was shipped.

    Args:
        networks: answers of equally good networks on each holdout.
        judged_on: these holdouts.
        margins: of the gate.
        rng: draws the pictures.
        draws: of pictures for each pair.
        damage: done to the candidate's answers first.
    """
    rates = [
        judge(_card(candidate, champion, judged_on, rng, damage), margins).passed
        for candidate in networks
        for champion in networks
        if candidate is not champion
        for _ in range(draws)
    ]
    return Rate(sum(rates), len(rates))


def worse_overall(share: float) -> Damage:
    """So large a share of all pictures, of those read right, is read as the next likely digit."""

    def damage(answers: Answers, holdout: Holdout, rng: np.random.Generator) -> Answers:
        right = np.flatnonzero(answers.digits() == holdout.labels)
        return _misread(answers, rng.choice(right, round(share * len(holdout.labels)), replace=False))

    return damage


def worse_in_digit(digit: int, share: float) -> Damage:
    """As `worse_overall`, among the pictures of one digit."""

    def damage(answers: Answers, holdout: Holdout, rng: np.random.Generator) -> Answers:
        of_it = holdout.labels == digit
        right = np.flatnonzero((answers.digits() == holdout.labels) & of_it)
        return _misread(answers, rng.choice(right, round(share * int(of_it.sum())), replace=False))

    return damage


def swapped(one: int, other: int) -> Damage:
    """Two outputs are exchanged."""

    def damage(answers: Answers, _: Holdout, __: np.random.Generator) -> Answers:
        order = np.arange(10)
        order[[one, other]] = other, one
        return Answers(answers.probabilities[:, order])

    return damage


def _misread(answers: Answers, chosen: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Answers:
    """The two likeliest digits of these pictures exchange their probabilities."""
    probabilities = answers.probabilities.copy()
    order = np.argsort(probabilities[chosen], axis=1)
    first, second = order[:, -1], order[:, -2]
    highest, next_highest = probabilities[chosen, first], probabilities[chosen, second]
    probabilities[chosen, first], probabilities[chosen, second] = next_highest, highest
    return Answers(probabilities)


def _card(
    candidate: Sequence[Answers],
    champion: Sequence[Answers],
    judged_on: Sequence[Holdout],
    rng: np.random.Generator,
    damage: Damage | None,
) -> ReportCard:
    results = []
    for new, old, holdout in zip(candidate, champion, judged_on, strict=True):
        drawn = rng.integers(len(holdout.labels), size=len(holdout.labels))
        sample = Holdout(holdout.name, holdout.images[drawn], holdout.labels[drawn], holdout.sources[drawn])
        tested, opponent = Answers(new.probabilities[drawn]), Answers(old.probabilities[drawn])
        if damage is not None:
            tested = damage(tested, sample, rng)
        results.append(grade(tested, opponent, opponent, sample))
    return ReportCard(_WELL, 1.0, "mnist", tuple(results), _NOTHING, _NOTHING, (), 0.0)
