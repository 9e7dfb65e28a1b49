"""The reading benchmark measures what it says, and names what it leaves out."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bot.commands.bench_reading import Amounts, Timing, bench_reading

FEW = Amounts(condition=1, drawn=3, numbers=2, negatives=1, readings=2, rounds=1)


def test_without_data_the_tables_of_what_is_drawn_remain(tmp_path: Path) -> None:
    output = io.StringIO()
    figures = bench_reading(Console(file=output, width=100), tmp_path, None, amounts=FEW)
    assert "left out" in output.getvalue()
    assert not figures.conditions
    assert {score.name for score in figures.others} == {"drawn digits", "drawn numbers"}
    told = figures.as_json()
    assert told["camera_mean"] is None
    assert isinstance(told["timings"], dict)
    assert set(told["timings"]) == {"12 megapixels", "1280 x 960"}


def test_ratios_compare_neighbouring_runs() -> None:
    timing = Timing("photo", reading=(2.0, 3.0), bare=(4.0, 3.0))
    assert timing.ratios == pytest.approx((0.5, 1.0))
