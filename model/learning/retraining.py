"""A whole retraining: tune the shipped network on corrections, grade it, step back until the gate passes.

It is a pure function of its job; `bot.trainer` runs it in a process of its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Literal

import numpy as np

from model.errors import ModelError
from model.learning.examples import Examples
from model.learning.finetuning import FineTuning, fine_tune, seed_of
from model.learning.gate import Fault, Margins, Verdict, judge
from model.learning.holdouts import Holdout
from model.learning.replay import Replay
from model.learning.report_card import (
    Answers,
    CorrectionsEffect,
    Flip,
    Health,
    HoldoutResult,
    ReportCard,
    effect,
    find_flips,
    grade,
)
from model.nn import checkpoint
from model.nn.checkpoint import Checkpoint
from model.nn.network import Network
from model.nn.workers import Workers

FLIPS_SHOWN = 8
"""Of each holdout."""


class Stage(StrEnum):
    """What a retraining is doing."""

    PREPARING = "preparing"
    TRAINING = "training"
    JUDGING = "judging"


Report = Callable[[Stage, float], None]
"""Told the stage and how much of it is done, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """All that a retraining depends on.

    Attributes:
        shipped: where it starts from.
        champion: what serves now; the shipped one where nothing was learned yet.
        trained: the corrections to learn.
        held_out: corrections to judge by; may be empty.
        recipe: how to learn.
        margins: how to judge.
    """

    shipped: Checkpoint
    champion: Checkpoint
    trained: Examples
    held_out: Examples
    recipe: FineTuning
    margins: Margins


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        candidate: a checkpoint's bytes; equal jobs give equal bytes.
        card: how it does.
        verdict: whether it may serve.
    """

    candidate: bytes
    card: ReportCard
    verdict: Verdict


def retrain(
    job: Job, replay: Replay, judged_on: tuple[Holdout, ...], workers: Workers, report: Report
) -> Outcome:
    """Learn the corrections, then judge each step back until one passes; if none does, the last is refused.

    Raises:
        TrainingError: there are no corrections, or the loss stops being a finite number.
    """
    started = time.monotonic()
    base = job.shipped.network
    tuned = fine_tune(
        base,
        job.trained,
        replay,
        job.recipe,
        workers,
        seed=seed_of(base, job.trained),
        progress=lambda done, steps: report(Stage.TRAINING, done / steps),
    )
    seconds = time.monotonic() - started
    examiner = Examiner(job, judged_on, workers, lambda done: report(Stage.JUDGING, done))
    for step in job.recipe.ways_back(len(job.trained), replay):
        network = base.interpolate(tuned, step)
        card = examiner.examine(network, step=step, replay=replay.name, seconds=seconds)
        verdict = judge(card, job.margins)
        if all(reason.fault is Fault.TOO_SLOW for reason in verdict.reasons):
            break  # a smaller step is no faster, and what depends on time must not choose weights
    return Outcome(checkpoint.save(network, _metadata(job, replay, step)), card, verdict)


def _metadata(job: Job, replay: Replay, step: float) -> dict[str, str]:
    """The shipped network's calibration, and how the weights came from it; nothing that varies."""
    return {
        "temperature": job.shipped.metadata.get("temperature", "1.0"),
        "parent": job.shipped.sha256,
        "corrections": str(len(job.trained)),
        "replay": replay.name,
        "step": str(step),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Sitting:
    """What one network answered: on each holdout, and on the two kinds of corrections."""

    holdouts: tuple[Answers, ...]
    trained: Answers
    held_out: Answers


class Examiner:
    """Grades candidates beside the champion and the shipped network, whose answers are asked for once.

    Args:
        job: names the two and the corrections.
        judged_on: the held-out pictures.
        workers: do the work.
        progress: told how much of it is done, 0..1, were every step back to be examined.
    """

    def __init__(
        self,
        job: Job,
        judged_on: tuple[Holdout, ...],
        workers: Workers,
        progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._job = job
        self._workers = workers
        self._progress = progress
        self._asked = 0
        self._temperature = float(job.shipped.metadata.get("temperature", 1.0))
        self._judged_on = judged_on
        self._shipped = self._ask(job.shipped.network)
        is_untaught = job.champion.sha256 == job.shipped.sha256
        self._champion = self._shipped if is_untaught else self._ask(job.champion.network)

    def examine(self, network: Network, *, step: float, replay: str, seconds: float) -> ReportCard:
        """The candidate's report card; of one that is broken it shows nothing but that."""
        health = self._health(network)
        is_whole = health.parameters_are_finite and health.shapes_fit and health.answers_are_finite
        candidate = self._ask(network) if is_whole else None
        return ReportCard(
            health=health,
            step=step,
            replay=replay,
            holdouts=self._grades(candidate) if candidate else (),
            trained=self._effect(candidate, "trained"),
            held_out=self._effect(candidate, "held_out"),
            flips=self._flips(candidate) if candidate else (),
            seconds=seconds,
        )

    def _ask(self, network: Network) -> _Sitting:
        """What a network says of everything; telling of each set of pictures shows that it is not stuck."""
        sets = [*(Examples(holdout.images, holdout.labels) for holdout in self._judged_on)]
        sets += [self._job.trained, self._job.held_out]
        answers = []
        for examples in sets:
            self._asked += 1
            answers.append(Answers.of(network, self._temperature, examples, self._workers))
            self._progress(self._asked / (len(sets) * (2 + len(self._job.recipe.steps_back))))
        return _Sitting(tuple(answers[:-2]), *answers[-2:])

    def _grades(self, candidate: _Sitting) -> tuple[HoldoutResult, ...]:
        sittings = zip(candidate.holdouts, self._champion.holdouts, self._shipped.holdouts, strict=True)
        return tuple(
            grade(new, champion, shipped, holdout)
            for (new, champion, shipped), holdout in zip(sittings, self._judged_on, strict=True)
        )

    def _effect(
        self, candidate: _Sitting | None, corrections: Literal["trained", "held_out"]
    ) -> CorrectionsEffect:
        labels = getattr(self._job, corrections).labels
        if candidate is None:
            return CorrectionsEffect(len(labels), 0, 0, 0)
        new, champion, shipped = (
            getattr(sitting, corrections) for sitting in (candidate, self._champion, self._shipped)
        )
        return effect(new, champion, shipped, labels)

    def _flips(self, candidate: _Sitting) -> tuple[Flip, ...]:
        """Of all holdouts in turn, so that the first few show something of each."""
        flips: list[tuple[Flip, ...]] = []
        for new, old, holdout in zip(
            candidate.holdouts, self._champion.holdouts, self._judged_on, strict=True
        ):
            flips.append(find_flips(new, old, holdout, FLIPS_SHOWN))
        return tuple(flip for row in zip_longest(*flips) for flip in row if flip is not None)

    def _health(self, network: Network) -> Health:
        own, expected = network.parameters(), self._job.shipped.network.parameters()
        fits = {name: p.shape for name, p in own.items()} == {name: p.shape for name, p in expected.items()}
        is_finite = all(bool(np.isfinite(parameter).all()) for parameter in own.values())
        if not (fits and is_finite):
            return Health(is_finite, fits, answers_are_finite=False, slowdown=1.0)
        glyphs = self._judged_on[0].images[:30].reshape(-1, 784).astype(np.float32) / np.float32(255)
        try:
            probabilities = network.probabilities(glyphs)
        except ModelError:
            return Health(is_finite, shapes_fit=False, answers_are_finite=False, slowdown=1.0)
        if probabilities.shape != (len(glyphs), 10):
            return Health(is_finite, shapes_fit=False, answers_are_finite=False, slowdown=1.0)
        is_answering = bool(np.isfinite(probabilities).all())
        return Health(is_finite, fits, is_answering, self._slowdown(network, glyphs))

    def _slowdown(self, network: Network, glyphs: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
        """Shortest time for a glyph, as a multiple of the shipped network's; both are asked in turn."""
        times: tuple[list[float], list[float]] = ([], [])
        for glyph in glyphs:
            for asked, own_times in zip((network, self._job.shipped.network), times, strict=True):
                started = time.perf_counter()
                asked.probabilities(glyph[None])
                own_times.append(time.perf_counter() - started)
        return min(times[0]) / min(times[1])
