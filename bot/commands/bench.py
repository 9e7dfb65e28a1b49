"""The command `digitbot bench`: measures what the README claims."""

import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console


class Part(StrEnum):
    """What can be measured alone."""

    NETWORK = "network"
    READING = "reading"
    WEB = "web"
    LEARNING = "learning"


class Figures(Protocol):
    """What a part measured; its tables are on the console by then."""

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""


def bench(
    context: typer.Context,
    *,
    part: Annotated[Part | None, typer.Argument(help="One part; default: all.")] = None,
    mnist_folder: Annotated[
        Path | None, typer.Option("--mnist", help="Folder of MNIST.", metavar="DIR")
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Folder of photos to read too; its manifest.csv has the columns file and label.",
            metavar="DIR",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Of people who teach, each with all scenarios.")] = 5,
    torch_python: Annotated[
        Path, typer.Option(help="A Python that has PyTorch, to compare with.", metavar="FILE")
    ] = Path(sys.executable),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how good and how fast everything is, against other ways of doing it."""
    # imported here, because no other command needs them
    from bot.commands.bench_learning import bench_learning  # noqa: PLC0415
    from bot.commands.bench_network import bench_network  # noqa: PLC0415
    from bot.commands.bench_reading import bench_reading  # noqa: PLC0415
    from bot.commands.bench_web import bench_web  # noqa: PLC0415

    console = Console(stderr=as_json)
    folder = mnist_folder or context.obj().model.mnist_dir
    measure: dict[Part, Callable[[], Figures]] = {
        Part.NETWORK: lambda: bench_network(console, folder, torch_python),
        Part.READING: lambda: bench_reading(console, folder, photos, processes=os.cpu_count() or 1),
        Part.WEB: lambda: bench_web(console),
        Part.LEARNING: lambda: bench_learning(console, folder, seeds),
    }
    figures = {each.value: run().as_json() for each, run in measure.items() if part in (None, each)}
    if as_json:
        typer.echo(json.dumps(figures))
