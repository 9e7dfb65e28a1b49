from cryptography.fernet import Fernet

from storage import inbox
from storage.encryption import Keyring
from storage.engine import Database
from storage.records import InboxState, NewUpdate
from tests.storage.rows import ANNA, BOT, NOW, later


async def test_an_update_is_stored_once_however_often_it_comes(database: Database) -> None:
    first, second = NewUpdate(5, {"text": "four \u0000 \U0001f600"}, ANNA), NewUpdate(4, {}, None)
    async with database.transaction() as session:
        assert await inbox.put(session, BOT, [first, second, first], NOW) == [4, 5]
    async with database.transaction() as session:
        assert await inbox.put(session, BOT, [second, NewUpdate(6, {})], later(days=1)) == [4, 6]
        assert await inbox.put(session, BOT + 1, [first], NOW) == [5]

    async with database.reading() as session:
        waiting = await inbox.open_updates(session, BOT)
    assert [(one.update_id, one.received_at) for one in waiting] == [
        (5, NOW),
        (4, NOW),
        (6, later(days=1)),
    ]
    assert waiting[0].payload == {"text": "four \u0000 \U0001f600"}


async def test_a_handled_update_is_done_and_its_content_gone(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {"text": "secret"}, ANNA), NewUpdate(2, {})], NOW)
        await inbox.mark_done(session, BOT, 1)
        await inbox.mark_failed(session, BOT, 2, "ended the process")
        await inbox.mark_done(session, BOT, 404)

    async with database.reading() as session:
        done, failed = await inbox.find(session, BOT, 1), await inbox.find(session, BOT, 2)
        assert await inbox.open_updates(session, BOT) == []
    assert done is not None
    assert failed is not None
    assert (done.state, done.payload, done.user_id) == (InboxState.DONE, {}, None)
    assert (failed.state, failed.error) == (InboxState.FAILED, "ended the process")


async def test_an_update_that_was_done_comes_back_as_known(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {})], NOW)
        await inbox.mark_done(session, BOT, 1)
        assert await inbox.put(session, BOT, [NewUpdate(1, {})], NOW) == []
        assert await inbox.open_updates(session, BOT) == []


async def test_tries_are_counted(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {})], NOW)
        assert [await inbox.begin(session, BOT, 1) for _ in range(3)] == [1, 2, 3]
        assert await inbox.begin(session, BOT, 404) == 0


async def test_what_is_done_is_neither_open_nor_begun(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {})], NOW)
        assert await inbox.is_open(session, BOT, 1)
        await inbox.mark_done(session, BOT, 1)
        assert not await inbox.is_open(session, BOT, 1)
        assert await inbox.begin(session, BOT, 1) == 0
        assert not await inbox.is_open(session, BOT, 404)
        assert await inbox.put(session, BOT, [NewUpdate(1, {})], NOW) == []


async def test_what_is_old_and_handled_goes_and_its_number_may_come_again(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {}), NewUpdate(2, {})], NOW)
        await inbox.put(session, BOT, [NewUpdate(3, {})], later(days=2))
        await inbox.mark_done(session, BOT, 1)
        await inbox.mark_done(session, BOT, 3)
        assert await inbox.prune(session, later(days=1), NOW) == 1
        assert await inbox.put(session, BOT, [NewUpdate(1, {}), NewUpdate(3, {})], NOW) == [1]


async def test_what_nobody_handles_goes_at_last(database: Database) -> None:
    async with database.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {})], NOW)
        await inbox.put(session, BOT, [NewUpdate(2, {})], later(days=2))
        assert await inbox.prune(session, NOW, later(days=1)) == 1
        assert [record.update_id for record in await inbox.open_updates(session, BOT)] == [2]


async def test_what_is_open_is_encrypted_anew_when_the_key_is_rotated(database: Database) -> None:
    lost, old, new = (Fernet.generate_key() for _ in range(3))
    async with database.transaction() as session:
        updates = [
            NewUpdate(number, inbox.seal(Keyring([key]), b"hello"), ANNA)
            for number, key in enumerate([lost, old, old])
        ]
        await inbox.put(session, BOT, updates, NOW)
        await inbox.mark_done(session, BOT, 2)

    async with database.transaction() as session:
        await inbox.reseal(session, Keyring([new, old]))

    async with database.reading() as session:
        first, second = await inbox.open_updates(session, BOT)
    assert inbox.unseal(Keyring([lost]), first.payload) == b"hello"
    assert inbox.unseal(Keyring([new]), second.payload) == b"hello"
