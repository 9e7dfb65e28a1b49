"""A school of simulated people who teach the shipped network, honest and not, as the bot would learn of them.

Everything is a pure function of checkpoint, recipe and seed, so what was computed once is not computed again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from model.learning import holdouts, materials, replay
from model.learning.contributors_simulation import LIES as LIES_OF_ONE
from model.learning.contributors_simulation import (
    Contributor,
    Lie,
    Reader,
    lessons,
    lie,
    recruit,
    unsure,
)
from model.learning.cross_check import CrossCheck, choose
from model.learning.examples import Examples
from model.learning.finetuning import FineTuning
from model.learning.gate import Margins
from model.learning.gate_calibration import (
    Damage,
    Rate,
    pass_rate,
    swapped,
    worse_in_digit,
    worse_overall,
)
from model.learning.holdouts import Holdout
from model.learning.materials import Pictures
from model.learning.mnist import Mnist
from model.learning.replay import Replay
from model.learning.report_card import Answers
from model.learning.retraining import Job, Outcome, retrain
from model.learning.selection import (
    QUARANTINING,
    Limits,
    Selection,
    TaughtGlyph,
    largest_share,
    select,
    split,
    to_examples,
)
from model.learning.significance import holm, sign_flip_p_value
from model.learning.sureness import Sureness
from model.nn import checkpoint
from model.nn.checkpoint import Checkpoint
from model.nn.network import Network
from model.nn.workers import Workers

TEACHERS, NEWCOMERS = 50, 20
HONEST, LIARS, CROWD = 35, 15, 30
"""People in the runs with poison: 700 honest corrections and 300 lies, also by a crowd."""
ROUNDS = 10
"""Of the slow drip."""
PERSON_SHARE, CORRECTIONS_SHARE = 0.05, 0.2


class Scenario(StrEnum):
    """One way in which people teach; the slowest comes last."""

    CLEAN = "50 honest people"
    WITHOUT_MNIST = "50 honest people, without MNIST"
    UNSCREENED = "50 honest people, nothing held back for review"
    FEWER = "35 honest people"
    RANDOM = "30 % random labels"
    NEXT = "30 % label + 1"
    FOURS = "30 % all 4 to 9"
    ONE_GLYPH = "30 % one glyph again and again"
    COORDINATED = "30 % 4s it is unsure of to 9"
    CROWD = "30 % 4s it is unsure of to 9, by 30 accounts"
    DRIP = "30 % all 4 to 9, over 10 rounds"


LIES = {
    Scenario.RANDOM: Lie.RANDOM,
    Scenario.NEXT: Lie.NEXT,
    Scenario.FOURS: Lie.FOURS,
    Scenario.ONE_GLYPH: Lie.ONE_GLYPH,
    Scenario.DRIP: Lie.FOURS,
    Scenario.COORDINATED: Lie.UNSURE_FOURS,
    Scenario.CROWD: Lie.UNSURE_FOURS,
}


DAMAGES = {
    "0.5 point worse overall": worse_overall(0.005),
    "5 points worse in the 4s": worse_in_digit(4, 0.05),
    "5 points worse in the 1s": worse_in_digit(1, 0.05),
    "two outputs exchanged": swapped(3, 8),
}
DRAWS = 10
"""Of pictures, for each pair of candidates."""
ORDERS = 3
"""In which the same is learned, to know what chance does."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to; errors are shares, and of the network that serves afterwards.

    Attributes:
        teachers_before, teachers_after: error on unseen glyphs of people who taught honestly.
        newcomers_before, newcomers_after: on those of people who never taught.
        mnist_drop: points lost on 5,000 test digits; negative is better.
        trained: glyphs that were learned (of the drip: in the last round).
        held_back: share of the honest corrections that wait for review.
        lies_learned: how many lies were among those that were learned or judged by.
        published: whether the gate passed it (of the drip: how often).
        step: how far it went, 0..1.
        worst_digit: smallest p-value of a loss in a digit of the teachers' glyphs, corrected for there being
            ten.
        seconds, processor_seconds: of selecting, training and judging (of the drip: of the last round); the
            latter summed over processors, and the same on a busy machine.
    """

    scenario: str
    seed: int
    teachers_before: float
    teachers_after: float
    newcomers_before: float
    newcomers_after: float
    mnist_drop: float
    trained: int
    held_back: float
    lies_learned: int
    published: float
    step: float
    worst_digit: float
    seconds: float
    processor_seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Exam:
    """What a network gets wrong: (N,) booleans for people's unseen glyphs, and a count of MNIST's."""

    unseen: NDArray[np.bool_]
    mnist: int


class School:
    """Runs scenarios with one shipped network.

    Args:
        shipped: the network that people teach.
        digits: MNIST.
        workers: do the work.
        folder: where people and renderings are kept, which take longer to make than to learn from.
    """

    def __init__(self, shipped: Checkpoint, digits: Mnist, workers: Workers, folder: Path) -> None:
        self._shipped, self._digits, self._workers, self._folder = shipped, digits, workers, folder
        self._recipe, self._limits, self._margins = FineTuning(), Limits(), Margins()
        self._people: dict[int, list[Contributor]] = {}
        self._before: dict[int, _Exam] = {}
        self._outcomes: dict[bytes, Outcome] = {}

    @property
    def identity(self) -> str:
        """Of all that figures depend on."""
        edge = replay.EDGE_SHARE, replay.EDGE_PART, replay.SEARCHED
        settings = self._recipe, edge, self._limits, CrossCheck(), self._margins, holdouts.RENDERING_VERSION
        return hashlib.sha256(repr((self._shipped.sha256, settings)).encode()).hexdigest()[:12]

    def run(self, scenario: Scenario, seed: int) -> tuple[Run, bytes]:
        """Teach, select, train and judge as the bot does; figures of what serves then, and the candidate."""
        teachers = self.teachers(scenario, seed)
        glyphs = self._taught(teachers, scenario, seed)
        numbers = {teacher.number for teacher in teachers}
        honest = {glyph.key for glyph in glyphs if glyph.contributor in numbers}
        rounds = ROUNDS if scenario is Scenario.DRIP else 1
        serving, published = self._shipped, 0
        for number in range(1, rounds + 1):
            started, processor_started = perf_counter(), process_time()
            so_far = [glyph for glyph in glyphs if glyph.key % ROUNDS < number * ROUNDS // rounds]
            selection = self._selected(so_far, scenario)
            outcome = self._retrained(selection, serving, without_mnist=scenario is Scenario.WITHOUT_MNIST)
            seconds, processor_seconds = perf_counter() - started, process_time() - processor_started
            if outcome.verdict.passed:
                serving, published = checkpoint.load(outcome.candidate), published + 1
        held_back = {key for key, rule in selection.left_out.items() if rule in QUARANTINING}
        before, after = self._examined_before(seed), self._examine(serving.network, seed)
        taught = slice(0, _unseen_count(teachers))
        new = slice(_unseen_count(self.people(seed)[:TEACHERS]), None)
        run = Run(
            scenario=scenario.value,
            seed=seed,
            teachers_before=float(before.unseen[taught].mean()),
            teachers_after=float(after.unseen[taught].mean()),
            newcomers_before=float(before.unseen[new].mean()),
            newcomers_after=float(after.unseen[new].mean()),
            mnist_drop=100 * (after.mnist - before.mnist) / 5_000,
            trained=outcome.card.trained.glyphs,
            held_back=len(held_back & honest) / len(honest),
            lies_learned=sum(glyph.key not in honest for glyph in selection.chosen),
            published=published / rounds,
            step=outcome.card.step,
            worst_digit=_worst_digit(before.unseen[taught], after.unseen[taught], _unseen(teachers).labels),
            seconds=seconds,
            processor_seconds=processor_seconds,
        )
        return run, outcome.candidate

    def teachers(self, scenario: Scenario, seed: int) -> list[Contributor]:
        """Those who teach honestly."""
        is_smaller = scenario in LIES or scenario is Scenario.FEWER
        return self.people(seed)[: HONEST if is_smaller else TEACHERS]

    def learned_again(self, seed: int, order: int) -> bytes:
        """A candidate that learned from 50 honest people what `run` learns, in another order."""
        glyphs = self._taught(self.teachers(Scenario.CLEAN, seed), Scenario.CLEAN, seed)
        selection = self._selected(glyphs, Scenario.CLEAN)
        places = np.random.default_rng((seed, order)).permutation(len(selection.chosen))
        reordered = replace(selection, chosen=tuple(selection.chosen[place] for place in places))
        return self._retrained(reordered, self._shipped, without_mnist=False).candidate

    def gate_rates(self, candidates: Sequence[Sequence[bytes]]) -> dict[str, Rate]:
        """How often the gate passes candidates against one another, and what was made worse of them.

        Args:
            candidates: for each group of people those that learned the same in different orders, and so are
                equally good; the first of each group is compared with those of the other people.
        """
        answers = [[self._answers(data) for data in group] for group in candidates]
        firsts = [group[0] for group in answers]
        alike = [self._pass_rate(group) for group in answers]
        return {
            "equally good: the same lessons in another order": sum(alike, Rate(0, 0)),
            "taught by other people": self._pass_rate(firsts),
            **{kind: self._pass_rate(firsts, damage) for kind, damage in DAMAGES.items()},
        }

    def _answers(self, candidate: bytes) -> list[Answers]:
        reader, (_, judged_on) = self._reader(checkpoint.load(candidate).network), self._mnist
        return [Answers(reader.probabilities(Examples(one.images, one.labels))) for one in judged_on]

    def _pass_rate(self, networks: Sequence[Sequence[Answers]], damage: Damage | None = None) -> Rate:
        rng = np.random.default_rng(0)
        return pass_rate(networks, self._mnist[1], self._margins, rng=rng, draws=DRAWS, damage=damage)

    def people(self, seed: int) -> list[Contributor]:
        """Those who teach, then those who never do; made once and kept in a file."""
        if seed not in self._people:
            path = self._folder / f"people-{self._shipped.sha256[:12]}-{seed}.safetensors"
            try:
                found = _unpacked(safetensors.numpy.load(path.read_bytes()))
            except (OSError, KeyError, safetensors.SafetensorError):
                reader = self._reader(self._shipped.network)
                found = list(recruit(reader, self._digits.test, TEACHERS + NEWCOMERS, seed))
                path.write_bytes(safetensors.numpy.save(_packed(found)))
            self._people = {seed: found}
        return self._people[seed]

    def _taught(self, teachers: Sequence[Contributor], scenario: Scenario, seed: int) -> list[TaughtGlyph]:
        said = [(teacher.number, teacher.taught) for teacher in teachers]
        reader = self._reader(self._shipped.network)
        if scenario in LIES:
            rng = np.random.default_rng((seed, 1))
            pool = self._digits.test.take(slice(5_000, 7_500))
            fours = unsure(reader, pool, 4, 300, rng)
            liars = CROWD if scenario is Scenario.CROWD else LIARS
            each = slice(0, LIARS * LIES_OF_ONE // liars)
            said += [
                (1_000 + liar, lie(LIES[scenario], pool, fours, rng).take(each)) for liar in range(liars)
            ]
        return lessons(reader, said)

    def _selected(self, glyphs: Sequence[TaughtGlyph], scenario: Scenario) -> Selection:
        if scenario is Scenario.UNSCREENED:
            return select([replace(glyph, shipped_confidence=0.0) for glyph in glyphs], self._limits)
        return choose(glyphs, self._shipped.network, self._limits, CrossCheck())

    def _retrained(self, selection: Selection, champion: Checkpoint, *, without_mnist: bool) -> Outcome:
        parts = split(selection.chosen)
        recipe = self._recipe.within(
            largest_share(parts.trained), person=PERSON_SHARE, corrections=CORRECTIONS_SHARE
        )
        trained, held_out = to_examples(parts.trained), to_examples(parts.held_out)
        digest = hashlib.sha256(f"{champion.sha256} {without_mnist} {recipe}".encode())
        for array in (trained.images, trained.labels, held_out.images, held_out.labels):
            digest.update(array.tobytes())
        if digest.digest() not in self._outcomes:
            job = Job(self._shipped, champion, trained, held_out, recipe, self._margins)
            mixed_in, judged_on = self._drawn if without_mnist else self._mnist
            self._outcomes[digest.digest()] = retrain(
                job, mixed_in, judged_on, self._workers, lambda *_: None
            )
        return self._outcomes[digest.digest()]

    @cached_property
    def _mnist(self) -> tuple[Replay, tuple[Holdout, ...]]:
        return self._prepared(self._digits)

    @cached_property
    def _drawn(self) -> tuple[Replay, tuple[Holdout, ...]]:
        return self._prepared(None)

    def _prepared(self, digits: Mnist | None) -> tuple[Replay, tuple[Holdout, ...]]:
        """What is replayed and judged by, as the bot makes it."""
        return materials.prepare(digits, Pictures(), self._shipped.network, self._workers, self._folder)

    def _examined_before(self, seed: int) -> _Exam:
        if seed not in self._before:
            self._before[seed] = self._examine(self._shipped.network, seed)
        return self._before[seed]

    def _examine(self, network: Network, seed: int) -> _Exam:
        reader, unseen = self._reader(network), _unseen(self.people(seed))
        is_wrong = reader.probabilities(unseen).argmax(axis=1) != unseen.labels
        return _Exam(is_wrong, reader.errors(self._digits.test.take(slice(0, 5_000))))

    def _reader(self, network: Network) -> Reader:
        metadata = self._shipped.metadata
        sureness = Sureness.of_checkpoint(metadata)
        return Reader(network, float(metadata.get("temperature", 1.0)), self._workers, sureness)


def _unseen(people: Sequence[Contributor]) -> Examples:
    return Examples.concatenate([person.unseen for person in people])


def _unseen_count(people: Sequence[Contributor]) -> int:
    return sum(len(person.unseen) for person in people)


def _worst_digit(before: NDArray[np.bool_], after: NDArray[np.bool_], labels: NDArray[np.uint8]) -> float:
    losses = after.astype(np.int64) - before.astype(np.int64)
    return min(holm([sign_flip_p_value(losses[labels == digit]) for digit in range(10)]))


def _packed(people: Sequence[Contributor]) -> dict[str, NDArray[np.uint8]]:
    return {
        f"{person.number}.{kind}.{part}": getattr(getattr(person, kind), part)
        for person in people
        for kind in ("taught", "unseen")
        for part in ("images", "labels")
    }


def _unpacked(tensors: dict[str, NDArray[np.uint8]]) -> list[Contributor]:
    def examples(number: int, kind: str) -> Examples:
        return Examples(tensors[f"{number}.{kind}.images"], tensors[f"{number}.{kind}.labels"])

    return [
        Contributor(number, examples(number, "taught"), examples(number, "unseen"))
        for number in range(TEACHERS + NEWCOMERS)
    ]
