"""`digitbot bench network`: how good the shipped networks are, and how fast they learn and answer."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bot.commands.bench_network_numpy import BATCH, LARGE_BATCH
from model.errors import DataError
from model.learning import mnist
from model.learning.evaluation import Evaluation
from model.nn import checkpoint

ROUNDS = 4
"""Times that both sides run, in turn."""

TORCH_SIDE = Path(__file__).with_name("bench_network_torch.py")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: was measured.
        ours: in words, with its unit.
        reach: what it is to reach, in words.
        ratios: how many times faster than the other side, round by round; empty where there is no other side.
        note: the other side in words, or why there is none.
    """

    what: str
    ours: str
    reach: str
    ratios: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """What the benchmark measured."""

    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""
        return {
            "rows": [
                {**asdict(row), "ratio": median(row.ratios) if row.ratios else None} for row in self.rows
            ]
        }


def bench_network(console: Console, mnist_folder: Path, torch_python: Path) -> NetworkFigures:
    """Measure and show; rows whose data or PyTorch is not there say so.

    Args:
        console: where the table goes.
        mnist_folder: MNIST's four files.
        torch_python: a Python that has PyTorch; it may be another one than ours.
    """
    rows = [_size()]
    try:
        digits = mnist.load(mnist_folder)
    except DataError as exc:
        console.print(f"rows that need MNIST are left out: {exc}")
    else:
        rows += [_accuracy("reader", digits, "99.75 %"), _accuracy("classic", digits, "95.5 %")]
        rows += [_seed_loop(mnist_folder), *_trainings(mnist_folder)]
    rows += [
        _against_torch(torch_python, "classic-step", f"classic, one step of {BATCH}", "2 times PyTorch"),
        _against_torch(torch_python, "reader-step", f"reader, one step of {BATCH}", "as fast as PyTorch"),
        _against_torch(torch_python, "reader-one-image", "reader, one image", "as fast as PyTorch"),
    ]
    _show(console, rows)
    return NetworkFigures(tuple(rows))


def _size() -> Row:
    size = (checkpoint.SHIPPED / "reader.safetensors").stat().st_size
    return Row("reader, file", f"{size / 1e6:.2f} MB", "at most 1 MB")


def _accuracy(name: str, digits: mnist.Mnist, reach: str) -> Row:
    evaluation = Evaluation.of(checkpoint.shipped(name).network.logits, digits.test)
    return Row(f"{name}, MNIST test", f"{evaluation.accuracy:.2%}", reach, note=f"{evaluation.errors} errors")


def _seed_loop(mnist_folder: Path) -> Row:
    """The classic network, in large batches against the seed's loop over single examples."""
    batch, loop = [], []
    for _ in range(ROUNDS):
        batch.append(_run_ours("classic-large-step")["seconds"] / LARGE_BATCH)
        loop.append(_run_ours("seed-loop", mnist_folder))
    return Row(
        f"classic, training in batches of {LARGE_BATCH}",
        f"{1 / min(batch):,.0f} images/s",
        "30 times the seed's loop",
        tuple(single["seconds"] / together for together, single in zip(batch, loop, strict=True)),
        f"loop: {1 / min(single['seconds'] for single in loop):,.0f} images/s, "
        f"{loop[0]['accuracy']:.2%} after an epoch",
    )


def _trainings(mnist_folder: Path) -> list[Row]:
    rows = []
    for name, reach in (("classic", "95.5 % in 2 min"), ("reader", "99.5 % in 10 min, under 1 GB")):
        figures = _run_ours(f"train-{name}", mnist_folder)
        rows.append(
            Row(
                f"{name}, trained from nothing",
                f"{figures['accuracy']:.2%} in {figures['seconds'] / 60:.1f} min",
                reach,
                note=f"{figures['megabytes']:.0f} MB resident at most",
            )
        )
    return rows


def _against_torch(torch_python: Path, task: str, what: str, reach: str) -> Row:
    """Both sides in turn, each in a process of its own: their thread pools would fight in one."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_run_ours(task)["seconds"])
        other = _run_torch(torch_python, task)
        if other is None:
            return Row(
                what, f"{ours[0] * 1e3:.3g} ms", reach, note=f"left out: {torch_python} has no PyTorch"
            )
        theirs.append(other["seconds"])
    return Row(
        what,
        f"{min(ours) * 1e3:.3g} ms",
        reach,
        tuple(their / our for our, their in zip(ours, theirs, strict=True)),
        f"PyTorch: {min(theirs) * 1e3:.3g} ms",
    )


def _run_ours(task: str, *arguments: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bot.commands.bench_network_numpy", task, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  our own module
    figures: dict[str, float] = json.loads(result.stdout)
    return figures


def _run_torch(torch_python: Path, task: str) -> dict[str, float] | None:
    """The other side's figures, or None where that Python cannot import PyTorch."""
    command = [str(torch_python), str(TORCH_SIDE), task]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  chosen by the caller
    if "No module named 'torch'" in result.stderr:
        return None
    result.check_returncode()
    figures: dict[str, float] = json.loads(result.stdout)
    return figures


def _show(console: Console, rows: list[Row]) -> None:
    table = Table("what", "measured", "reach", "ratio", "spread", "", title="The network")
    for row in rows:
        ratio = f"{median(row.ratios):.2f}" if row.ratios else ""
        spread = f"{min(row.ratios):.2f} to {max(row.ratios):.2f}" if row.ratios else ""
        table.add_row(row.what, row.ours, row.reach, ratio, spread, row.note)
    console.print(table)
