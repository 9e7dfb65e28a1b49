"""What the gate refuses, and what it lets through."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from model.learning.gate import Fault, Margins, Verdict, judge
from model.learning.holdouts import PLAIN, Holdout
from model.learning.report_card import Answers, CorrectionsEffect, Health, ReportCard, find_flips, grade

PICTURES = 5000
WELL = Health(parameters_are_finite=True, shapes_fit=True, answers_are_finite=True, slowdown=1.0)
NOTHING = CorrectionsEffect(0, 0, 0, 0)


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    labels = (np.arange(PICTURES) % 10).astype(np.uint8)
    return Holdout(PLAIN, np.zeros((PICTURES, 28, 28), np.uint8), labels, np.arange(PICTURES))


def answers(labels: NDArray[np.uint8], wrong: Sequence[int] | NDArray[np.int64]) -> Answers:
    """Right with 98 % but for the pictures listed, where the next digit gets 60 %."""
    probabilities = np.full((len(labels), 10), 0.02 / 9, np.float32)
    probabilities[np.arange(len(labels)), labels] = 0.98
    for index in wrong:
        probabilities[index] = 0.4 / 9
        probabilities[index, (labels[index] + 1) % 10] = 0.6
    return Answers(probabilities)


def card(
    holdout: Holdout,
    candidate: Answers,
    champion: Answers,
    *,
    health: Health = WELL,
    held_out: CorrectionsEffect = NOTHING,
) -> ReportCard:
    graded = () if health != WELL else (grade(candidate, champion, champion, holdout),)
    flips = find_flips(candidate, champion, holdout, 8)
    return ReportCard(health, 0.75, "mnist", graded, NOTHING, held_out, flips, 12.5)


def faults(judged: ReportCard) -> set[Fault]:
    return {reason.fault for reason in judge(judged, Margins()).reasons}


def test_an_identical_candidate_passes(holdout: Holdout) -> None:
    champion = answers(holdout.labels, range(0, 300, 3))

    assert judge(card(holdout, champion, champion), Margins()).passed


def test_at_least_95_of_100_equally_good_candidates_pass(holdout: Holdout) -> None:
    """Champion and candidates each misread 25 of 5,000, 15 of them the same, as two runs of one recipe do."""
    rng = np.random.default_rng(3)
    passed = 0
    for _ in range(200):
        hard, other, another = np.split(rng.permutation(PICTURES)[:35], [15, 25])
        champion = answers(holdout.labels, np.concatenate([hard, other]))
        candidate = answers(holdout.labels, np.concatenate([hard, another]))
        passed += judge(card(holdout, candidate, champion), Margins()).passed

    assert passed >= 190


def test_half_a_point_worse_overall_is_refused(holdout: Holdout) -> None:
    rng = np.random.default_rng(4)
    refused = 0
    for _ in range(50):
        order = rng.permutation(PICTURES)
        champion = answers(holdout.labels, order[:25])
        candidate = answers(holdout.labels, order[10:60])
        refused += Fault.WORSE_OVERALL in faults(card(holdout, candidate, champion))

    assert refused == 50


def test_five_points_worse_in_one_digit_is_refused_and_the_digit_named(holdout: Holdout) -> None:
    fours = np.flatnonzero(holdout.labels == 4)
    champion = answers(holdout.labels, [])
    candidate = answers(holdout.labels, fours[:25])

    reasons = judge(card(holdout, candidate, champion), Margins()).reasons

    assert {reason.digit for reason in reasons if reason.fault is Fault.WORSE_DIGIT} == {4}


def test_two_swapped_outputs_are_refused(holdout: Holdout) -> None:
    champion = answers(holdout.labels, [])
    swapped = champion.probabilities[:, [0, 7, 2, 3, 4, 5, 6, 1, 8, 9]]

    reasons = judge(card(holdout, Answers(swapped), champion), Margins()).reasons

    assert {reason.digit for reason in reasons if reason.fault is Fault.WORSE_DIGIT} == {1, 7}


def test_being_less_sure_everywhere_is_refused_though_every_answer_is_right(holdout: Holdout) -> None:
    champion = answers(holdout.labels, [])
    unsure = champion.probabilities * np.float32(0.5) + np.float32(0.05)

    assert faults(card(holdout, Answers(unsure), champion)) == {Fault.WORSE_LOG_LOSS}


@pytest.mark.parametrize(
    ("health", "fault"),
    [
        (Health(False, True, False, 1.0), Fault.NOT_FINITE),
        (Health(True, True, False, 1.0), Fault.NOT_FINITE),
        (Health(True, False, True, 1.0), Fault.WRONG_SHAPE),
        (Health(True, True, True, 3.0), Fault.TOO_SLOW),
    ],
)
def test_a_broken_candidate_is_refused(holdout: Holdout, health: Health, fault: Fault) -> None:
    champion = answers(holdout.labels, [])

    assert faults(card(holdout, champion, champion, health=health)) == {fault}


def test_twenty_held_out_corrections_must_improve_on_the_shipped_network(holdout: Holdout) -> None:
    champion = answers(holdout.labels, [])
    no_better = CorrectionsEffect(glyphs=20, shipped=5, champion=12, candidate=5)
    better = CorrectionsEffect(glyphs=20, shipped=5, champion=12, candidate=11)

    assert faults(card(holdout, champion, champion, held_out=no_better)) == {Fault.CORRECTIONS_NOT_BETTER}
    assert faults(card(holdout, champion, champion, held_out=better)) == set()


def test_fewer_held_out_corrections_are_shown_and_not_judged(holdout: Holdout) -> None:
    champion = answers(holdout.labels, [])

    assert faults(card(holdout, champion, champion, held_out=CorrectionsEffect(19, 9, 9, 0))) == set()


def test_a_refused_shipped_opponent_counts_too(holdout: Holdout) -> None:
    """Slow drift: no worse than the champion, much worse than what was shipped."""
    drifted = answers(holdout.labels, range(60))
    graded = grade(drifted, drifted, answers(holdout.labels, []), holdout)
    judged = ReportCard(WELL, 0.75, "mnist", (graded,), NOTHING, NOTHING, (), 1.0)

    assert {reason.opponent for reason in judge(judged, Margins()).reasons} == {"shipped"}


def test_renderings_of_one_picture_are_one_witness(holdout: Holdout) -> None:
    """Twelve broken pictures refuse; twelve renderings of three pictures may be chance."""
    labels = np.zeros(1200, np.uint8)
    champion, candidate = answers(labels, []), answers(labels, range(12))

    def p_value(sources: NDArray[np.int64]) -> float:
        pictures = Holdout(PLAIN, np.zeros((1200, 28, 28), np.uint8), labels, sources)
        return grade(candidate, champion, champion, pictures).against_champion.overall.p_value

    assert p_value(np.arange(1200)) == pytest.approx(2**-12)
    assert p_value(np.arange(1200) // 4) == pytest.approx(2**-3)


def test_report_card_and_verdict_survive_json(holdout: Holdout) -> None:
    champion, candidate = answers(holdout.labels, []), answers(holdout.labels, range(40))
    judged = card(holdout, candidate, champion)
    verdict = judge(judged, Margins())

    assert ReportCard.from_dict(json.loads(json.dumps(judged.to_dict()))) == judged
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict
    assert not verdict.passed


def test_flips_show_what_breaks_before_what_is_repaired(holdout: Holdout) -> None:
    champion, candidate = answers(holdout.labels, [1, 2]), answers(holdout.labels, [8, 9])

    flips = find_flips(candidate, champion, holdout, most=3)

    assert [(flip.label, flip.champion, flip.candidate) for flip in flips[:2]] == [(8, 8, 9), (9, 9, 0)]
    assert flips[2].candidate == flips[2].label
    assert len(bytes.fromhex(flips[0].pixels)) == 784
