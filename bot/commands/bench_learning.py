"""`digitbot bench learning`: simulated people teach the shipped network, some of them lies.

What was measured is kept in the cache folder under the checkpoint and the recipe, a file for each run, so a
stopped benchmark goes on where it was.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from time import monotonic

import platformdirs
from rich.console import Console
from rich.table import Table

from bot.commands.bench_retraining import RetrainingFigures, bench_retraining
from bot.commands.simulated_school import LIES, ORDERS, Run, Scenario, School
from bot.services.training_run import Effort
from bot.trainer import Settings, pack_job
from model.learning import mnist
from model.learning.examples import Examples
from model.learning.gate import Margins
from model.learning.gate_calibration import Rate
from model.nn import checkpoint
from model.nn.workers import Workers


@dataclass(frozen=True, slots=True)
class LearningFigures:
    """All runs, how often the gate passed candidates of known worth, and how long a retraining takes."""

    runs: tuple[Run, ...]
    gate: dict[str, Rate]
    retraining: RetrainingFigures

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""
        return {
            "runs": [asdict(run) for run in self.runs],
            "gate": {kind: asdict(rate) for kind, rate in self.gate.items()},
            "retraining": asdict(self.retraining),
        }


def bench_learning(console: Console, mnist_folder: Path, seeds: int = 5) -> LearningFigures:
    """Every scenario with every seed, the gate, and one retraining beside photos that are read."""
    folder = platformdirs.user_cache_path("digitbot", ensure_exists=True)
    with Workers(2) as workers:
        school = School(checkpoint.shipped("reader"), mnist.load(mnist_folder), workers, folder)
        cache = _Cache(folder / f"bench-learning-{school.identity}")
        runs = _runs(console, school, cache, seeds)
        gate = school.gate_rates(_equally_good(console, school, cache, runs))
        taught = Examples.concatenate([teacher.taught for teacher in school.teachers(Scenario.CLEAN, 0)])
    console.print(_table(runs))
    console.print(_gate_table(gate))
    retraining = asyncio.run(bench_retraining(_job(taught, mnist_folder, folder), len(taught)))
    console.print(_sentence(retraining))
    return LearningFigures(tuple(runs), gate, retraining)


def _runs(console: Console, school: School, cache: "_Cache", seeds: int) -> list[Run]:
    """All runs, or after Ctrl-C those that are there; what was measured before is taken from the cache."""
    wanted = list(product(Scenario, range(seeds)))
    missing = [key for key in wanted if cache.get(*key) is None]
    started = monotonic()
    try:
        for number, (scenario, seed) in enumerate(missing, 1):
            run = cache.put(*school.run(scenario, seed))
            minutes = (monotonic() - started) / 60
            left = minutes / number * (len(missing) - number)
            console.print(f"{number} of {len(missing)}, {left:.0f} minutes left: {_line(run)}")
    except KeyboardInterrupt:
        console.print("stopped; the figures are of what was measured so far")
    return [found for key in wanted if (found := cache.get(*key)) is not None]


def _equally_good(
    console: Console, school: School, cache: "_Cache", runs: Sequence[Run]
) -> list[list[bytes]]:
    """For each group of honest people what was learned from them in each order."""
    groups: list[list[bytes]] = []
    for seed in [run.seed for run in runs if run.scenario == Scenario.CLEAN]:
        groups.append([])
        for order in range(ORDERS):
            candidate = cache.candidate(Scenario.CLEAN, seed, order)
            if candidate is None:
                candidate = school.learned_again(seed, order)
                cache.put_candidate(Scenario.CLEAN, seed, candidate, order)
                console.print(f"{Scenario.CLEAN}, seed {seed}: learned in order {order + 1} of {ORDERS}")
            groups[-1].append(candidate)
    return groups


def _job(taught: Examples, mnist_folder: Path, cache_folder: Path) -> bytes:
    """A retraining that learns all of this."""
    effort, shipped = Effort(), (checkpoint.SHIPPED / "reader.safetensors").read_bytes()
    settings = Settings(
        effort.recipe, Margins(), effort.pictures, mnist_folder.absolute(), cache_folder, effort.niceness
    )
    return pack_job(shipped, shipped, taught, taught.take(slice(0, 0)), settings)


class _Cache:
    """Runs that were done before, a file of JSON each, and their candidates."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def get(self, scenario: Scenario, seed: int) -> Run | None:
        file = self._file(scenario, seed, "json")
        return Run(**json.loads(file.read_text())) if file.exists() else None

    def candidate(self, scenario: Scenario, seed: int, order: int = 0) -> bytes | None:
        file = self._file(scenario, seed, "safetensors", order)
        return file.read_bytes() if file.exists() else None

    def put_candidate(self, scenario: Scenario, seed: int, candidate: bytes, order: int = 0) -> None:
        self._put(self._file(scenario, seed, "safetensors", order), candidate)

    def put(self, run: Run, candidate: bytes) -> Run:
        """The run's own file comes last, so that what was cut off is measured again."""
        scenario = Scenario(run.scenario)
        self.put_candidate(scenario, run.seed, candidate)
        self._put(self._file(scenario, run.seed, "json"), json.dumps(asdict(run)).encode())
        return run

    def _put(self, file: Path, data: bytes) -> None:
        """Whole or not at all."""
        unfinished = file.with_suffix(".partial")
        unfinished.write_bytes(data)
        unfinished.replace(file)

    def _file(self, scenario: Scenario, seed: int, suffix: str, order: int = 0) -> Path:
        again = f"-order{order + 1}" if order else ""
        return self._folder / f"{scenario.name.lower()}-{seed}{again}.{suffix}"


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
        "at most",
        "learned",
        "held back",
        "published",
        "kept of the gain",
        "seconds",
        "of a processor",
    ):
        table.add_column(column)
    for scenario in Scenario:
        of_it = [run for run in runs if run.scenario == scenario.value]
        if of_it:
            table.add_row(scenario.value, *_cells(of_it, _gains(runs, scenario)))
    return table


def _gate_table(rates: dict[str, Rate]) -> Table:
    table = Table("candidates", "passed", "asked", title="What the gate passes")
    for kind, rate in rates.items():
        table.add_row(kind, str(rate.passed), str(rate.asked))
    return table


def _sentence(figures: RetrainingFigures) -> str:
    return (
        f"{figures.corrections} corrections are learned and judged in {figures.seconds:.0f} s; "
        f"99 of 100 photos are answered within {figures.busy_milliseconds:.0f} ms meanwhile "
        f"({figures.busy_photos} read), {figures.idle_milliseconds:.0f} ms otherwise"
    )


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
    yield spread([run.trained for run in runs], lambda value: f"{value:.0f}")
    yield spread([run.held_back for run in runs], percent)
    yield spread([run.published for run in runs], percent)
    kept = [
        (run.teachers_before - run.teachers_after) / clean[run.seed] for run in runs if clean.get(run.seed)
    ]
    yield spread(kept, percent) if kept else ""
    yield spread([run.seconds for run in runs], lambda value: f"{value:.0f}")
    yield spread([run.processor_seconds for run in runs], lambda value: f"{value:.0f}")
