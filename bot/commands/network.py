"""The commands `digitbot train` and `digitbot evaluate`: networks from nothing, and how good they are."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Protocol

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bot.config import Config
from model.errors import TrainingError
from model.learning import camera_glyphs, handwriting, judging, mnist, sureness
from model.learning.evaluation import Evaluation, best_temperature, robustness
from model.learning.examples import Examples
from model.learning.mixture import Mixture, Part
from model.learning.mnist import Mnist
from model.learning.recipes import RECIPES, Recipe
from model.learning.training import Training
from model.nn import architectures, checkpoint
from model.nn.checkpoint import Checkpoint
from model.nn.layer import Array
from model.nn.network import Network
from model.nn.workers import Workers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROBUSTNESS_STRENGTH = 2.0
"""Times the training strength, at which the report measures each transformation alone."""

LINE_SECONDS = 30.0
"""Between two lines of progress where there is no terminal."""


class Report(Protocol):
    """Shows how far some long work is."""

    def __call__(self, done: int, total: int, text: str) -> None:
        """So much is done; ``text`` is said beside it."""


class Architecture(StrEnum):
    """What can be trained."""

    CLASSIC = "classic"
    READER = "reader"
    JUDGE = "judge"


MnistFolder = Annotated[
    Path | None,
    typer.Option("--mnist", help="Folder of MNIST; downloaded into it where missing.", metavar="DIR"),
]


def train(
    context: typer.Context,
    *,
    architecture: Annotated[
        Architecture, typer.Option(help="The seed network, or one of the two that serve.")
    ],
    out: Annotated[
        Path, typer.Option(help="The checkpoint to write.", metavar="FILE", dir_okay=False, writable=True)
    ],
    mnist_folder: MnistFolder = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training set.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn by lot.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last finished epoch.")] = False,
) -> None:
    """Train a network from nothing. Ctrl-C keeps the best so far; --resume goes on."""
    console = Console(soft_wrap=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    state = checkpoint.read_file(_state_file(out)) if resume else None  # before an hour of making photos
    digits = _load_mnist(context.obj(), mnist_folder)
    recipe = RECIPES[architecture.value]
    recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
    parts = recipe.parts(digits.train, *_made(recipe, digits.train, seed, out, console))
    training = _training(architecture, parts, recipe, digits, seed=seed, console=console)
    if state is not None:
        training.resume(state)
    command = f"digitbot train --architecture {architecture.value} --mnist data/mnist --out {out.name}"
    origin = {
        "command": f"{command} --epochs {recipe.epochs} --seed {seed}",
        "seed": str(seed),
        "mnist_sha256": digits.sha256,
        "versions": ", ".join(
            f"{name} {version(name)}" for name in ("digitbot", "numpy", "opencv-python-headless")
        ),
    }
    try:
        calibrate = _parent if architecture is Architecture.JUDGE else _calibration(digits.validation)
        _run(training, recipe, console, lambda: _save(training, origin, calibrate, out))
    except KeyboardInterrupt:
        if not training.history:
            raise TrainingError("stopped before the first epoch was finished; nothing was written") from None
        console.print(f"stopped after epoch {len(training.history)} of {recipe.epochs}; --resume goes on")
    else:
        console.print(f"wrote {out}")
        _state_file(out).unlink()


def _run(training: Training, recipe: Recipe, console: Console, save: Callable[[], None]) -> None:
    """Train to the end; say and save the result of each epoch."""
    with Workers(recipe.threads, recipe.threads, recipe.chunk) as workers, _reporting(console) as report:
        for result in training.run(
            workers, lambda done, total, loss: report(done, total, f"loss {loss:.4f}")
        ):
            save()
            console.print(
                f"epoch {result.epoch} of {recipe.epochs}: training loss {result.training_loss:.4f}, "
                f"validation loss {result.validation_loss:.4f}, {result.validation_errors} errors"
                f"{', the best so far' if result.best else ''}"
            )


def _training(
    architecture: Architecture,
    parts: list[Part],
    recipe: Recipe,
    digits: Mnist,
    *,
    seed: int,
    console: Console,
) -> Training:
    """A training from its beginning."""
    if architecture is Architecture.JUDGE:
        reader = checkpoint.shipped("reader").network
        with _reporting(console) as report:
            progress = partial(report, text="pictures without a digit")
            return judging.training(parts, digits, reader, recipe, seed=seed, progress=progress)
    network = architectures.build_for_training(architecture.value, np.random.default_rng((seed, 3)))
    return Training(network, Mixture(parts, seed), digits.validation, recipe)


def _calibration(validation: Examples) -> Callable[[Network], dict[str, str]]:
    """Measures how sure a reader may be, for its metadata."""
    written = sureness.in_random_hands(validation)

    def measure(network: Network) -> dict[str, str]:
        temperature = best_temperature(network.logits(validation.pixels), validation.labels)
        errors = Evaluation.of(network.logits, validation, temperature).errors
        return {
            "temperature": f"{temperature:.4f}",
            **sureness.measure(network, temperature, written).to_metadata(),
            "validation": json.dumps({"images": len(validation), "errors": errors}),
        }

    return measure


def _parent(judge: Network) -> dict[str, str]:
    """The reader that a judge started as, for its metadata."""
    return {"reader": checkpoint.shipped("reader").sha256}


def _save(
    training: Training, origin: dict[str, str], calibrate: Callable[[Network], dict[str, str]], out: Path
) -> None:
    """Write the state to go on from, and the best network so far where it is new or the last word.

    The state comes first: to calibrate a reader takes ten seconds, and who stops it then keeps the epoch.
    """
    _write(_state_file(out), training.state())
    if training.history[-1].best or training.is_finished:
        metadata = {
            **origin,
            "epochs": str(len(training.history)),
            "history": json.dumps([asdict(result) for result in training.history]),
            **calibrate(training.best),
        }
        _write(out, checkpoint.save(training.best, metadata))


def _state_file(out: Path) -> Path:
    """What a stopped training goes on from."""
    return out.with_name(f"{out.name}.training")


def _made(
    recipe: Recipe, digits: Examples, seed: int, out: Path, console: Console
) -> tuple[Examples, Examples]:
    """The drawn and the photographed digits to train on; photos are kept beside the checkpoint."""
    rng = np.random.default_rng((seed, 5))
    drawn = handwriting.examples(recipe.drawings, rng)
    if not recipe.photos:
        return drawn, digits.take(slice(0))
    with _reporting(console) as report:
        progress = partial(report, text="photos")
        return drawn, camera_glyphs.cached(out.parent, digits, recipe.photos, seed, progress)


def evaluate(
    context: typer.Context,
    *,
    file: Annotated[
        Path | None, typer.Option("--checkpoint", help="Default: the shipped reader.", metavar="FILE")
    ] = None,
    mnist_folder: MnistFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write pictures here.", metavar="DIR", file_okay=False)
    ] = None,
) -> None:
    """Measure a checkpoint on MNIST's 10,000 test images."""
    found = checkpoint.shipped("reader") if file is None else checkpoint.load_file(file)
    digits = _load_mnist(context.obj(), mnist_folder)
    with Workers() as workers:

        def logits(pixels: Array) -> Array:
            return workers.map_chunks(found.network.logits, pixels)

        evaluation = Evaluation.of(logits, digits.test, float(found.metadata.get("temperature", 1)))
        if report is not None:
            accuracies = robustness(logits, digits.test, ROBUSTNESS_STRENGTH, seed=0)
            _write_report(report, evaluation, found, accuracies)
    figures = {
        "architecture": found.network.architecture,
        "parameters": sum(parameter.size for parameter in found.network.parameters().values()),
        "images": len(digits.test),
        "errors": evaluation.errors,
        "accuracy": evaluation.accuracy,
        "per_digit": evaluation.per_digit(),
    }
    if as_json:
        typer.echo(json.dumps(figures))
        return
    console = Console()
    console.print(f"{figures['architecture']}, {figures['parameters']:,} parameters")
    console.print(
        f"{evaluation.accuracy:.2%} of {len(digits.test):,} test images, {evaluation.errors} errors"
    )
    for digit, accuracy in enumerate(evaluation.per_digit()):
        console.print(f"  {digit}: {accuracy:.2%}")


def _write_report(
    folder: Path, evaluation: Evaluation, found: Checkpoint, accuracies: dict[str, float]
) -> None:
    """Pictures of the evaluation, one file each."""
    from model.learning import plots  # noqa: PLC0415  matplotlib takes a second to import

    figures: dict[str, Figure] = {
        "confusion": plots.confusion(evaluation),
        "mistakes": plots.mistakes(evaluation),
        "per-digit": plots.per_digit(evaluation),
        "reliability": plots.reliability(evaluation),
        "robustness": plots.robustness(accuracies, ROBUSTNESS_STRENGTH),
    }
    if "history" in found.metadata:
        figures["learning-curve"] = plots.learning_curve(json.loads(found.metadata["history"]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)


def _load_mnist(config: Config, folder: Path | None) -> Mnist:
    """MNIST from this folder or the configured one, downloaded where it is missing."""
    folder = folder or config.model.mnist_dir
    mnist.fetch(folder)
    return mnist.load(folder)


def _write(path: Path, data: bytes) -> None:
    """Write all or nothing: a killed process leaves the old file."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)


@contextmanager
def _reporting(console: Console) -> Iterator[Report]:
    """A progress bar with the time left on a terminal, a line now and then elsewhere."""
    if not console.is_terminal:
        yield _line_reporter(console)
        return
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %")
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("")

        def report(done: int, total: int, text: str) -> None:
            progress.update(task, completed=done, total=total, description=text)

        yield report


def _line_reporter(console: Console) -> Report:
    last = monotonic()

    def report(done: int, total: int, text: str) -> None:
        nonlocal last
        if monotonic() - last >= LINE_SECONDS or done == total:
            last = monotonic()
            console.print(f"{done:,} of {total:,}: {text}")

    return report
