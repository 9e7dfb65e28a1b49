"""Updates are stored before they are handed over, once, and stay open until they were handled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from telegram import Bot, Chat, Message, Update, User

from bot.alarm import StorageAlarm
from bot.inbox import MOST_OPEN, MOST_TRIES, Inbox
from storage import engine, inbox
from storage.encryption import Keyring
from storage.engine import Database
from storage.migration import migrate
from tests.bot.conftest import KEY

SECRET = "my secret caption"


def update(update_id: int) -> Update:
    person = User(5, "Alice", is_bot=False)
    message = Message(update_id, datetime.now(UTC), Chat(5, "private"), from_user=person, text=SECRET)
    return Update(update_id, message=message)


class Office:
    """One process: an inbox over the database of the test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queue = asyncio.Queue[object]()
        bot = Bot("77:token")
        bot._bot_user = User(77, "digitbot", is_bot=True)
        keyring = Keyring.from_text(KEY)
        alarm = StorageAlarm(lambda _text: None)
        self.inbox = Inbox(database, keyring, bot, self.queue, now=lambda: datetime.now(UTC), alarm=alarm)

    def handed_over(self) -> list[int]:
        updates = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        return [one.update_id for one in updates if isinstance(one, Update)]

    async def states(self) -> dict[int, str]:
        async with self.database.reading() as session:
            rows = await session.execute(text("SELECT update_id, state FROM inbox ORDER BY update_id"))
            return {row.update_id: row.state for row in rows}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path}/digitbot.db"
    migrate(url)
    database = engine.create(url)
    yield database
    await database.close()


async def test_an_update_is_handed_over_once_however_often_it_comes(database: Database) -> None:
    office = Office(database)

    await office.inbox.receive([update(2), update(1), update(2)])
    await office.inbox.receive([update(1), update(3)])

    assert office.handed_over() == [1, 2, 3]


async def test_what_was_not_handled_is_handed_over_at_the_next_start_in_order(database: Database) -> None:
    first = Office(database)
    await first.inbox.receive([update(1), update(2), update(3)])
    await first.inbox.handled(update(2))

    second = Office(database)
    await second.inbox.reopen()
    await second.inbox.receive([update(2), update(3), update(4)])

    assert second.handed_over() == [1, 3, 4]


async def test_what_was_stored_without_being_handed_over_is_when_it_comes_again_and_once(
    database: Database,
) -> None:
    """As where a database commits and cannot say so any more, or a webhook is posted to during the start."""
    await Office(database).inbox.receive([update(1)])
    office = Office(database)

    await office.inbox.receive([update(1)])
    assert office.handed_over() == [1]
    await office.inbox.reopen()
    assert office.handed_over() == []


async def test_a_deferred_update_stays_open_until_it_is_closed(database: Database) -> None:
    office = Office(database)
    await office.inbox.receive([update(1)])

    office.inbox.defer(update(1))
    await office.inbox.handled(update(1))
    assert await office.states() == {1: "open"}
    await office.inbox.close(update(1))
    assert await office.states() == {1: "done"}


async def test_an_update_that_only_waited_while_processes_ended_is_never_given_up(
    database: Database,
) -> None:
    await Office(database).inbox.receive([update(1), update(2)])
    for _ in range(MOST_TRIES + 1):
        office = Office(database)
        await office.inbox.reopen()

    assert office.handed_over() == [1, 2]
    assert await office.states() == {1: "open", 2: "open"}


async def test_an_update_that_ends_process_after_process_is_given_up(database: Database) -> None:
    await Office(database).inbox.receive([update(1)])

    tries = 0
    while True:
        office = Office(database)
        await office.inbox.reopen()
        if not office.handed_over():
            break
        await office.inbox.begin(update(1))
        tries += 1

    assert tries == MOST_TRIES
    assert await office.states() == {1: "failed"}


async def test_an_update_is_begun_only_while_it_is_open_and_makes_room_where_it_is_not(
    database: Database,
) -> None:
    office = Office(database)
    await office.inbox.receive([update(number) for number in range(MOST_OPEN)])

    assert await office.inbox.begin(update(1))
    async with database.transaction() as session:
        await inbox.mark_done(session, 77, 2)
    assert not await office.inbox.begin(update(2))
    await asyncio.wait_for(office.inbox.room(), 1)


async def test_what_people_wrote_is_sealed_in_the_database(database: Database) -> None:
    office = Office(database)
    await office.inbox.receive([update(1)])

    assert database.path is not None
    for file in database.path.parent.iterdir():
        assert SECRET.encode() not in file.read_bytes()
        assert b"Alice" not in file.read_bytes()


async def test_fetching_waits_while_too_many_updates_are_under_way(database: Database) -> None:
    office = Office(database)
    await office.inbox.receive([update(number) for number in range(MOST_OPEN)])

    room = asyncio.create_task(office.inbox.room())
    await asyncio.sleep(0)
    assert not room.done()
    await office.inbox.handled(update(0))
    await asyncio.wait_for(room, 1)
