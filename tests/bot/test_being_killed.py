"""The bot as its own process, configured by the environment alone, killed and started again."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sqlalchemy import text

from bot.messenger import GRACE
from bot.services.training_run import Stage
from storage import runs
from storage.engine import Database
from storage.errors import RunNotFoundError
from storage.records import RunState, TrainingRunRecord
from tests.bot.conftest import KEY, button, config_in, consents, running_in
from tests.bot.localchat.conftest import Served, serving
from tests.bot.person import Json, Person, says

Photos = dict[str, bytes]


@dataclass(frozen=True)
class Installation:
    """Where a bot keeps its files, and the Bot API that it is told of."""

    folder: Path
    telegram: Served

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    @property
    def database(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder}/digitbot.db"

    @property
    def environment(self) -> dict[str, str]:
        identity, address = self.telegram.chat.identity, str(self.telegram.client.base_url).rstrip("/")
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": str(self.folder),
            "DIGITBOT_TELEGRAM__TOKEN": identity.token,
            "DIGITBOT_TELEGRAM__BASE_URL": f"{address}/bot",
            "DIGITBOT_TELEGRAM__BASE_FILE_URL": f"{address}/file/bot",
            "DIGITBOT_TELEGRAM__ADMINS": f"[{identity.admin_id}]",
            "DIGITBOT_STORAGE__URL": self.database,
            "DIGITBOT_STORAGE__KEY": KEY,
            "DIGITBOT_WEB__PORT": "0",
            "DIGITBOT_LIMITS__DECODER_PROCESSES": "1",
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`digitbot run`; killed at the end of the block where it still runs."""
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def eventually(you: Person, wanted: Callable[[Json], Any]) -> None:
    """Wait until something in the chat is as wanted; a process takes its time to start on a busy machine."""
    async with asyncio.timeout(100):
        while not any(wanted(seen) for seen in await you.history()):
            await asyncio.sleep(0.05)


def replies_to(message: Json) -> Callable[[Json], bool]:
    """Whether something in the chat is the bot's reply to this message."""

    def is_reply(seen: Json) -> bool:
        replied = seen["message"].get("reply_to_message", {}).get("message_id")
        return bool(seen["message"]["from"]["is_bot"] and replied == message["message_id"])

    return is_reply


def reacts_to(message: Json) -> Callable[[Json], bool]:
    """Whether something in the chat is this message with a reaction: the bot has begun with it."""
    return lambda seen: bool(seen["message"]["message_id"] == message["message_id"] and seen["reactions"])


async def survives(folder: Path, photos: Photos, kills: int, rng: np.random.Generator) -> None:
    """Kill the bot at random moments while a person sends and corrects: all is answered, and there once."""
    digit = next(digits for digits in photos if len(digits) == 1)
    async with serving(folder) as telegram:
        you, installation = telegram.person(), Installation(folder, telegram)
        sent = [await you.send_photo(photos[digit])]
        async with installation.running():
            await eventually(you, replies_to(sent[0]))
        for _ in range(kills):
            sent.append(await you.send_photo(photos[digit]))
            async with installation.running():
                await eventually(you, reacts_to(sent[-1]))
                sent.append(await you.send("/correct 3", reply_to=sent[0]["message_id"]))
                await asyncio.sleep(rng.uniform(0, 0.5))
        async with installation.running() as process:
            sent.append(
                await you.send("hello")
            )  # the others may have been answered before this process began
            for message in sent:
                await eventually(you, replies_to(message))
            process.terminate()
            assert await process.wait() == 0
    database = Database(installation.database)
    async with database.reading() as session:
        assert await session.scalar(text("PRAGMA integrity_check")) == "ok"
        assert list(await session.execute(text("PRAGMA foreign_key_check"))) == []
        assert await session.scalar(text("SELECT count(*) FROM predictions")) == 1 + kills
        assert list(await session.scalars(text("SELECT digits FROM corrections"))) == ["3"]
        assert await session.scalar(text("SELECT count(*) FROM inbox WHERE state != 'done'")) == 0
    await database.close()
    assert telegram.chat.identity.token not in installation.log.read_text()
    assert "Traceback" not in installation.log.read_text()


async def test_a_backlog_does_not_hold_up_the_end_and_is_answered_at_the_next_start(
    tmp_path: Path, photos: Photos
) -> None:
    async with running_in(config_in(tmp_path)) as first:
        await first.you.answer_to(await first.you.send_photo(next(iter(photos.values()))))
        sent = [await first.you.send_photo(photo) for photo in list(photos.values())[:5]]
        ending = time.monotonic()
    assert time.monotonic() - ending < GRACE / 2

    async with running_in(config_in(tmp_path)) as second:
        for message in sent:
            await eventually(second.you, replies_to(message))


def is_loading(process: psutil.Process, _folder: Path) -> bool:
    """Whether it minds SIGTERM, which it does before anything of it is loaded."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    assert caught is not None  # proc(5)
    return bool(int(caught[1], 16) & 1 << signal.SIGTERM - 1)


def is_migrating(_process: psutil.Process, folder: Path) -> bool:
    return (folder / "digitbot.db").exists()


def is_connecting(_process: psutil.Process, folder: Path) -> bool:
    return "Serving Telegram" in (folder / "bot.log").read_text()


def is_serving(_process: psutil.Process, folder: Path) -> bool:
    return "serving as" in (folder / "bot.log").read_text()


async def stops_in_good_order(
    folder: Path, moment: Callable[[psutil.Process, Path], bool], signals: list[signal.Signals]
) -> None:
    """It does, given these signals from a moment on."""
    async with serving(folder) as telegram:
        installation = Installation(folder, telegram)
        async with installation.running() as process, asyncio.timeout(100):
            while not moment(psutil.Process(process.pid), folder):
                await asyncio.sleep(0.001)
            for number in signals:
                process.send_signal(number)
                await asyncio.sleep(0.01)
            assert await process.wait() == 0
    assert "Traceback" not in installation.log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which signals a process minds")
@pytest.mark.parametrize("moment", [is_loading, is_migrating, is_connecting])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_stops_in_good_order_however_early(
    tmp_path: Path, moment: Callable[[psutil.Process, Path], bool], number: signal.Signals
) -> None:
    await stops_in_good_order(tmp_path, moment, [number])


async def test_asked_to_stop_again_while_it_stops_it_still_stops_in_good_order(tmp_path: Path) -> None:
    await stops_in_good_order(tmp_path, is_serving, [signal.SIGINT] * 6)


async def test_nothing_is_lost_or_doubled_when_the_bot_is_killed(tmp_path: Path, photos: Photos) -> None:
    await survives(tmp_path, photos, kills=1, rng=np.random.default_rng(5))


@pytest.mark.soak
async def test_nothing_is_lost_or_doubled_when_the_bot_is_killed_a_hundred_times(
    tmp_path: Path, photos: Photos
) -> None:
    await survives(tmp_path, photos, kills=100, rng=np.random.default_rng(6))


async def run_in(database: Database, run_id: int, wanted: Callable[[TrainingRunRecord], bool]) -> None:
    """Wait until a training run is as wanted."""
    async with asyncio.timeout(200):
        while True:
            with suppress(RunNotFoundError):
                async with database.reading() as session:
                    if wanted(await runs.get(session, run_id)):
                        return
            await asyncio.sleep(0.05)


@pytest.mark.soak
@pytest.mark.parametrize("stage", [Stage.PREPARING, Stage.TRAINING, Stage.JUDGING])
async def test_a_training_ends_with_its_bot_whose_next_start_marks_it_and_can_train_again(
    tmp_path: Path, photos: Photos, stage: Stage
) -> None:
    """Killed at this stage of a training of full size, after a correction by an administrator."""
    digit = next(digits for digits in photos if len(digits) == 1)
    async with serving(tmp_path) as telegram:
        installation, identity = Installation(tmp_path, telegram), telegram.chat.identity
        admin = Person(telegram.client, identity.admin_id)
        database = Database(installation.database)
        async with installation.running() as bot:
            answer = await admin.answer_to(await admin.send_photo(photos[digit]))
            await admin.press(answer["message_id"], button(answer, digit))
            await consents(admin)
            await admin.send("/retrain")
            await run_in(database, 1, lambda run: run.stage == stage)
            trainer = next(
                child for child in psutil.Process(bot.pid).children() if "bot.trainer" in child.cmdline()
            )
            bot.kill()
            trainer.wait(timeout=10)

        async with installation.running():
            await admin.see(says("A training broke off, because its process was killed."))
            await run_in(database, 1, lambda run: run.state is RunState.FAILED)
            await admin.send("/retrain")
            await admin.see(says("Version 2, trained on 1 corrected digit"), patience=200)
            await run_in(database, 2, lambda run: run.state is RunState.FINISHED)
        await database.close()
