"""The training process: whatever happens to it, whoever started it is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from bot.services import training_process
from bot.trainer import Settings, pack_job
from model.errors import TrainingError
from model.learning import handwriting
from model.learning.examples import Examples
from model.learning.gate import Margins
from model.learning.retraining import Stage
from model.nn import checkpoint
from tests.bot.school import SMALL

Processes = Callable[[], set[psutil.Process]]


@pytest.fixture
def job(tmp_path: Path) -> bytes:
    """Three glyphs to learn, and no MNIST."""
    labels = np.array([1, 2, 3], np.uint8)
    taught = Examples(handwriting.draw(labels.tolist(), np.random.default_rng(1)), labels)
    shipped = (checkpoint.SHIPPED / "reader.safetensors").read_bytes()
    settings = Settings(SMALL.recipe, Margins(), SMALL.pictures, tmp_path, tmp_path, SMALL.niceness)
    return pack_job(shipped, shipped, taught, taught.take(slice(0, 0)), settings)


@pytest.fixture
def left() -> Processes:
    """Processes that the test has started, and that nobody has seen the end of."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


@pytest.mark.parametrize("stage", list(Stage))
async def test_killed_at_any_stage_it_is_known_to_have_been_killed(
    job: bytes, left: Processes, stage: Stage
) -> None:
    def kill(at: Stage, _: float) -> None:
        for process in left() if at is stage else ():
            process.kill()

    with pytest.raises(TrainingError, match="killed by signal 9"):
        await training_process.train(job, kill)


async def test_who_is_cancelled_again_and_again_leaves_no_process_behind(job: bytes, left: Processes) -> None:
    speaking = asyncio.Event()
    training = asyncio.create_task(training_process.train(job, lambda *_: speaking.set()))
    await speaking.wait()
    while not training.done():  # also while it waits for the end of what it killed
        training.cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await training
    assert not left()


async def test_it_has_ended_when_what_came_of_it_is_known(job: bytes, left: Processes) -> None:
    await training_process.train(job)

    assert not left()


async def test_equal_jobs_give_equal_bytes_whatever_was_rendered_before(job: bytes, tmp_path: Path) -> None:
    first = await training_process.train(job)
    second = await training_process.train(job)  # it finds the renderings of the first

    assert first.candidate == second.candidate
    assert list(tmp_path.glob("holdouts-*"))


async def test_what_is_no_job_is_an_error_with_words(job: bytes) -> None:
    with pytest.raises(TrainingError, match="the training process ended with status 1"):
        await training_process.train(job[: len(job) // 2])
