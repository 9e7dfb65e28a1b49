import numpy as np
import pytest
from rich.console import Console

from bot.commands.bench_web import SeedNetwork, bench_web
from model.nn.network import Network


def test_the_seeds_way_computes_the_same(classic: Network, rng: np.random.Generator) -> None:
    x = rng.random((1, 784), np.float32)

    assert SeedNetwork(classic).outputs(x[0].tolist()) == pytest.approx(
        classic.outputs(x)[0].tolist(), abs=1e-5
    )


def test_every_kind_of_request_is_measured() -> None:
    console = Console(record=True, width=100)

    figures = bench_web(console, seconds=0, batches=(1, 3))

    assert [speed.vectors for speed in figures.speeds] == [1, 3, 1, 3, 1, 3, 1, 1]
    assert all(speed.vectors_per_second > 0 for speed in figures.speeds)
    assert "drawing" in console.export_text()
