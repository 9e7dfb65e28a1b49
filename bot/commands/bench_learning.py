"""`digitbot bench learning`: simulated people teach the shipped network, some of them lies.

What was measured is kept in the cache folder under the checkpoint and the recipe, a line for each run, so a
stopped benchmark goes on where it was.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter

import numpy as np
import platformdirs
from rich.console import Console
from rich.table import Table

from model.learning import handwriting, holdouts, mnist, replay
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
from model.learning.gate_calibration import Rate, pass_rate, swapped, worse_in_digit, worse_overall
from model.learning.holdouts import Holdout
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
HONEST, LIARS = 35, 15
"""People in the runs with poison: 700 honest corrections and 300 lies."""
ROUNDS = 10
"""Of the slow drip."""
PHOTOS = 200
DRAWN, DRAWN_HELD_OUT = 5_000, 1_000
PERSON_SHARE, CORRECTIONS_SHARE = 0.05, 0.2


class Scenario(StrEnum):
    """One way in which people teach."""

    CLEAN = "50 honest people"
    WITHOUT_MNIST = "50 honest people, without MNIST"
    UNSCREENED = "50 honest people, nothing held back"
    FEWER = "35 honest people"
    RANDOM = "30 % random labels"
    NEXT = "30 % label + 1"
    FOURS = "30 % all 4 to 9"
    ONE_GLYPH = "30 % one glyph again and again"
    DRIP = "30 % all 4 to 9, over 10 rounds"
    COORDINATED = "30 % 4s it is unsure of to 9"


LIES = {
    Scenario.RANDOM: Lie.RANDOM,
    Scenario.NEXT: Lie.NEXT,
    Scenario.FOURS: Lie.FOURS,
    Scenario.ONE_GLYPH: Lie.ONE_GLYPH,
    Scenario.DRIP: Lie.FOURS,
    Scenario.COORDINATED: Lie.UNSURE_FOURS,
}


DAMAGES = {
    "equally good": None,
    "0.5 point worse overall": worse_overall(0.005),
    "5 points worse in the 4s": worse_in_digit(4, 0.05),
    "5 points worse in the 1s": worse_in_digit(1, 0.05),
    "two outputs exchanged": swapped(3, 8),
}
DRAWS = 10
"""Of pictures, for each pair of candidates."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to; errors are shares, and of the network that serves afterwards.

    Attributes:
        teachers_before, teachers_after: error on unseen glyphs of people who taught honestly.
        newcomers_before, newcomers_after: on those of people who never taught.
        mnist_drop: points lost on 5,000 test digits; negative is better.
        held_back: share of the honest corrections that wait for review.
        published: whether the gate passed it (of the drip: how often).
        step: how far it went, 0..1.
        worst_digit: smallest p-value of a loss in a digit of the teachers' glyphs, corrected for there being
            ten.
        seconds: of training and judging (of the drip: of the last round).
    """

    scenario: str
    seed: int
    teachers_before: float
    teachers_after: float
    newcomers_before: float
    newcomers_after: float
    mnist_drop: float
    held_back: float
    published: float
    step: float
    worst_digit: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LearningFigures:
    """All runs, and how often the gate passed candidates of known worth."""

    runs: tuple[Run, ...]
    gate: dict[str, Rate]

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""
        return {
            "runs": [asdict(run) for run in self.runs],
            "gate": {kind: asdict(rate) for kind, rate in self.gate.items()},
        }


def bench_learning(console: Console, mnist_folder: Path, seeds: int = 5) -> LearningFigures:
    """Every scenario with every seed, then the gate; what was measured before is taken from the cache."""
    with Workers(2) as workers:
        school = School(checkpoint.shipped("reader"), mnist.load(mnist_folder), workers)
        cache = _Cache(platformdirs.user_cache_path("digitbot") / f"bench-learning-{school.identity}")
        runs = []
        for seed in range(seeds):
            for scenario in Scenario:
                run = cache.get(scenario, seed)
                if run is None:
                    run = cache.put(*school.run(scenario, seed))
                runs.append(run)
                console.print(_line(run))
        gate = school.gate_rates([cache.candidate(Scenario.CLEAN, seed) for seed in range(seeds)])
    console.print(_table(runs))
    console.print(_gate_table(gate))
    return LearningFigures(tuple(runs), gate)


class School:
    """Runs scenarios with one shipped network."""

    def __init__(self, shipped: Checkpoint, digits: Mnist, workers: Workers) -> None:
        self._shipped, self._digits, self._workers = shipped, digits, workers
        self._recipe, self._limits, self._margins = FineTuning(), Limits(), Margins()
        self._people: dict[int, list[Contributor]] = {}

    @property
    def identity(self) -> str:
        """Of all that figures depend on."""
        parts = (self._shipped.sha256, self._recipe, self._limits, self._margins, holdouts.RENDERING_VERSION)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def run(self, scenario: Scenario, seed: int) -> tuple[Run, bytes]:
        """Teach, select, train and judge as the bot does; figures of what serves then, and the candidate."""
        people = self._recruited(seed)
        teachers, newcomers = people[:TEACHERS], people[TEACHERS:]
        if scenario in LIES or scenario is Scenario.FEWER:
            teachers = teachers[:HONEST]
        glyphs = self._taught(teachers, LIES.get(scenario), seed)
        honest = {glyph.key for glyph in glyphs if glyph.contributor in {one.number for one in teachers}}
        rounds = ROUNDS if scenario is Scenario.DRIP else 1
        serving, published = self._shipped, 0
        for number in range(1, rounds + 1):
            started = perf_counter()
            so_far = [glyph for glyph in glyphs if glyph.key % ROUNDS < number * ROUNDS // rounds]
            selection = self._selected(so_far, scenario)
            outcome = self._retrained(selection, serving, without_mnist=scenario is Scenario.WITHOUT_MNIST)
            seconds = perf_counter() - started
            if outcome.verdict.passed:
                serving, published = checkpoint.load(outcome.candidate), published + 1
        held_back = [
            key for key, rule in selection.left_out.items() if rule in QUARANTINING and key in honest
        ]
        taught, new = _unseen(teachers), _unseen(newcomers)
        before, after = self._reader(self._shipped.network), self._reader(serving.network)
        plain = self._digits.test.take(slice(0, 5_000))
        run = Run(
            scenario=scenario.value,
            seed=seed,
            teachers_before=before.errors(taught) / len(taught),
            teachers_after=after.errors(taught) / len(taught),
            newcomers_before=before.errors(new) / len(new),
            newcomers_after=after.errors(new) / len(new),
            mnist_drop=100 * (after.errors(plain) - before.errors(plain)) / len(plain),
            held_back=len(held_back) / len(honest),
            published=published / rounds,
            step=outcome.card.step,
            worst_digit=_worst_digit(before, after, taught),
            seconds=seconds,
        )
        return run, outcome.candidate

    def gate_rates(self, candidates: Sequence[bytes]) -> dict[str, Rate]:
        """How often the gate passes these, which are equally good, and what was made worse of them."""
        judged_on = _judged_on(self._digits.validation)
        networks = []
        for data in candidates:
            reader = self._reader(checkpoint.load(data).network)
            answers = [Answers(reader.probabilities(Examples(one.images, one.labels))) for one in judged_on]
            networks.append(answers)
        return {
            kind: pass_rate(
                networks, judged_on, self._margins, rng=np.random.default_rng(0), draws=DRAWS, damage=damage
            )
            for kind, damage in DAMAGES.items()
        }

    def _recruited(self, seed: int) -> list[Contributor]:
        if seed not in self._people:
            reader = self._reader(self._shipped.network)
            self._people = {seed: list(recruit(reader, self._digits.test, TEACHERS + NEWCOMERS, seed))}
        return self._people[seed]

    def _taught(self, teachers: Sequence[Contributor], lies: Lie | None, seed: int) -> list[TaughtGlyph]:
        said = [(teacher.number, teacher.taught) for teacher in teachers]
        reader = self._reader(self._shipped.network)
        if lies is not None:
            rng = np.random.default_rng((seed, 1))
            pool = self._digits.test.take(slice(5_000, 7_500))
            fours = unsure(reader, pool, 4, 300, rng)
            said += [(1_000 + liar, lie(lies, pool, fours, rng)) for liar in range(LIARS)]
        return lessons(reader, said)

    def _selected(self, glyphs: Sequence[TaughtGlyph], scenario: Scenario) -> Selection:
        if scenario is Scenario.UNSCREENED:
            return select(glyphs, Limits(quarantine_above=1.0, per_pair=10_000))
        return choose(glyphs, self._shipped.network, self._limits, CrossCheck())

    def _retrained(self, selection: Selection, champion: Checkpoint, *, without_mnist: bool) -> Outcome:
        parts = split(selection.chosen)
        recipe = self._recipe.within(
            largest_share(parts.trained), person=PERSON_SHARE, corrections=CORRECTIONS_SHARE
        )
        job = Job(
            self._shipped,
            champion,
            to_examples(parts.trained),
            to_examples(parts.held_out),
            recipe,
            self._margins,
        )
        mixed_in, judged_on = self._drawn() if without_mnist else self._mnist()
        return retrain(job, mixed_in, judged_on, self._workers, lambda *_: None)

    def _mnist(self) -> tuple[Replay, tuple[Holdout, ...]]:
        return replay.from_mnist(self._digits.train), _judged_on(self._digits.validation)

    def _drawn(self) -> tuple[Replay, tuple[Holdout, ...]]:
        rng = np.random.default_rng(holdouts.SEED)
        labels = [number % 10 for number in range(DRAWN_HELD_OUT)]
        held_out = Examples(handwriting.draw(labels, rng), np.array(labels, np.uint8))
        drawn = replay.from_drawing(handwriting.draw, self._shipped.network, rng, DRAWN)
        return drawn, _judged_on(held_out)

    def _reader(self, network: Network) -> Reader:
        metadata = self._shipped.metadata
        sureness = Sureness.of_checkpoint(metadata)
        return Reader(network, float(metadata.get("temperature", 1.0)), self._workers, sureness)


def _judged_on(held_out: Examples) -> tuple[Holdout, ...]:
    return holdouts.load_or_render(held_out, PHOTOS, platformdirs.user_cache_path("digitbot"), lambda _: None)


def _unseen(people: Sequence[Contributor]) -> Examples:
    return Examples.concatenate([person.unseen for person in people])


def _worst_digit(before: Reader, after: Reader, taught: Examples) -> float:
    old, new = (reader.probabilities(taught).argmax(axis=1) != taught.labels for reader in (before, after))
    losses = new.astype(np.int64) - old.astype(np.int64)
    return min(holm([sign_flip_p_value(losses[taught.labels == digit]) for digit in range(10)]))


class _Cache:
    """Runs that were done before, a line of JSON each, and their candidates."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._file = folder, folder / "runs.jsonl"
        self._runs: dict[tuple[str, int], Run] = {}
        if self._file.exists():
            for line in self._file.read_text().splitlines():
                run = Run(**json.loads(line))
                self._runs[run.scenario, run.seed] = run

    def get(self, scenario: Scenario, seed: int) -> Run | None:
        return self._runs.get((scenario.value, seed))

    def candidate(self, scenario: Scenario, seed: int) -> bytes:
        return self._candidate_file(scenario, seed).read_bytes()

    def _candidate_file(self, scenario: Scenario, seed: int) -> Path:
        return self._folder / f"{scenario.name.lower()}-{seed}.safetensors"

    def put(self, run: Run, candidate: bytes) -> Run:
        self._candidate_file(Scenario(run.scenario), run.seed).write_bytes(candidate)
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(run)) + "\n")
        return run


def _line(run: Run) -> str:
    return (
        f"{run.scenario}, seed {run.seed}: teachers {run.teachers_before:.1%} > {run.teachers_after:.1%}, "
        f"newcomers {run.newcomers_before:.1%} > {run.newcomers_after:.1%}, MNIST {run.mnist_drop:+.2f}, "
        f"published {run.published:.0%}, {run.seconds:.0f} s"
    )


def _table(runs: Sequence[Run]) -> Table:
    """A row for each scenario: mean and standard deviation over the seeds."""
    table = Table(title="Learning from simulated people")
    for column in (
        "scenario",
        "teachers' error cut",
        "newcomers'",
        "points of MNIST lost",
        "worst",
        "held back",
        "published",
        "kept of the gain",
        "seconds",
    ):
        table.add_column(column)
    for scenario in Scenario:
        of_it = [run for run in runs if run.scenario == scenario.value]
        table.add_row(scenario.value, *_cells(of_it, _gains(runs, scenario)))
    return table


def _gate_table(rates: dict[str, Rate]) -> Table:
    table = Table("candidates", "passed", "asked", title="What the gate passes")
    for kind, rate in rates.items():
        table.add_row(kind, str(rate.passed), str(rate.asked))
    return table


def _gains(runs: Sequence[Run], scenario: Scenario) -> dict[int, float]:
    """The gain of honest people alone, by seed, that a scenario is compared with."""
    clean = Scenario.FEWER if scenario in LIES else Scenario.UNSCREENED
    return {run.seed: run.teachers_before - run.teachers_after for run in runs if run.scenario == clean.value}


def _cells(runs: Sequence[Run], clean: dict[int, float]) -> Iterator[str]:
    def spread(values: Sequence[float], unit: Callable[[float], str]) -> str:
        deviation = f" ± {unit(stdev(values))}" if len(values) > 1 else ""
        return f"{unit(mean(values))}{deviation}"

    def percent(value: float) -> str:
        return f"{value:.0%}"

    yield spread([1 - run.teachers_after / run.teachers_before for run in runs], percent)
    yield spread([1 - run.newcomers_after / run.newcomers_before for run in runs], percent)
    yield spread([run.mnist_drop for run in runs], lambda value: f"{value:.3f}")
    yield f"{max(run.mnist_drop for run in runs):+.2f}"
    yield spread([run.held_back for run in runs], percent)
    yield spread([run.published for run in runs], percent)
    kept = [
        (run.teachers_before - run.teachers_after) / clean[run.seed] for run in runs if clean.get(run.seed)
    ]
    yield spread(kept, percent) if kept else ""
    yield spread([run.seconds for run in runs], lambda value: f"{value:.0f}")
