"""Who takes part in the local chat and what goes on in it right now."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.localchat import settings, tables
from bot.localchat.events import Bus, Event
from bot.localchat.polling import Polls
from bot.localchat.store import Store

Json = dict[str, Any]
"""An object of the Bot API, as it goes over the wire."""

Clock = Callable[[], datetime]
Randomness = Callable[[int], int]
"""As `secrets.randbelow`: an integer from 0 up to its argument, exclusive."""

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


@dataclass(frozen=True)
class Account:
    """A person of the local chat."""

    user_id: int
    role: str  # "person" or "admin"
    first_name: str
    username: str

    def user(self) -> Json:
        """The person as a User of the Bot API."""
        return {
            "id": self.user_id,
            "is_bot": False,
            "first_name": self.first_name,
            "username": self.username,
            "language_code": "en",
        }


@dataclass(frozen=True)
class Identity:
    """Who this installation's bot and people are: made at the first start, the same ever after."""

    token: str
    people: tuple[Account, ...]

    @property
    def bot_id(self) -> int:
        """The bot's user id: what stands before the colon of its token."""
        return int(self.token.partition(":")[0])

    @property
    def admin_id(self) -> int:
        """The one person who may retrain."""
        return next(account.user_id for account in self.people if account.role == "admin")

    def bot(self, name: str = "digitbot") -> Json:
        """The bot as a User of the Bot API."""
        return {"id": self.bot_id, "is_bot": True, "first_name": name, "username": "local_digit_bot"}

    def account(self, user_id: int) -> Account | None:
        """The person with this id."""
        return next((account for account in self.people if account.user_id == user_id), None)


@dataclass
class Transaction:
    """One change of the chat: its rows, and the events told to the pages once the rows are safe."""

    connection: AsyncConnection
    identity: Identity
    now: int  # seconds since 1970
    events: list[Event] = field(default_factory=list)
    has_updates: bool = False  # something for the bot is in it


class State:
    """Everything the local chat knows; methods and pages read and change it in transactions."""

    def __init__(self, path: Path, clock: Clock, randomness: Randomness = secrets.randbelow) -> None:
        self.store = Store(path)
        self.bus = Bus()
        self.polls = Polls()
        self.identity = Identity(token="", people=())
        self._clock = clock
        self._randomness = randomness

    async def start(self) -> None:
        """Open the file; at the very first start, invent the bot's token and the people."""
        await self.store.open()
        async with self.transaction() as transaction:
            token = await settings.read(transaction.connection, "token")
            if token is None:
                token = await self._invent(transaction.connection)
            rows = await transaction.connection.execute(select(tables.people))
            people = [Account(row.user_id, row.role, row.first_name, row.username) for row in rows]
            self.identity = Identity(token, tuple(people))

    async def close(self) -> None:
        """Let waiting polls and pages go, and close the file."""
        self.polls.end()
        self.bus.end()
        await self.store.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Change the chat: all or nothing, and the pages hear of it only afterwards."""
        async with self.store.transaction() as connection:
            transaction = Transaction(connection, self.identity, self.now())
            yield transaction
        self.bus.publish(transaction.events)
        if transaction.has_updates:
            self.polls.wake()

    def time(self) -> datetime:
        """The time."""
        return self._clock()

    def now(self) -> int:
        """Seconds since 1970, as everywhere in the Bot API."""
        return int(self._clock().timestamp())

    def random_text(self, length: int) -> str:
        """Letters, digits, "-" and "_" that nobody can guess."""
        return "".join(ALPHABET[self._randomness(len(ALPHABET))] for _ in range(length))

    def random_id(self) -> int:
        """A positive number in the range of Telegram's user ids."""
        return 100_000_000 + self._randomness(7_900_000_000)

    async def _invent(self, connection: AsyncConnection) -> str:
        token = f"{self.random_id()}:{self.random_text(35)}"
        await settings.write(connection, "token", token)
        people = [("person", "You", "you"), ("person", "Robin", "robin"), ("admin", "Admin", "admin")]
        for role, first_name, username in people:
            user_id = self.random_id()
            await connection.execute(
                insert(tables.people).values(
                    user_id=user_id, role=role, first_name=first_name, username=f"{username}_local"
                )
            )
            await connection.execute(
                insert(tables.chats).values(chat_id=user_id, type="private", title=first_name)
            )
        await connection.execute(
            insert(tables.chats).values(chat_id=-self.random_id(), type="group", title="Digit club")
        )
        return token
