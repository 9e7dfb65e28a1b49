"""The training process: whatever happens to it, whoever started it is told."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from bot.services.training_process import Step, TrainingProcess
from bot.trainer import Settings, pack_job
from model.errors import TrainingError
from model.learning import handwriting
from model.learning.examples import Examples
from model.learning.gate import Margins
from model.learning.retraining import Outcome, Stage
from model.nn import checkpoint
from tests.bot.school import SMALL


@pytest.fixture
def job(tmp_path: Path) -> bytes:
    """Three glyphs to learn, and no MNIST."""
    labels = np.array([1, 2, 3], np.uint8)
    taught = Examples(handwriting.draw(labels.tolist(), np.random.default_rng(1)), labels)
    shipped = (checkpoint.SHIPPED / "reader.safetensors").read_bytes()
    settings = Settings(SMALL.recipe, Margins(), SMALL.pictures, tmp_path, tmp_path, SMALL.niceness)
    return pack_job(shipped, shipped, taught, taught.take(slice(0, 0)), settings)


async def kill_at(process: TrainingProcess, job: bytes, stage: Stage) -> None:
    async for message in process.run(job):
        if isinstance(message, Step) and message.stage is stage:
            assert process._process is not None  # it speaks
            os.kill(process._process.pid, signal.SIGKILL)


@pytest.mark.parametrize("stage", list(Stage))
async def test_killed_at_any_stage_it_is_known_to_have_been_killed(job: bytes, stage: Stage) -> None:
    with pytest.raises(TrainingError, match="killed by signal 9"):
        await kill_at(TrainingProcess(), job, stage)


async def test_who_is_cancelled_twice_leaves_no_process_behind(job: bytes) -> None:
    process = TrainingProcess()

    async def run() -> None:
        async for _ in process.run(job):
            pass

    running = asyncio.create_task(run())
    while process._process is None:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.sleep(0)  # it is waiting for the end of what it killed
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert process._process.returncode == -signal.SIGKILL


async def test_equal_jobs_give_equal_bytes_whatever_was_rendered_before(job: bytes, tmp_path: Path) -> None:
    outcomes = []
    for _ in range(2):  # the second finds the renderings of the first
        outcomes += [message async for message in TrainingProcess().run(job) if isinstance(message, Outcome)]

    assert outcomes[0].candidate == outcomes[1].candidate
    assert list(tmp_path.glob("holdouts-*"))


async def test_what_is_no_job_is_an_error_with_words(job: bytes) -> None:
    with pytest.raises(TrainingError, match="the training process ended with status 1"):
        async for _ in TrainingProcess().run(job[: len(job) // 2]):
            pass
