"""What every handler gets: PTB's context, typed, with the services of this bot."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from telegram import Chat, Message, Update
from telegram.constants import ChatAction, ChatType
from telegram.error import TelegramError
from telegram.ext import Application, CallbackContext, ExtBot

from bot import i18n
from bot.albums import Albums
from bot.config import Config
from bot.inbox import Inbox
from bot.services import Services
from bot.services.people import Person
from bot.web.limits import RateLimiter

log = logging.getLogger(__name__)

SLOW = 0.5
"""Seconds after which a person is shown that something is being done."""


@dataclass(frozen=True)
class Parts:
    """What the composition root gives to the Telegram side.

    Attributes:
        admins: numeric ids; nobody else may administrate.
        draw_url: what the button of /draw opens, or None where Telegram could not.
        photo_rate: how many photos a person may send.
        refusal_rate: how often they are told that it was too many.
        hint_rate: how often they are told what to send instead of what they sent.
    """

    config: Config
    services: Services
    admins: frozenset[int]
    draw_url: str | None
    photo_rate: RateLimiter
    refusal_rate: RateLimiter
    hint_rate: RateLimiter
    albums: Albums


Data = dict[Any, Any]


class DigitBot(Application[ExtBot[None], "Context", Data, Data, Data, None]):
    """PTB's application, with the parts of this bot."""

    inbox: Inbox

    def __init__(self, *, parts: Parts, **of_ptb: Any) -> None:
        super().__init__(**of_ptb)
        self.parts = parts
        self._background: set[asyncio.Task[None]] = set()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that outlasts its update, until the bot ends; its errors are handled as all are."""

        async def guarded() -> None:
            try:
                await work
            except Exception as exc:
                await self.process_error(None, exc)

        task = asyncio.create_task(guarded())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def tell_admins(self, text: str) -> None:
        """Send a text to every administrator whom it reaches."""
        for admin in self.parts.admins:
            try:
                await self.bot.send_message(admin, text)
            except TelegramError as exc:  # one who never wrote to the bot cannot be written to
                log.warning("administrator %d was not told: %s", admin, exc)

    async def end_background(self) -> None:
        """Cancel what `in_background` has begun."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


class Context(CallbackContext[ExtBot[None], Data, Data, Data]):
    """The context of one update."""

    @property
    def digitbot(self) -> DigitBot:
        """The application, as what it is."""
        assert isinstance(self.application, DigitBot)  # `bot.app` builds no other
        return self.application

    @property
    def parts(self) -> Parts:
        """Everything that was built for this bot."""
        return self.digitbot.parts

    @property
    def services(self) -> Services:
        """The use cases."""
        return self.parts.services

    @property
    def inbox(self) -> Inbox:
        """Where this update is open until it is handled."""
        return self.digitbot.inbox

    def quietly(self, call: Awaitable[object]) -> None:
        """Make a call whose failure must not cost the answer: a reaction, a chat action."""

        async def attempt() -> None:
            try:
                await call
            except TelegramError as exc:
                log.info("not shown: %s", exc)

        self.digitbot.in_background(attempt())


@asynccontextmanager
async def busy(chat: Chat, context: Context) -> AsyncIterator[None]:
    """Show that the bot is at work, where the block takes longer than `SLOW` seconds."""

    async def show() -> None:
        await asyncio.sleep(SLOW)
        context.quietly(chat.send_action(ChatAction.TYPING))

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()


def person_of(update: Update, context: Context) -> Person:
    """Who sent an update; nobody speaks for a group or a channel, so those are never administrators."""
    user = update.effective_user
    assert user is not None  # every update that is asked for comes from somebody
    return Person(context.bot.id, user.id, user.id in context.parts.admins)


def texts_for(update: Update) -> i18n.Texts:
    """The catalogue in the language of the person behind an update."""
    return i18n.texts(update.effective_user.language_code if update.effective_user else None)


def is_private(chat: Chat) -> bool:
    """Whether a chat is one person's."""
    return chat.type == ChatType.PRIVATE


def is_addressed(message: Message, bot: ExtBot[None]) -> bool:
    """Whether a message is meant for the bot: any in private; in a group a reply to it or a mention."""
    if is_private(message.chat):
        return True
    replied = message.reply_to_message
    if replied is not None and replied.from_user is not None and replied.from_user.id == bot.id:
        return True
    return mentions(message.caption or message.text or "", bot.username)


def mentions(text: str, username: str) -> bool:
    """Whether a text names somebody as Telegram links it: the whole name, after an @ that begins a word."""
    return re.search(rf"(?<!\w)@{re.escape(username)}\b", text, re.IGNORECASE) is not None
