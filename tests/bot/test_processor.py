"""Each chat is served in order, chats side by side, buttons at once."""

import asyncio
from datetime import UTC, datetime

from telegram import CallbackQuery, Chat, Message, Update, User

from bot.processor import ChatOrder

ALICE = User(1, "Alice", is_bot=False)


def message(update_id: int, chat: int) -> Update:
    return Update(update_id, message=Message(update_id, datetime.now(UTC), Chat(chat, "private")))


def press(update_id: int, chat: int) -> Update:
    pressed = message(update_id, chat).message
    return Update(update_id, callback_query=CallbackQuery("1", ALICE, "x", message=pressed, data="fix:1:7"))


class Work:
    """Handles updates, each as long as it is told, and records who ended when and how many ran at once."""

    def __init__(self, at_once: int = 64) -> None:
        self.done = set[int]()
        self.begun, self.ended, self.handled = list[int](), list[int](), list[int]()
        self.put_back = list[int]()
        self.running = self.most = 0
        self.processor = ChatOrder(at_once, self.on_begin, self.on_handled, self.on_put_back)

    async def on_begin(self, update: Update) -> bool:
        self.begun.append(update.update_id)
        return update.update_id not in self.done

    async def on_handled(self, update: Update) -> None:
        self.handled.append(update.update_id)

    async def on_put_back(self, update: Update) -> None:
        self.put_back.append(update.update_id)

    async def run(self, update: Update, seconds: float) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(seconds)
        self.running -= 1
        self.ended.append(update.update_id)

    async def all(self, *jobs: tuple[Update, float]) -> None:
        async with asyncio.TaskGroup() as group:
            for update, seconds in jobs:
                group.create_task(self.processor.process_update(update, self.run(update, seconds)))


async def test_one_chat_is_served_in_order() -> None:
    work = Work()

    await work.all((message(1, 7), 0.03), (message(2, 7), 0.0), (message(3, 7), 0.01))

    assert work.ended == work.handled == [1, 2, 3]
    assert work.most == 1


async def test_chats_are_served_side_by_side() -> None:
    work = Work()

    await work.all((message(1, 7), 0.03), (message(2, 8), 0.0))

    assert work.ended == [2, 1]


async def test_a_press_of_a_button_does_not_wait_for_the_photos_of_its_chat() -> None:
    work = Work()

    await work.all((message(1, 7), 0.03), (press(2, 7), 0.0))

    assert work.ended == [2, 1]


async def test_a_chat_with_a_backlog_takes_one_place_only() -> None:
    work = Work(at_once=2)

    await work.all(*((message(number, 7), 0.01) for number in range(5)), (message(9, 8), 0.0))

    assert work.ended[0] == 9


async def test_once_closed_what_waits_is_left_for_the_next_start() -> None:
    work = Work()

    async with asyncio.TaskGroup() as group:
        for update in (message(1, 7), message(2, 7), press(3, 8)):
            group.create_task(work.processor.process_update(update, work.run(update, 0.02)))
        await asyncio.sleep(0.01)
        work.processor.close()

    assert set(work.begun) == set(work.ended) == set(work.handled) == {1, 3}


async def test_what_is_cut_short_is_put_back_and_not_handled() -> None:
    work = Work()
    jobs = asyncio.create_task(work.all((message(1, 7), 60), (message(2, 7), 60), (press(3, 8), 0.0)))
    await asyncio.sleep(0.05)

    work.processor.close()
    await work.processor.cut_short()
    await jobs

    assert (work.begun, work.handled, work.put_back) == ([1, 3], [3], [1])


async def test_what_is_done_before_its_turn_comes_is_not_handled() -> None:
    work = Work()
    work.done = {2}

    await work.all((message(1, 7), 0.01), (message(2, 7), 0.0), (message(3, 7), 0.0))

    assert work.ended == work.handled == [1, 3]


async def test_no_more_chats_than_allowed_are_served_at_once() -> None:
    work = Work(at_once=3)

    await work.all(*((message(number, number), 0.01) for number in range(1, 9)))

    assert work.most == 3
    assert work.processor._chats == {}
