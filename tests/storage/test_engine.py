import asyncio
import sqlite3
import threading
import time
import types
from collections.abc import Coroutine, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from storage import contributors, engine
from storage.engine import Database
from storage.errors import (
    ConstraintError,
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
    DatabaseUnavailableError,
)
from storage.tables import ContributorRow
from tests.storage.rows import ANNA, BERT, BOT, NOW, person


async def users(database: Database) -> list[int]:
    async with database.reading() as session:
        return list(await session.scalars(select(ContributorRow.user_id).order_by(ContributorRow.user_id)))


async def test_a_transaction_is_committed_at_its_end(database: Database) -> None:
    async with database.transaction() as session:
        await person(session, ANNA)

    assert await users(database) == [ANNA]


async def test_an_exception_rolls_back(database: Database) -> None:
    async def store_half() -> None:
        async with database.transaction() as session:
            await person(session, ANNA)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await store_half()

    assert await users(database) == []


async def threads_have_ended() -> None:
    """The thread of a connection that was not opened reports its end to the loop, which must be there."""
    async with asyncio.timeout(10):
        while any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):
            await asyncio.sleep(0.01)


@types.coroutine
def cancelled_at(coroutine: Coroutine[Any, Any, None], step: int) -> Generator[Any, None, None]:
    """Run a coroutine and cancel it where it waits for the `step`-th time."""
    try:
        waits_for = coroutine.send(None)
        for _ in range(step):
            yield waits_for
            waits_for = coroutine.send(None)
        waits_for = coroutine.throw(asyncio.CancelledError())
        while True:
            yield waits_for
            waits_for = coroutine.send(None)
    except StopIteration:
        return


async def test_cancelling_at_each_await_stores_all_or_nothing_and_holds_nothing_up(
    database: Database,
) -> None:
    async def store_two(number: int) -> None:
        async with database.transaction() as session:
            await person(session, 2 * number)
            await person(session, 2 * number + 1)

    kept: list[asyncio.CancelledError] = []  # who keeps the exception keeps what its frames refer to
    step = 0
    while len(kept) == step:
        try:
            await cancelled_at(store_two(step), step)
        except asyncio.CancelledError as exc:
            kept.append(exc)
        stored = set(await users(database))
        assert (2 * step in stored) == (2 * step + 1 in stored)
        async with asyncio.timeout(5), database.transaction() as session:
            await person(session, -1 - step)
        step += 1

    assert step > 10
    assert {2 * step - 2, 2 * step - 1} <= set(await users(database))  # the last was not cancelled


async def test_cancelling_within_the_block_rolls_back(database: Database) -> None:
    inside = asyncio.Event()

    async def store_and_wait() -> None:
        async with database.transaction() as session:
            await person(session, ANNA)
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(store_and_wait())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await users(database) == []


async def test_writers_of_one_process_take_turns(database: Database) -> None:
    async def add(user_id: int) -> None:
        async with database.transaction() as session:
            await session.scalars(select(ContributorRow))  # a transaction that reads first
            await person(session, user_id)

    await asyncio.gather(*(add(number) for number in range(30)))

    assert await users(database) == list(range(30))


async def test_writers_of_two_processes_take_turns(url: str) -> None:
    """Two databases share nothing but the file or the server."""
    first, second = engine.create(url), engine.create(url)

    async def add(database: Database, numbers: range) -> None:
        for number in numbers:
            async with database.transaction() as session:
                await session.scalars(select(ContributorRow))
                await person(session, number)

    try:
        await asyncio.gather(add(first, range(25)), add(second, range(25, 50)))
        assert await users(first) == list(range(50))
    finally:
        await first.close()
        await second.close()


async def test_the_same_person_arriving_twice_at_once_is_one_person(url: str) -> None:
    first, second = engine.create(url), engine.create(url)

    async def add(database: Database) -> int:
        async with database.transaction() as session:
            return (await contributors.get_or_create(session, BOT, ANNA, NOW)).id

    try:
        ids = await asyncio.gather(*(add(database) for database in (first, second) * 5))
        assert len(set(ids)) == 1
    finally:
        await first.close()
        await second.close()


async def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    async with database.reading() as reader:
        before = list(await reader.scalars(select(ContributorRow.id)))
        async with database.transaction() as session:
            await person(session, ANNA)
        assert list(await reader.scalars(select(ContributorRow.id))) == before == []

    assert await users(database) == [ANNA]


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError):
        async with database.reading() as session:
            await person(session, ANNA)

    async with database.transaction() as session:
        await person(session, BERT)
    assert await users(database) == [BERT]


async def test_sqlite_is_set_to_keep_what_it_says_it_keeps(sqlite_database: Database) -> None:
    async with sqlite_database.transaction() as session:
        pragmas = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }

    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 10_000,
    }


async def test_a_writer_waits_for_another_process(sqlite_database: Database) -> None:
    assert sqlite_database.path is not None
    other = sqlite3.connect(sqlite_database.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    releasing = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    releasing.start()
    began = time.monotonic()

    async with sqlite_database.transaction() as session:
        await person(session, ANNA)

    assert time.monotonic() - began >= 0.25
    releasing.join()
    other.close()
    assert await users(sqlite_database) == [ANNA]


async def test_a_database_held_for_too_long_is_busy_and_works_again_afterwards(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    database = engine.create(sqlite_url)
    assert database.path is not None
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseBusyError, match="locked"):
            async with database.transaction() as session:
                await person(session, ANNA)

    async with database.transaction() as session:
        await person(session, ANNA)
    assert await users(database) == [ANNA]
    await database.close()


async def test_rows_that_break_a_rule_are_refused(database: Database) -> None:
    with pytest.raises(ConstraintError):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO contributors (bot_id, user_id, consent, wants_receipts, created_at)"
                    " VALUES (1, 2, 'perhaps', :wanted, :now)"
                ),
                {"wanted": False, "now": "2026-11-24T00:00:00.000000+00:00"},
            )


async def test_sqlite_refuses_a_value_of_another_type(sqlite_database: Database) -> None:
    with pytest.raises(ConstraintError, match="cannot store TEXT value in INTEGER column"):
        async with sqlite_database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO contributors (bot_id, user_id, consent, wants_receipts, created_at)"
                    " VALUES ('one', 2, 'given', 0, '')"
                )
            )


async def test_a_full_disk_stores_nothing_and_says_so(sqlite_database: Database) -> None:
    """SQLite's own limit on pages stands in for the disk: it fails in the same way."""
    async with sqlite_database.transaction() as session:
        await session.execute(text("PRAGMA max_page_count = 1"))  # the least: as many as there are

    async def store_much() -> None:
        async with sqlite_database.transaction() as session:
            for number in range(3000):
                await contributors.get_or_create(session, BOT, number, NOW)

    with pytest.raises(DatabaseFullError, match="full"):
        await store_much()

    assert await users(sqlite_database) == []


async def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "digitbot.db"
    file.write_bytes(b"these are no rows" * 1000)
    database = engine.create(f"sqlite:///{file}")

    with pytest.raises(DatabaseDamagedError, match="not a database"):
        async with database.transaction() as session:
            await person(session)
    await database.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all/digitbot.db", "postgresql://user:secret@127.0.0.1:1/digitbot"],
)
async def test_a_database_that_is_not_there_is_unavailable_and_its_password_is_not_told(url: str) -> None:
    database = engine.create(url)

    with pytest.raises(DatabaseUnavailableError) as caught:
        async with database.reading() as session:
            await session.execute(select(1))

    assert "secret" not in str(caught.value)
    assert "secret" not in repr(database.url)
    await database.close()
    await threads_have_ended()


async def test_a_connection_that_the_server_cut_is_replaced(
    postgresql_server: str,
) -> None:
    database = engine.create(postgresql_server.format(name="rows"))
    cut: dict[str, Any] = {}
    async with database.reading() as session:
        cut["pid"] = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    killer = engine.create(postgresql_server.format(name="postgres"))
    async with killer.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), cut)
    await killer.close()

    async with database.reading() as session:
        assert (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one() != cut["pid"]
    await database.close()


def test_errors_of_sqlalchemy_itself_get_our_name() -> None:
    url = engine.parse_url("sqlite:///digitbot.db")
    assert isinstance(engine.translate(SQLAlchemyError("anything"), url), DatabaseError)
