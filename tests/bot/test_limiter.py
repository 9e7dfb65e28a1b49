"""The limiter keeps to Telegram's limits and repeats only what is safe to repeat."""

import asyncio

import pytest
from telegram.error import BadRequest, ChatMigrated, NetworkError, TelegramError, TimedOut

from bot.limiter import PATIENCE, Limiter, Result
from bot.request import FloodError, NotSentError, ServerError


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Telegram:
    """Records when it was called, and answers with what it was told to, then with True."""

    def __init__(self, clock: Clock, *answers: TelegramError) -> None:
        self.clock, self.answers, self.calls = clock, list(answers), list[float]()

    async def __call__(self) -> Result:
        self.calls.append(self.clock.now)
        if self.answers:
            raise self.answers.pop(0)
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return Limiter(clock, clock.sleep)


async def send(limiter: Limiter, telegram: Telegram, method: str, chat: int) -> Result:
    return await limiter.process_request(telegram, (), {}, method, {"chat_id": chat}, None)


async def times(limiter: Limiter, clock: Clock, chats: list[int], method: str = "sendMessage") -> list[float]:
    telegram = Telegram(clock)
    for chat in chats:
        await send(limiter, telegram, method, chat)
    return [at - 1000.0 for at in telegram.calls]


async def test_a_private_chat_gets_three_messages_at_once_and_then_one_a_second(
    limiter: Limiter, clock: Clock
) -> None:
    assert await times(limiter, clock, [7] * 6) == pytest.approx([0, 0, 0, 1, 2, 3])


async def test_a_group_gets_at_most_twenty_messages_in_any_minute(limiter: Limiter, clock: Clock) -> None:
    sent = await times(limiter, clock, [-100] * 60)

    assert max(sum(start <= at < start + 60 for at in sent) for start in sent) <= 20


async def test_all_chats_together_get_at_most_thirty_messages_in_any_second(
    limiter: Limiter, clock: Clock
) -> None:
    sent = await times(limiter, clock, list(range(1, 101)))

    assert max(sum(start <= at < start + 1 for at in sent) for start in sent) <= 30
    assert sent[-1] < 100 / 25 + 1


async def test_chat_actions_and_reactions_are_not_counted(limiter: Limiter, clock: Clock) -> None:
    assert await times(limiter, clock, [7] * 9, "sendChatAction") == [0.0] * 9
    assert await times(limiter, clock, [7] * 9, "setMessageReaction") == [0.0] * 9


async def test_a_chat_that_was_told_to_wait_is_left_alone_while_others_are_served(clock: Clock) -> None:
    woken = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await woken.wait()
        await clock.sleep(seconds)

    limiter = Limiter(clock, sleep)
    flooded, other = Telegram(clock, FloodError(7)), Telegram(clock)

    waiting = asyncio.create_task(send(limiter, flooded, "sendMessage", 1))
    await asyncio.sleep(0)
    await send(limiter, other, "sendMessage", 2)
    woken.set()
    await waiting

    assert other.calls == [1000.0]
    assert flooded.calls == [1000.0, pytest.approx(1007.1)]


async def test_every_call_to_a_chat_waits_while_it_is_closed(limiter: Limiter, clock: Clock) -> None:
    await send(limiter, Telegram(clock, FloodError(7)), "sendMessage", 1)
    closed_until = clock.now
    clock.now = 1001.0
    reaction = Telegram(clock)

    await send(limiter, reaction, "setMessageReaction", 1)

    assert reaction.calls[0] >= closed_until


@pytest.mark.parametrize("error", [NotSentError("no connection"), ServerError("502"), FloodError(1)])
async def test_a_message_that_surely_was_not_sent_is_sent_again(
    limiter: Limiter, clock: Clock, error: TelegramError
) -> None:
    telegram = Telegram(clock, error, error)

    assert await send(limiter, telegram, "sendMessage", 1) is True
    assert len(telegram.calls) == 3


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("reset"), BadRequest("chat not found")])
async def test_a_message_that_may_have_arrived_is_not_sent_again(
    limiter: Limiter, clock: Clock, error: TelegramError
) -> None:
    telegram = Telegram(clock, error)

    with pytest.raises(type(error)):
        await send(limiter, telegram, "sendMessage", 1)
    assert len(telegram.calls) == 1


@pytest.mark.parametrize("method", ["editMessageText", "getFile", "answerCallbackQuery"])
async def test_what_may_be_repeated_is_repeated_after_a_timeout(
    limiter: Limiter, clock: Clock, method: str
) -> None:
    telegram = Telegram(clock, TimedOut(), NetworkError("reset"))

    assert await send(limiter, telegram, method, 1) is True


async def test_a_server_that_keeps_failing_is_given_up(limiter: Limiter, clock: Clock) -> None:
    with pytest.raises(ServerError):
        await send(limiter, Telegram(clock, *[ServerError("500")] * 1000), "sendMessage", 1)
    assert clock.now - 1000 == pytest.approx(PATIENCE, abs=31)


async def test_a_connection_is_waited_for_without_end(limiter: Limiter, clock: Clock) -> None:
    telegram = Telegram(clock, *[NotSentError("no connection")] * 500)

    assert await send(limiter, telegram, "sendMessage", 1) is True
    assert clock.now - 1000 > 4 * PATIENCE


async def test_chats_that_are_idle_are_forgotten(limiter: Limiter, clock: Clock) -> None:
    for chat in range(10_050):
        clock.now += 2
        await send(limiter, Telegram(clock), "sendMessage", chat)

    assert len(limiter._chats) < 100


async def test_what_is_sent_to_a_group_that_has_become_a_supergroup_goes_there(
    limiter: Limiter, clock: Clock
) -> None:
    data: dict[str, object] = {"chat_id": -5}
    telegram = Telegram(clock, ChatMigrated(-1005))

    assert await limiter.process_request(telegram, (), {}, "sendMessage", data, None)

    assert data == {"chat_id": -1005}
    assert len(telegram.calls) == 2
