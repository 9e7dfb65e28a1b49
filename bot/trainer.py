"""The process that trains: `python -m bot.trainer`; a job comes in, progress and a candidate go out.

It knows no database, no key and no token: what it learns from comes decrypted through a pipe and stays in
memory. It gives way to everything else, takes a bounded amount of memory, leaves no core dump, and dies with
the process that started it, which holds the other end of its standard input.

In: 8 bytes, the length of what follows (big-endian), then a job as `pack_job` made it. Out: a line of JSON
for each step on the way, then one that announces so many bytes of a checkpoint, or one with an error.
"""

import json
import os
import resource
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import cv2
import numpy as np
import safetensors.numpy

from model.errors import DataError, ModelError
from model.learning import augmentation, materials, mnist
from model.learning.examples import Examples
from model.learning.finetuning import FineTuning
from model.learning.gate import Margins
from model.learning.materials import Pictures
from model.learning.mnist import Mnist
from model.learning.retraining import Job, Stage, retrain
from model.nn import checkpoint
from model.nn.checkpoint import read_metadata
from model.nn.workers import Workers

MEMORY = 3 << 30
"""Bytes of address space; what it really uses is a third of it."""
THREADS = 2
LEAST_NEWS = 0.01
"""Part of a stage that must be done before it is told."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a job depends on besides networks and glyphs.

    Attributes:
        recipe: how to learn.
        margins: how to judge.
        pictures: to make.
        mnist_dir: where MNIST is, if it is anywhere.
        cache_dir: where renderings are kept from one training to the next.
        niceness: how much it gives way to everything else, 0..19.
    """

    recipe: FineTuning
    margins: Margins
    pictures: Pictures
    mnist_dir: Path
    cache_dir: Path
    niceness: int

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` made."""
        values = json.loads(text)
        recipe = values["recipe"]
        for name in ("augmentation", "replay_augmentation"):
            recipe[name] = augmentation.Recipe(**recipe[name])
        recipe["steps_back"] = tuple(recipe["steps_back"])
        return cls(
            FineTuning(**recipe),
            Margins(**values["margins"]),
            Pictures(**values["pictures"]),
            Path(values["mnist_dir"]),
            Path(values["cache_dir"]),
            values["niceness"],
        )


def pack_job(
    shipped: bytes, champion: bytes, trained: Examples, held_out: Examples, settings: Settings
) -> bytes:
    """A job in the safetensors format."""
    tensors = {
        "shipped": np.frombuffer(shipped, np.uint8),
        "champion": np.frombuffer(champion, np.uint8),
        "trained.images": trained.images,
        "trained.labels": trained.labels,
        "held_out.images": held_out.images,
        "held_out.labels": held_out.labels,
    }
    return safetensors.numpy.save(tensors, {"settings": settings.to_json()})


def unpack_job(data: bytes) -> tuple[Job, Settings]:
    """What `pack_job` was given."""
    tensors = safetensors.numpy.load(data)
    settings = Settings.from_json(read_metadata(data)["settings"])
    job = Job(
        shipped=checkpoint.load(tensors["shipped"].tobytes()),
        champion=checkpoint.load(tensors["champion"].tobytes()),
        trained=Examples(tensors["trained.images"], tensors["trained.labels"]),
        held_out=Examples(tensors["held_out.images"], tensors["held_out.labels"]),
        recipe=settings.recipe,
        margins=settings.margins,
    )
    return job, settings


def main() -> int:
    """Read a job, do it, and write what came of it."""
    _be_modest()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    data = _read_exactly(source, int.from_bytes(_read_exactly(source, 8), "big"))
    threading.Thread(target=_die_with_parent, args=(sys.stdin.fileno(),), daemon=True).start()
    try:
        _run(data, sink)
    except (ModelError, MemoryError) as exc:
        _say(sink, {"error": str(exc) or type(exc).__name__})
        return 1
    return 0


def _run(data: bytes, sink: BinaryIO) -> None:
    job, settings = unpack_job(data)
    os.nice(settings.niceness)

    told: tuple[Stage | None, float] = None, 0.0

    def report(stage: Stage, done: float) -> None:
        nonlocal told
        if stage != told[0] or done - told[1] >= LEAST_NEWS:
            told = stage, done
            _say(sink, {"stage": stage, "done": done})

    with Workers(THREADS) as workers:
        mixed_in, judged_on = materials.prepare(
            _mnist(settings.mnist_dir),
            settings.pictures,
            job.shipped.network,
            workers,
            settings.cache_dir,
            progress=lambda done: report(Stage.PREPARING, done),
        )
        outcome = retrain(job, mixed_in, judged_on, workers, report)
    result = {"card": outcome.card.to_dict(), "verdict": outcome.verdict.to_dict()}
    _say(sink, {**result, "bytes": len(outcome.candidate)})
    sink.write(outcome.candidate)
    sink.flush()


def _mnist(folder: Path) -> Mnist | None:
    """MNIST where it is at hand."""
    try:
        return mnist.load(folder)
    except DataError:
        return None


def _be_modest() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(1)


def _die_with_parent(source: int) -> None:
    """The other end of standard input closes when the process that started this one ends, however it ends."""
    os.read(source, 1)
    os._exit(1)


def _read_exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise SystemExit("the job broke off")
    return data


def _say(sink: BinaryIO, message: dict[str, Any]) -> None:
    sink.write(json.dumps(message).encode() + b"\n")
    sink.flush()


if __name__ == "__main__":
    sys.exit(main())
