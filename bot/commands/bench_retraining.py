"""How long a retraining takes in a process of its own, and what photos feel of it meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import quantiles
from time import perf_counter

from bot.decoder import DecoderPool
from bot.services import training_process
from model.learning.camera_evaluation import drawn_photos
from model.nn import checkpoint
from model.recognizer import Recognizer

PHOTOS = 20
"""Different ones."""
SIZE = 960, 1280
IDLE_READINGS = 300
PAUSE = 0.1
"""Seconds between an answer and the next photo."""


@dataclass(frozen=True, slots=True)
class RetrainingFigures:
    """One retraining, and photos that were read one after the other before and meanwhile.

    Attributes:
        corrections: glyphs that were learned.
        seconds: from the start of the process to the candidate with its report card.
        idle_photos, busy_photos: how many were read.
        idle_milliseconds, busy_milliseconds: 99 of 100 were answered faster, from bytes to reading.
    """

    corrections: int
    seconds: float
    idle_photos: int
    idle_milliseconds: float
    busy_photos: int
    busy_milliseconds: float


async def bench_retraining(job: bytes, corrections: int) -> RetrainingFigures:
    """Read photos alone, then while a training process does this job."""
    photos = cycle([photo.data for photo in drawn_photos(PHOTOS, seed=0, size=SIZE)])
    recognizer = Recognizer.from_checkpoint(checkpoint.shipped("reader"))
    with DecoderPool(1) as decoder:
        await decoder.start()
        idle = [await _answered(next(photos), decoder, recognizer) for _ in range(IDLE_READINGS)]
        training = asyncio.create_task(_train(job))
        busy = []
        while not training.done():
            busy.append(await _answered(next(photos), decoder, recognizer))
        seconds = await training
    return RetrainingFigures(
        corrections, seconds, len(idle), _slowest_milliseconds(idle), len(busy), _slowest_milliseconds(busy)
    )


async def _train(job: bytes) -> float:
    started = perf_counter()
    await training_process.train(job)
    return perf_counter() - started


async def _answered(data: bytes, decoder: DecoderPool, recognizer: Recognizer) -> float:
    """Seconds from the bytes of a photo to its reading, as the bot does it; then a pause."""
    started = perf_counter()
    await asyncio.to_thread(recognizer.read, await decoder.read_page(data))
    seconds = perf_counter() - started
    await asyncio.sleep(PAUSE)
    return seconds


def _slowest_milliseconds(seconds: Sequence[float]) -> float:
    return 1000 * quantiles(seconds, n=100)[-1]
