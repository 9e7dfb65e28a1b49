from storage import outbox
from storage.engine import Database
from storage.records import NewMessage
from tests.storage.rows import BOT, CHAT, NOW, later


def message(key: str) -> NewMessage:
    return NewMessage(BOT, CHAT, key, {"run": 3}, NOW)


async def test_an_answer_waits_until_it_was_sent_and_is_not_sent_twice(database: Database) -> None:
    async with database.transaction() as session:
        assert await outbox.put(session, message("run 3"))
        assert not await outbox.put(session, message("run 3"))
        assert await outbox.put(session, message("run 4"))
    async with database.transaction() as session:
        first, second = await outbox.unsent(session, BOT)
        assert (first.key, first.payload, first.tries) == ("run 3", {"run": 3}, 0)
        await outbox.mark_tried(session, second.id)
        await outbox.mark_sent(session, first.id, NOW)
    async with database.transaction() as session:
        assert not await outbox.put(session, message("run 3"))
        (left,) = await outbox.unsent(session, BOT)
        assert (left.key, left.tries) == ("run 4", 1)
        assert await outbox.unsent(session, BOT + 1) == []


async def test_what_cannot_be_sent_is_dropped_and_what_was_sent_is_pruned(database: Database) -> None:
    async with database.transaction() as session:
        for key in ("a", "b", "c"):
            await outbox.put(session, message(key))
        first, second, _ = await outbox.unsent(session, BOT)
        await outbox.drop(session, first.id)
        await outbox.mark_sent(session, second.id, NOW)
        assert await outbox.prune(session, NOW) == 0
        assert await outbox.prune(session, later(seconds=1)) == 1
        assert [one.key for one in await outbox.unsent(session, BOT)] == ["c"]
