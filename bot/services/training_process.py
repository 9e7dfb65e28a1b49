"""The training process as the bot sees it: started, listened to, killed."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.learning.gate import Verdict
from model.learning.report_card import ReportCard
from model.learning.retraining import Outcome, Stage

SILENCE_SECONDS = 300.0
"""A process that says nothing for so long has hung."""
LINE_BYTES = 1 << 24
"""The report card with its pictures is one line."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the process is doing.

    Attributes:
        done: part of the stage that is done, 0..1.
    """

    stage: Stage
    done: float


class TrainingProcess:
    """One run of `bot.trainer`.

    Its environment is empty but for two limits: neither key nor token can be read from it, and its command
    line holds nothing but the name of the module.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, job: bytes) -> AsyncGenerator[Step | Outcome, None]:
        """Every step of the process, then what came of it.

        Raises:
            TrainingError: it failed, hung or was killed; the message says which.
        """
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.trainer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            cwd=Path(__file__).parents[2],
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        try:
            async with aclosing(self._converse(process, job)) as messages:
                async for message in messages:
                    yield message
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once; it holds nothing that is worth saving.

        Who is cancelled meanwhile still waits for the end, which is near: nobody else would.
        """
        process = self._process
        if process is None or process.returncode is not None:
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

    async def _converse(
        self, process: asyncio.subprocess.Process, job: bytes
    ) -> AsyncGenerator[Step | Outcome, None]:
        assert process.stdin is not None  # it was opened as a pipe
        assert process.stdout is not None  # so was this
        try:
            process.stdin.write(len(job).to_bytes(8, "big") + job)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise TrainingError(await self._last_words(process)) from None
        while True:
            message = await self._next(process.stdout)
            if message is None:
                raise TrainingError(await self._last_words(process))
            if "error" in message:
                raise TrainingError(message["error"])
            if "bytes" in message:
                candidate = await process.stdout.readexactly(message["bytes"])
                card = ReportCard.from_dict(message["card"])
                yield Outcome(candidate, card, Verdict.from_dict(message["verdict"]))
                return
            yield Step(Stage(message["stage"]), message["done"])

    @staticmethod
    async def _next(stdout: asyncio.StreamReader) -> dict[str, Any] | None:
        try:
            line = await asyncio.wait_for(stdout.readline(), SILENCE_SECONDS)
        except TimeoutError:
            raise TrainingError(f"the training process said nothing for {SILENCE_SECONDS:.0f} s") from None
        return json.loads(line) if line.endswith(b"\n") else None

    @staticmethod
    async def _last_words(process: asyncio.subprocess.Process) -> str:
        assert process.stderr is not None  # it was opened as a pipe
        words = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        status = await process.wait()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"the training process {how}" + (f": {words[-1]}" if words else "")
