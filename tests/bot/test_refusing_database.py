"""A database that refuses: nobody is left without a word, and nothing is lost."""

import asyncio
import resource
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, event
from starlette.responses import Response

from bot.housekeeping import Housekeeping
from bot.services.consent import ConsentService
from bot.services.people import Person as Someone
from storage import contributors, engine, inbox
from storage.errors import DatabaseError
from storage.migration import migrate
from storage.records import NewUpdate
from tests.bot.localchat.conftest import serving
from tests.bot.person import says
from tests.bot.test_bad_networks import Call, connected

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def test_administrators_are_told_once_of_a_full_disk_and_what_waited_is_answered_when_there_is_room(
    tmp_path: Path, photos: dict[str, bytes]
) -> None:
    """SQLite's own limit on pages stands in for the disk: it fails in the same way."""
    async with serving(tmp_path) as telegram:
        admin, you = telegram.person("admin"), telegram.person()
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        async with (
            connected(tmp_path, telegram, port, admins=(admin.user_id,)) as core,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as web,
        ):
            limit = 1  # the least: as many pages as there are

            def limited(connection: Connection) -> None:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")

            event.listen(core.database.engine.sync_engine, "begin", limited)
            filling = await you.send("word " * 800)  # needs pages of its own
            told = (await admin.see(says("I cannot store anything")))["message"]
            assert "database or disk is full" in told["text"]
            photo = await you.send_photo(next(iter(photos.values())))
            heard = (await web.get("/health")).json()["last_poll"]
            await asyncio.sleep(3)  # it is tried again
            assert (await web.get("/health")).json()["last_poll"] == heard
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


async def test_who_was_forgotten_is_told_so_also_where_what_lingers_cannot_be_scrubbed_yet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit on the size of files stands in for the disk: what is in the log does not fit into the file."""
    url = f"sqlite+aiosqlite:///{tmp_path}/digitbot.db"
    migrate(url)
    database = engine.create(url)
    event.listen(database.engine.sync_engine, "begin", keep_the_log)
    consent = ConsentService(database, lambda: NOW)

    async def store(numbers: range) -> None:
        async with database.transaction() as session:
            for number in numbers:
                await contributors.get_or_create(session, 7, number, NOW)
                await inbox.put(session, 7, [NewUpdate(number, {"text": "word " * 100}, number)], NOW)

    await store(range(1000))
    assert await database.scrub()
    await store(range(1000, 1050))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "digitbot.db").stat().st_size, unlimited[1]))
    try:
        erased = await consent.forget(Someone(7, 1049), 1049)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    assert erased.contributors == 1
    assert "lingers" in caplog.text
    assert await database.scrub()
    await database.close()


async def test_copies_that_have_expired_make_room_where_nothing_can_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    migrate(f"sqlite:///{tmp_path}/digitbot.db")
    database = engine.create(f"sqlite:///{tmp_path}/digitbot.db")
    copy = tmp_path / "digitbot.db.before-0001"
    copy.touch()
    keeping = Housekeeping(database, timedelta(days=30), lambda: datetime.now(UTC) + timedelta(days=31))

    with closing(sqlite3.connect(tmp_path / "digitbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError):
            await keeping.once()

    assert not copy.exists()
    await database.close()


def keep_the_log(connection: Connection) -> None:
    """Have nothing copied from the write-ahead log into the file unless it is asked for."""
    connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
