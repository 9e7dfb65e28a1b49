"""The command `digitbot read`: photos in files and folders, one line each."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from bot import i18n
from bot.config import Config
from bot.decoder import DecoderPool
from bot.reading_answer import ReadingAnswer, reason
from model.errors import UnopenedPhotoError, UnreadablePhotoError
from model.nn import checkpoint
from model.reading import Reading
from model.recognizer import Recognizer


@dataclass(frozen=True, slots=True, eq=False)
class FileReading:
    """What one file gave.

    Attributes:
        outcome: its reading, or why it is no photo.
        seconds: from its bytes to that.
    """

    file: Path
    outcome: Reading | UnreadablePhotoError
    seconds: float


def read(
    context: typer.Context,
    inputs: Annotated[
        list[Path], typer.Argument(help="Photos, and folders of them.", metavar="INPUT", readable=False)
    ],  # readable or not, each has its line
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Photos read at once; default: every core.")
    ] = None,
) -> None:
    """Read the digits in photos, in order, each as soon as it is read."""
    configuration: Config = context.obj()
    path = configuration.model.checkpoint
    loaded = checkpoint.load_file(Path(path)) if path else checkpoint.shipped("reader")
    recognizer = Recognizer.from_checkpoint(loaded)
    limits = configuration.limits
    jobs = jobs or os.cpu_count() or 1
    render = _as_json if as_json else _as_text
    with DecoderPool(
        jobs,
        memory=limits.decoder_memory,
        seconds=limits.decoder_seconds,
        file_bytes=limits.photo_bytes,
    ) as pool:
        for result in read_files(_files(inputs), pool, recognizer, jobs):
            typer.echo(render(result))
    missing = [str(path) for path in inputs if not os.path.exists(path)]  # noqa: PTH110 - see `_files`
    if missing:
        typer.echo(f"digitbot: no such file or folder: {', '.join(missing)}", err=True)
        raise typer.Exit(1)


def read_files(
    files: Iterable[Path], pool: DecoderPool, recognizer: Recognizer, jobs: int
) -> Iterator[FileReading]:
    """The readings of files in their order, each as soon as it and those before it are there."""

    def read_file(file: Path) -> FileReading:
        started = perf_counter()
        outcome: Reading | UnreadablePhotoError
        try:
            outcome = recognizer.read(pool.read_page_now(_bytes(file, pool.file_bytes)))
        except UnreadablePhotoError as exc:
            outcome = exc
        return FileReading(file, outcome, perf_counter() - started)

    return _in_order(read_file, files, jobs)


def _in_order(work: Callable[[Path], FileReading], files: Iterable[Path], jobs: int) -> Iterator[FileReading]:
    """``work`` on the files in threads, a few files ahead of what is yielded."""
    running: deque[Future[FileReading]] = deque()
    with ThreadPoolExecutor(jobs) as threads:
        for file in files:
            running.append(threads.submit(work, file))
            while running and (running[0].done() or len(running) > 4 * jobs):
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _files(inputs: Sequence[Path]) -> Iterator[Path]:
    """The inputs that are no folders (pipes too), and below folders all files that are not hidden, sorted.

    `os.path` says no where `Path` would raise: of a name that is too long, of a link into a closed folder.
    """
    for path in inputs:
        if os.path.isdir(path):  # noqa: PTH112
            yield from _below(path)
        elif os.path.exists(path):  # noqa: PTH110
            yield path


def _below(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder, onerror=_tell):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = (Path(above, name) for name in sorted(names) if not name.startswith("."))
        yield from (file for file in found if os.path.isfile(file))  # noqa: PTH113


def _tell(error: OSError) -> None:
    typer.echo(f"digitbot: {error.filename}: {error.strerror}", err=True)


def _bytes(file: Path, most: int) -> bytes:
    """The bytes of a file, and one more than ``most`` of a longer one, which is enough to refuse it."""
    try:
        with file.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as exc:
        raise UnopenedPhotoError(f"{exc.strerror}") from exc


def _as_json(result: FileReading) -> str:
    answer = ReadingAnswer.from_outcome(result.outcome, str(result.file), result.seconds, i18n.texts())
    return json.dumps(answer.model_dump(), ensure_ascii=False)


def _as_text(result: FileReading) -> str:
    outcome = result.outcome
    if isinstance(outcome, Reading) and outcome.digits:
        return f"{result.file}: {outcome.digits.replace(chr(10), ' / ')}   {100 * outcome.confidence:.1f} %"
    return f"{result.file}: {reason(outcome, i18n.texts())}"
