"""A database that refuses: nobody is left without a word, and nothing is lost."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from starlette.responses import Response

from storage import engine
from tests.bot.localchat.conftest import serving
from tests.bot.person import says
from tests.bot.test_bad_networks import Call, connected


async def test_administrators_are_told_once_of_a_full_disk_and_what_waited_is_answered_when_there_is_room(
    tmp_path: Path, photos: dict[str, bytes]
) -> None:
    """SQLite's own limit on pages stands in for the disk: it fails in the same way."""
    async with serving(tmp_path) as telegram:
        admin, you = telegram.person("admin"), telegram.person()
        async with connected(tmp_path, telegram, admins=(admin.user_id,)) as core:
            limit = 1  # the least: as many pages as there are

            def limited(connection: Connection) -> None:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")

            event.listen(core.database.engine.sync_engine, "begin", limited)
            filling = await you.send("word " * 800)  # needs pages of its own
            told = (await admin.see(says("I cannot store anything")))["message"]
            assert "database or disk is full" in told["text"]
            photo = await you.send_photo(next(iter(photos.values())))
            await asyncio.sleep(3)  # it is tried again
            limit = 1_000_000

            await admin.see(says("I can store again"))
            await you.answer_to(filling)
            await you.answer_to(photo)
            refusals = [seen for seen in await admin.history() if says("I cannot store anything")(seen)]
            assert len(refusals) == 1


async def test_a_person_is_told_that_nothing_could_be_stored(
    tmp_path: Path,
    photos: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another process holds the database for too long, from the moment the photo is downloaded."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    other = sqlite3.connect(tmp_path / "digitbot.db", isolation_level=None)

    async def hold(name: str, call: Call) -> Response:
        if name == "download":
            other.execute("BEGIN IMMEDIATE")
        return await call()

    with closing(other):
        async with serving(tmp_path, interceptor=hold) as telegram, connected(tmp_path, telegram):
            you = telegram.person()
            answer = await you.answer_to(await you.send_photo(next(iter(photos.values()))))
            other.execute("ROLLBACK")

    assert answer["text"].startswith("I cannot store anything at the moment")
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [(record.name, bool(record.exc_info)) for record in errors] == [("bot.handlers.failures", False)]
    assert "database is locked" in errors[0].getMessage()
