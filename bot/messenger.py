"""The Telegram side from start to stop: application, inbox, and long polling or the webhook."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from telegram import Update
from telegram.constants import ParseMode
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ContextTypes, Defaults

from bot import i18n, profile, receipts
from bot.alarm import StorageAlarm
from bot.context import Context, DigitBot, Parts
from bot.errors import UnavailableError
from bot.handlers import corrections, drawing, failures, learning, photos, privacy, rest, seeing, start
from bot.inbox import Inbox
from bot.limiter import Limiter
from bot.polling import ALLOWED_UPDATES, Poller
from bot.posting import post_and_read
from bot.processor import ChatOrder
from bot.request import Request
from bot.services.learning import Progress
from bot.services.people import Person
from bot.web.init_data import InitData
from bot.web.webhook import PATH
from storage.encryption import Keyring
from storage.engine import Database

log = logging.getLogger(__name__)

FEATURES = (start, photos, corrections, seeing, drawing, privacy, learning, rest)
"""Modules with `handlers()`, in the order in which they are asked; `rest` takes what is left."""

GRACE = 20.0
"""Seconds that handlers get to end; what does not is handled at the next start."""

_RETRY = 5.0
_CONNECTIONS = 256


@dataclass(frozen=True)
class Address:
    """Where the Bot API is.

    Attributes:
        base_url, base_file_url: the token is appended to both.
        webhook: the public address that updates are posted to; empty for long polling.
    """

    token: str = field(repr=False)
    base_url: str
    base_file_url: str
    webhook: str = ""
    webhook_secret: str = field(default="", repr=False)


class Messenger:
    """The bot as Telegram, or anything that speaks its Bot API, knows it."""

    def __init__(
        self,
        address: Address,
        parts: Parts,
        database: Database,
        keyring: Keyring,
        now: Callable[[], datetime],
    ) -> None:
        self._address, self._now = address, now
        self._database, self._keyring = database, keyring
        self._application = _build(address, parts)
        self._poller: Poller | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def polled_at(self) -> datetime | None:
        """When updates were last fetched with success."""
        return None if self._poller is None else self._poller.polled_at

    async def start(self) -> None:
        """Return when the bot serves; waits for as long as there is no network.

        Raises:
            UnavailableError: Telegram refuses the token.
        """
        application, bot = self._application, self._application.bot
        await self._initialize()
        alarm = StorageAlarm(lambda text: application.in_background(application.tell_admins(text)))
        application.inbox = Inbox(
            self._database, self._keyring, bot, application.update_queue, now=self._now, alarm=alarm
        )
        await application.start()
        await application.inbox.reopen()
        if self._address.webhook:
            await self._set_webhook()
        else:
            await self._start_polling()
        log.info("serving as @%s", bot.username)
        self._subscribe_to_learning()
        parts = application.parts
        application.in_background(profile.introduce(bot, parts.admins, parts.draw_url))
        application.in_background(receipts.send_when_due(application))

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            UnavailableError: Telegram no longer knows the token.
        """
        await asyncio.gather(*self._tasks)
        await asyncio.Event().wait()  # a webhook has no loop of its own

    async def stop(self) -> None:
        """Fetch and begin no more, let handlers end for `GRACE` seconds, close connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        processor = self._application.update_processor
        assert isinstance(processor, ChatOrder)  # as `_build` made it
        processor.close()
        await self._application.end_background()
        if self._application.running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._application.stop()
        await processor.cut_short()
        await self._application.shutdown()
        await self._application.bot.shutdown()  # also where nobody has ever answered

    async def receive(self, payload: dict[str, object]) -> None:
        """Store one update that came by webhook; Telegram may be told when this returns."""
        await self._application.inbox.receive_json(payload)

    async def send_drawing(self, launch: InitData, picture: bytes) -> None:
        """Post a drawing into the private chat of the person who drew it, and answer it there."""
        bot, parts = self._application.bot, self._application.parts
        person = Person(bot.id, launch.user_id, launch.user_id in parts.admins)
        await post_and_read(bot, parts.services.reading, i18n.texts(launch.language_code), person, picture)

    async def _set_webhook(self) -> None:
        """Have Telegram post updates to us. Raises `UnavailableError` where it does not want to."""
        try:
            await self._application.bot.set_webhook(
                self._address.webhook.rstrip("/") + PATH,
                secret_token=self._address.webhook_secret,
                allowed_updates=ALLOWED_UPDATES,
            )
        except TelegramError as exc:
            raise UnavailableError(f"Telegram refuses the webhook: {exc}") from exc

    async def _start_polling(self) -> None:
        bot = self._application.bot
        try:
            await bot.delete_webhook()  # with one set, polling is refused
        except TelegramError as exc:
            log.warning("an earlier webhook may still be set: %s", exc)
        self._poller = Poller(bot, self._application.inbox, self._now)
        self._tasks.append(asyncio.create_task(self._poller.run(), name="polling"))

    def _subscribe_to_learning(self) -> None:
        """Have administrators told of trainings that the schedule or a departure began."""

        async def report(progress: Progress) -> None:
            await learning.report_unasked(progress, self._application)

        self._application.parts.services.learning.subscribe(report)

    async def _initialize(self) -> None:
        """Ask Telegram who we are, until it answers."""
        while True:
            try:
                return await self._application.initialize()
            except InvalidToken as exc:
                raise UnavailableError("Telegram refuses the token: get a valid one from @BotFather") from exc
            except TelegramError as exc:
                log.warning("Telegram cannot be reached: %s; again in %.0f s", exc, _RETRY)
                await asyncio.sleep(_RETRY)


def _build(address: Address, parts: Parts) -> DigitBot:
    """The application, not yet connected to anything."""

    async def begin(update: Update) -> bool:
        return await application.inbox.begin(update)

    async def handled(update: Update) -> None:
        await application.inbox.handled(update)

    async def put_back(update: Update) -> None:
        await application.inbox.put_back(update)

    application = cast(
        "DigitBot",
        ApplicationBuilder()
        .application_class(DigitBot, {"parts": parts})
        .token(address.token)
        .base_url(address.base_url)
        .base_file_url(address.base_file_url)
        .request(_request(_CONNECTIONS))
        .get_updates_request(_request(4))
        .rate_limiter(Limiter(asyncio.get_running_loop().time))
        .concurrent_updates(ChatOrder(parts.config.limits.chats_at_once, begin, handled, put_back))
        .defaults(Defaults(parse_mode=ParseMode.HTML, allow_sending_without_reply=True))
        .context_types(ContextTypes(context=Context))
        .updater(None)
        .job_queue(None)
        .build(),  # of that class, which PTB's types do not tell
    )
    for feature in FEATURES:
        application.add_handlers(feature.handlers())
    application.add_error_handler(failures.on_error)
    return application


def _request(connections: int) -> Request:
    return Request(
        connection_pool_size=connections,
        connect_timeout=10,
        read_timeout=20,
        write_timeout=20,
        media_write_timeout=60,
        pool_timeout=30,
    )
