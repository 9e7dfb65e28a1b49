"""The training process as the bot sees it: started, listened to, killed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.learning.gate import Verdict
from model.learning.report_card import ReportCard
from model.learning.retraining import Outcome, Report, Stage

SILENCE_SECONDS = 300.0
"""A process that says nothing for so long has hung."""
LINE_BYTES = 1 << 24
"""The report card with its pictures is one line."""


async def train(job: bytes, report: Report = lambda *_: None) -> Outcome:
    """What came of one run of `bot.trainer`, which has ended when this has, whichever way that is.

    Its environment is empty but for two limits: neither key nor token can be read from it, and its command
    line holds nothing but the name of the module.

    Args:
        job: as `bot.trainer.pack_job` made it.
        report: told how far it is.

    Raises:
        TrainingError: it failed, hung or was killed; the message says which.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.trainer"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=LINE_BYTES,
        cwd=Path(__file__).parents[2],
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        return await _converse(process, job, report)
    except (BrokenPipeError, ConnectionResetError, asyncio.IncompleteReadError):
        raise TrainingError(await _last_words(process)) from None
    finally:
        await _kill(process)


async def _converse(process: Process, job: bytes, report: Report) -> Outcome:
    assert process.stdin is not None  # it was opened as a pipe
    assert process.stdout is not None  # so was this
    process.stdin.write(len(job).to_bytes(8, "big") + job)
    await process.stdin.drain()
    while True:
        message = await _next(process.stdout)
        if "error" in message:
            raise TrainingError(message["error"])
        if "bytes" in message:
            candidate = await process.stdout.readexactly(message["bytes"])
            card = ReportCard.from_dict(message["card"])
            return Outcome(candidate, card, Verdict.from_dict(message["verdict"]))
        report(Stage(message["stage"]), message["done"])


async def _next(stdout: asyncio.StreamReader) -> dict[str, Any]:
    try:
        line = await asyncio.wait_for(stdout.readuntil(), SILENCE_SECONDS)
    except TimeoutError:
        raise TrainingError(f"the training process said nothing for {SILENCE_SECONDS:.0f} s") from None
    message: dict[str, Any] = json.loads(line)
    return message


async def _last_words(process: Process) -> str:
    assert process.stderr is not None  # it was opened as a pipe
    words = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
    status = await process.wait()
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"the training process {how}" + (f": {words[-1]}" if words else "")


async def _kill(process: Process) -> None:
    """End a process at once; it holds nothing that is worth saving.

    Who is cancelled meanwhile still waits for the end, which is near: nobody else would.
    """
    if process.returncode is not None:
        return
    process.kill()
    ending = asyncio.create_task(process.wait())
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled
