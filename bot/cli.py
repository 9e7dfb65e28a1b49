"""The command `digitbot`: parses the command line, loads the configuration, turns errors into one line."""

import sys
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from threadpoolctl import threadpool_limits

from bot import config
from bot.commands import bench, learning, network, reading, service
from bot.errors import BotError
from model.errors import ModelError
from storage.errors import StorageError

app = typer.Typer(
    name="digitbot",
    help="Read handwritten digits from photos, and learn from corrections.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def configure(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="The configuration file; default: what DIGITBOT_CONFIG names, else config.toml.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Read handwritten digits from photos, and learn from corrections."""
    context.obj = partial(config.load, file)  # loaded by what the command does, not for its --help


for command in (
    service.run,
    service.doctor,
    service.backup,
    service.forget,
    service.rotate_key,
    reading.read,
    network.train,
    network.evaluate,
    bench.bench,
    learning.retrain,
    learning.models,
    learning.promote,
    learning.rollback,
    learning.replay,
    learning.export,
):
    app.command()(command)


def main() -> None:
    """Run the command line; the exit status is 0 done, 1 failed with one line on stderr, 2 usage."""
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name need not be text; so JSON escapes it as well
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # OpenBLAS's threads spin while they wait for each other: serving beside a training, that doubled the
        # training's time and made the slowest photos take four times as long
        with threadpool_limits(1, user_api="blas"):
            app()
    except (BotError, ModelError, StorageError) as exc:
        _fail(str(exc))
    except OSError as exc:  # a folder that may not be written to, a full disk
        if exc.strerror is None:
            raise  # not the operating system's word
        _fail(exc.strerror if exc.filename is None else f"{exc.filename}: {exc.strerror}")


def _fail(reason: str) -> None:
    typer.echo(f"digitbot: {reason}", err=True)
    sys.exit(1)
