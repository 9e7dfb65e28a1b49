"""The benchmark of learning: what it keeps between two calls, and a retraining beside photos."""

import importlib.util
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from bot.commands import bench_retraining
from bot.commands.bench_learning import _Cache
from bot.commands.simulated_school import NEWCOMERS, TEACHERS, Run, Scenario, School, _packed, _unpacked
from bot.trainer import Settings, pack_job
from model.learning import handwriting
from model.learning.contributors_simulation import Contributor
from model.learning.examples import Examples
from model.learning.gate import Margins
from model.learning.gate_calibration import Rate
from model.learning.mnist import Mnist
from model.nn import checkpoint
from model.nn.workers import Workers
from tests.bot.school import SMALL

ROOT = Path(__file__).parents[2]

RUN = Run(
    scenario=Scenario.CLEAN.value,
    seed=3,
    teachers_before=0.13,
    teachers_after=0.05,
    newcomers_before=0.11,
    newcomers_after=0.05,
    mnist_drop=0.02,
    trained=400,
    held_back=0.16,
    lies_learned=0,
    published=1.0,
    step=0.75,
    worst_digit=0.4,
    seconds=30.0,
    processor_seconds=50.0,
)


def glyphs(count: int, seed: int) -> Examples:
    return handwriting.examples(count, np.random.default_rng(seed))


def test_what_was_measured_is_there_after_a_stop(tmp_path: Path) -> None:
    _Cache(tmp_path).put(RUN, b"weights")

    again = _Cache(tmp_path)

    assert again.get(Scenario.CLEAN, 3) == RUN
    assert again.candidate(Scenario.CLEAN, 3) == b"weights"
    assert again.get(Scenario.CLEAN, 4) is None
    assert again.get(Scenario.RANDOM, 3) is None


def test_what_was_learned_in_another_order_is_kept_beside_it(tmp_path: Path) -> None:
    cache = _Cache(tmp_path)
    cache.put(RUN, b"weights")

    cache.put_candidate(Scenario.CLEAN, 3, b"other weights", order=1)

    kept = [cache.candidate(Scenario.CLEAN, 3, order) for order in range(3)]
    assert kept == [b"weights", b"other weights", None]
    assert cache.get(Scenario.CLEAN, 3) == RUN


def test_what_was_cut_off_by_a_stop_is_measured_again(tmp_path: Path) -> None:
    (tmp_path / "clean-3.safetensors").write_bytes(b"wei")
    (tmp_path / "clean-3.partial").write_text('{"scenario": "50 hon')

    assert _Cache(tmp_path).get(Scenario.CLEAN, 3) is None


def test_a_benchmark_that_was_stopped_before_anything_was_learned_says_so_of_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(School, "_mnist", (None, ()))
    with Workers(1) as workers:
        digits = glyphs(3, 1)
        school = School(checkpoint.shipped("reader"), Mnist(digits, digits, digits, ""), workers, tmp_path)

        rates = school.gate_rates([])

    assert set(rates.values()) == {Rate(0, 0)}


def test_simulated_people_are_kept_as_they_are() -> None:
    one, other = glyphs(3, 1), glyphs(4, 2)
    people = [Contributor(number, one, other) for number in range(TEACHERS + NEWCOMERS)]

    found = _unpacked(_packed(people))

    assert [person.number for person in found] == list(range(TEACHERS + NEWCOMERS))
    np.testing.assert_array_equal(found[-1].taught.images, one.images)
    np.testing.assert_array_equal(found[7].unseen.labels, other.labels)


def test_the_document_takes_up_what_was_measured() -> None:
    spec = importlib.util.spec_from_file_location("learning_document", ROOT / "docs" / "learning.py")
    assert spec is not None
    assert spec.loader is not None  # it is a file
    document = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(document)
    unscreened = replace(RUN, scenario=Scenario.UNSCREENED.value, teachers_after=0.04)
    figures = {
        "runs": [asdict(run) for run in (RUN, replace(RUN, seed=4), unscreened, replace(unscreened, seed=4))],
        "gate": {"equally good": {"passed": 9, "asked": 10}},
        "retraining": asdict(bench_retraining.RetrainingFigures(1_000, 50, 300, 60, 200, 100)),
    }

    text = document.written(document.DOCUMENT.read_text(), figures)

    assert "| 50 honest people | 2 | 13.0 to 5.0 % | 62 ± 0 % |" in text  # two seeds
    assert "| 89 ± 0 % | 100 % | 0.4 |" in text  # of the gain with nothing held back
    assert "| equally good | 9 of 10 |" in text
    assert "1000 corrections took 50 s" in text


async def test_a_retraining_is_timed_beside_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_retraining, "IDLE_READINGS", 5)
    shipped = (checkpoint.SHIPPED / "reader.safetensors").read_bytes()
    settings = Settings(SMALL.recipe, Margins(), SMALL.pictures, tmp_path, tmp_path, SMALL.niceness)
    job = pack_job(shipped, shipped, glyphs(3, 1), glyphs(0, 1), settings)

    figures = await bench_retraining.bench_retraining(job, 3)

    assert figures.corrections == 3
    assert figures.idle_photos == 5
    assert figures.busy_photos > 0
    assert figures.seconds > 0
