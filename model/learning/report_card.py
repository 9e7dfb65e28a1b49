"""The report card: a candidate beside the champion and the shipped network, on the same held-out pictures."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.learning.holdouts import Holdout
from model.learning.significance import mean_p_value, sign_flip_p_value, sum_by_source
from model.nn.losses import softmax
from model.nn.network import Network
from model.nn.workers import Workers

LEAST_PROBABILITY = 1e-12
"""Keeps the log-loss of an answer that was certain and wrong finite."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one network does on one holdout.

    Attributes:
        right: pictures read right.
        log_loss: mean of -log p(label), in nats.
        per_digit: pictures read right of each digit.
    """

    right: int
    log_loss: float
    per_digit: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The candidate against one opponent on the same pictures (all of a holdout, or those of one digit).

    Attributes:
        broken: pictures that the opponent reads right and the candidate wrong.
        repaired: the other way round.
        loss: (broken - repaired) / pictures; positive is worse.
        p_value: one-sided and exact, of a loss at least as large by chance; see `sign_flip_p_value`.
    """

    broken: int
    repaired: int
    loss: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate against one opponent on one holdout.

    Attributes:
        overall: on all pictures.
        per_digit: on the pictures of each digit.
        log_loss_rise: mean rise of the log-loss, in nats; positive is worse.
        log_loss_p_value: one-sided, of a rise at least as large by chance.
    """

    overall: Difference
    per_digit: tuple[Difference, ...]
    log_loss_rise: float
    log_loss_p_value: float


@dataclass(frozen=True, slots=True)
class HoldoutResult:
    """One holdout: its size, the three scores, and the candidate's two comparisons.

    Attributes:
        name: of the holdout.
        pictures: how many there are.
        per_digit: how many there are of each digit.
    """

    name: str
    pictures: int
    per_digit: tuple[int, ...]
    candidate: Score
    champion: Score
    shipped: Score
    against_champion: Comparison
    against_shipped: Comparison


@dataclass(frozen=True, slots=True)
class Flip:
    """One held-out picture that champion and candidate read differently.

    Attributes:
        holdout: its name.
        label: what it is.
        champion, candidate: what they read.
        champion_probability, candidate_probability: how sure they are of it, 0..1.
        pixels: the 784 bytes of the glyph in hexadecimal, ink bright.
    """

    holdout: str
    label: int
    champion: int
    candidate: int
    champion_probability: float
    candidate_probability: float
    pixels: str


@dataclass(frozen=True, slots=True)
class CorrectionsEffect:
    """How many corrected glyphs each network reads as they were corrected."""

    glyphs: int
    shipped: int
    champion: int
    candidate: int


@dataclass(frozen=True, slots=True)
class Health:
    """What a broken candidate shows before any picture is compared.

    Attributes:
        parameters_are_finite: no NaN or infinity among the weights.
        shapes_fit: architecture and shapes are the shipped network's.
        answers_are_finite: neither are there any among its answers.
        slowdown: time for one glyph, as a multiple of the shipped network's.
    """

    parameters_are_finite: bool
    shapes_fit: bool
    answers_are_finite: bool
    slowdown: float


@dataclass(frozen=True, slots=True)
class ReportCard:
    """All that the gate judges and an admin looks at; plain values only.

    Attributes:
        health: see `Health`; where it is bad, nothing else is measured.
        step: how far the candidate went from the shipped weights to the tuned ones, 0..1.
        replay: what was mixed in, "mnist" or "drawn".
        holdouts: one result each.
        trained: effect on the corrections that it learned from; shown, never judged.
        held_out: effect on corrections that it never saw; judged where there are enough.
        flips: a few pictures of what changes, broken ones first.
        seconds: how long training took.
    """

    health: Health
    step: float
    replay: str
    holdouts: tuple[HoldoutResult, ...]
    trained: CorrectionsEffect
    held_out: CorrectionsEffect
    flips: tuple[Flip, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The card that `to_dict` gave these values for, also after a journey through JSON."""
        return cls(
            health=Health(**values["health"]),
            step=values["step"],
            replay=values["replay"],
            holdouts=tuple(_holdout_result(result) for result in values["holdouts"]),
            trained=CorrectionsEffect(**values["trained"]),
            held_out=CorrectionsEffect(**values["held_out"]),
            flips=tuple(Flip(**flip) for flip in values["flips"]),
            seconds=values["seconds"],
        )


def _holdout_result(values: dict[str, Any]) -> HoldoutResult:
    return HoldoutResult(
        name=values["name"],
        pictures=values["pictures"],
        per_digit=tuple(values["per_digit"]),
        candidate=_score(values["candidate"]),
        champion=_score(values["champion"]),
        shipped=_score(values["shipped"]),
        against_champion=_comparison(values["against_champion"]),
        against_shipped=_comparison(values["against_shipped"]),
    )


def _score(values: dict[str, Any]) -> Score:
    return Score(values["right"], values["log_loss"], tuple(values["per_digit"]))


def _comparison(values: dict[str, Any]) -> Comparison:
    return Comparison(
        overall=Difference(**values["overall"]),
        per_digit=tuple(Difference(**difference) for difference in values["per_digit"]),
        log_loss_rise=values["log_loss_rise"],
        log_loss_p_value=values["log_loss_p_value"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one network says of N pictures.

    Attributes:
        probabilities: float32 (N, 10).
    """

    probabilities: NDArray[np.float32]

    @classmethod
    def of(cls, network: Network, temperature: float, examples: Examples, workers: Workers) -> Self:
        """Ask about pictures; logits are divided by the temperature, which calibrates the probabilities."""
        if len(examples) == 0:
            return cls(np.zeros((0, 10), np.float32))
        logits = workers.map_chunks(network.logits, examples.pixels)
        return cls(softmax(logits / np.float32(temperature)))

    def digits(self) -> NDArray[np.int64]:
        """(N,) the most probable digits."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    def errors(self, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(N,) 1 where the picture is read wrong."""
        return np.asarray(self.digits() != labels, np.int64)

    def log_losses(self, labels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N,) -log p(label), in nats."""
        chosen = self.probabilities[np.arange(len(labels)), labels].astype(np.float64)
        return -np.log(np.maximum(chosen, LEAST_PROBABILITY))


def compare(candidate: Answers, opponent: Answers, holdout: Holdout) -> Comparison:
    """The candidate against one opponent: overall, per digit and in log-loss, resampled by source picture."""
    labels, sources = holdout.labels, holdout.sources
    losses = candidate.errors(labels) - opponent.errors(labels)
    rises = candidate.log_losses(labels) - opponent.log_losses(labels)
    return Comparison(
        overall=_difference(losses, sources),
        per_digit=tuple(
            _difference(losses[labels == digit], sources[labels == digit]) for digit in range(10)
        ),
        log_loss_rise=float(rises.mean()),
        log_loss_p_value=mean_p_value(sum_by_source(rises, sources)),
    )


def _difference(losses: NDArray[np.int64], sources: NDArray[np.int64]) -> Difference:
    return Difference(
        broken=int((losses > 0).sum()),
        repaired=int((losses < 0).sum()),
        loss=float(losses.sum() / max(1, len(losses))),
        p_value=sign_flip_p_value(sum_by_source(losses, sources)),
    )


def score(answers: Answers, labels: NDArray[np.uint8]) -> Score:
    """How one network does on pictures with these labels."""
    is_right = answers.errors(labels) == 0
    return Score(
        right=int(is_right.sum()),
        log_loss=float(answers.log_losses(labels).mean()),
        per_digit=tuple(int(is_right[labels == digit].sum()) for digit in range(10)),
    )


def grade(candidate: Answers, champion: Answers, shipped: Answers, holdout: Holdout) -> HoldoutResult:
    """One holdout's part of the report card."""
    return HoldoutResult(
        name=holdout.name,
        pictures=len(holdout.labels),
        per_digit=tuple(np.bincount(holdout.labels, minlength=10).tolist()),
        candidate=score(candidate, holdout.labels),
        champion=score(champion, holdout.labels),
        shipped=score(shipped, holdout.labels),
        against_champion=compare(candidate, champion, holdout),
        against_shipped=compare(candidate, shipped, holdout),
    )


def effect(
    candidate: Answers, champion: Answers, shipped: Answers, labels: NDArray[np.uint8]
) -> CorrectionsEffect:
    """How many of these corrected glyphs each network reads as corrected."""
    right = [int(len(labels) - answers.errors(labels).sum()) for answers in (shipped, champion, candidate)]
    return CorrectionsEffect(len(labels), *right)


def find_flips(candidate: Answers, champion: Answers, holdout: Holdout, most: int) -> tuple[Flip, ...]:
    """Up to ``most`` pictures that the two read differently: broken ones first, the surest before others."""
    old, new = champion.digits(), candidate.digits()
    is_broken = (new != holdout.labels) & (old == holdout.labels)
    flipped = np.flatnonzero(old != new)
    order = sorted(
        flipped.tolist(),
        key=lambda index: (not is_broken[index], -float(candidate.probabilities[index].max())),
    )
    return tuple(
        Flip(
            holdout=holdout.name,
            label=int(holdout.labels[index]),
            champion=int(old[index]),
            candidate=int(new[index]),
            champion_probability=float(champion.probabilities[index].max()),
            candidate_probability=float(candidate.probabilities[index].max()),
            pixels=holdout.images[index].tobytes().hex(),
        )
        for index in order[:most]
    )
