"""The composition root: the only place that builds the object graph, and what `digitbot run` runs."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from bot.albums import Albums
from bot.config import Config
from bot.context import Parts
from bot.decoder import DecoderPool
from bot.errors import UnavailableError
from bot.housekeeping import Housekeeping
from bot.localchat import LocalChat
from bot.messenger import Address, Messenger
from bot.services import Services
from bot.services.champion import Champion
from bot.services.consent import ConsentService
from bot.services.corrections import CorrectionService
from bot.services.learning import LearningService
from bot.services.lesson import LessonService
from bot.services.reading import ReadingService
from bot.services.receipts import ReceiptService
from bot.services.replays import ReplayService
from bot.services.review import ReviewService
from bot.services.training_run import Effort, Folders, TrainingRunner
from bot.web.app import create_app
from bot.web.init_data import InitData
from bot.web.limits import RateLimiter
from bot.web.server import WebServer
from bot.web.services import Webhook, WebServices
from model.nn import checkpoint
from storage import encryption, migration
from storage import engine as storage_engine
from storage.encryption import Keyring
from storage.engine import Database

log = logging.getLogger(__name__)

REFUSALS_PER_MINUTE = 6
"""How often a person is told that they send more than is read."""

HINTS_PER_MINUTE, HINTS_AT_ONCE = 12, 5
"""How often a person is told what to send instead of what they sent."""


@dataclass(frozen=True)
class Core:
    """What every face needs: the database and the use cases over it."""

    config: Config
    database: Database
    keyring: Keyring
    decoder: DecoderPool
    services: Services


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


def load_keyring(config: Config) -> Keyring:
    """The keys of the configuration, else of its key file, which is made when it is missing."""
    if key := config.storage.key.get_secret_value():
        return Keyring.from_text(key)
    return encryption.load_or_create_key(config.storage.key_file)


@asynccontextmanager
async def opened(
    config: Config, now: Callable[[], datetime] = utc_now, effort: Effort | None = None
) -> AsyncIterator[Core]:
    """The core, with the database migrated and the champion loaded; closed at the end of the block.

    Args:
        config: where everything is.
        now: the clock.
        effort: how much work a training is.

    Raises:
        StorageError: the database or the key cannot be used.
        CheckpointError: the network to start from cannot be loaded.
    """
    await asyncio.to_thread(migration.migrate, config.storage.url)
    async with AsyncExitStack() as stack:
        database = storage_engine.create(config.storage.url)
        stack.push_async_callback(database.close)
        keyring = await asyncio.to_thread(load_keyring, config)
        champion = Champion(database, checkpoint_file(config), now)
        await champion.start()
        limits = config.limits
        decoder = DecoderPool(
            limits.decoder_processes,
            memory=limits.decoder_memory,
            seconds=limits.decoder_seconds,
            file_bytes=limits.photo_bytes,
        )
        stack.callback(decoder.close)
        lessons = LessonService(database, keyring, champion, config.learning)
        runner = TrainingRunner(
            database, lessons, champion, config.learning, _folders(config), effort=effort or Effort(), now=now
        )
        services = Services(
            champion=champion,
            reading=ReadingService(database, keyring, champion, decoder, now),
            corrections=CorrectionService(database, now),
            consent=ConsentService(database, now),
            learning=LearningService(database, lessons, champion, config.learning, runner, now=now),
            receipts=ReceiptService(database, keyring, champion, now),
            review=ReviewService(database, keyring, now),
            replays=ReplayService(database, keyring),
        )
        stack.push_async_callback(services.learning.close)
        yield Core(config, database, keyring, decoder, services)


def _folders(config: Config) -> Folders:
    return Folders(mnist=config.model.mnist_dir, cache=platformdirs.user_cache_path("digitbot"))


async def run(config: Config, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM: Telegram where there is a token, else the local chat; the web always.

    Args:
        config: what to serve.
        announce: told where the bot is to be found, once it is.

    Raises:
        UnavailableError: Telegram refuses the token, the port of the local chat is taken, or the local chat
            would be open to the world.
    """

    async def serving() -> None:
        async with opened(config) as core:
            await serve(core, announce)

    def stop() -> None:
        if not task.cancelling():  # asked again by the impatient, it goes on stopping in good order
            task.cancel()

    task = asyncio.create_task(serving(), name="serving")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def serve(core: Core, announce: Callable[[str], None]) -> None:
    """Start everything in order, serve until cancelled, stop everything in the opposite order.

    Raises:
        UnavailableError: as `run` does.
    """
    telegram = core.config.telegram
    token = telegram.token.get_secret_value()
    if core.config.web.public_url and not token:  # behind a proxy the whole world comes from this machine
        raise UnavailableError(
            "web.public_url is set without telegram.token: the local chat, where everybody may be the "
            "administrator, is for this machine alone"
        )
    localchat = None if token else LocalChat(_localchat_file(core.database))
    async with AsyncExitStack() as stack:
        if localchat is not None:
            stack.push_async_callback(localchat.close)
            await localchat.start()
            token = localchat.identity.token
        desk = _Desk()
        web = WebServer(
            create_app(
                _web_services(core, desk, token),
                core.config,
                None if localchat is None else localchat.application,
            ),
            core.config.web.host,
            core.config.web.port,
        )
        await _start_web(web, localchat, stack)
        messenger = Messenger(
            _address(core.config, token, web, localchat),
            _parts(core, web, localchat),
            core.database,
            core.keyring,
            utc_now,
        )
        desk.messenger = messenger
        stack.push_async_callback(messenger.stop)
        _in_background(stack, core.services.champion.follow())
        _in_background(stack, core.services.learning.attend())
        _in_background(stack, _housekeeping(core).run())
        _in_background(stack, core.decoder.start())
        announce(web.address if localchat is not None else "")
        await messenger.start()
        await messenger.run()


@dataclass
class _Desk:
    """Where the web finds the messenger, which is made after it: its address may be the web server's own."""

    messenger: Messenger | None = None

    def polled_at(self) -> datetime | None:
        return None if self.messenger is None else self.messenger.polled_at

    async def receive(self, payload: dict[str, object]) -> None:
        assert self.messenger is not None  # Telegram was told of the webhook by it
        await self.messenger.receive(payload)

    async def send_drawing(self, launch: InitData, picture: bytes) -> None:
        assert self.messenger is not None  # the page was opened from a chat with it
        await self.messenger.send_drawing(launch, picture)


async def _start_web(web: WebServer, localchat: LocalChat | None, stack: AsyncExitStack) -> None:
    """Listen; a taken port is fatal only where nothing but the web serves."""
    stack.push_async_callback(web.stop)
    if localchat is not None:
        stack.push_async_callback(localchat.close)  # before the server, whose live pages would not end
    try:
        await web.start()
    except UnavailableError as exc:
        if localchat is not None:
            raise
        log.error("%s; Telegram is served all the same", exc)  # noqa: TRY400 - said in full


def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until the stack closes."""
    task = asyncio.create_task(work)

    async def cancel() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(cancel)


def _housekeeping(core: Core) -> Housekeeping:
    return Housekeeping(core.database, timedelta(days=core.config.learning.retention_days), utc_now)


def _web_services(core: Core, desk: _Desk, token: str) -> WebServices:
    champion, telegram = core.services.champion, core.config.telegram

    async def classify(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return await asyncio.to_thread(champion.current.recognizer.classify, pixels)

    def figures() -> Mapping[str, float]:
        return {"model_version": champion.current.version_id}

    webhook = None
    if telegram.webhook:
        webhook = Webhook(telegram.webhook_secret.get_secret_value(), desk.receive)
    return WebServices(
        read=core.services.reading.read,
        classify=classify,
        classic=checkpoint.shipped("classic").network,
        token=token,
        send_drawing=desk.send_drawing,
        webhook=webhook,
        last_poll=desk.polled_at,
        figures=figures,
        now=utc_now,
    )


def _address(config: Config, token: str, web: WebServer, localchat: LocalChat | None) -> Address:
    if localchat is not None:
        return Address(token, f"{web.address}/bot", f"{web.address}/file/bot")
    telegram = config.telegram
    return Address(
        token,
        telegram.base_url,
        telegram.base_file_url,
        telegram.webhook,
        telegram.webhook_secret.get_secret_value(),
    )


def _parts(core: Core, web: WebServer, localchat: LocalChat | None) -> Parts:
    limits, draw_url = core.config.limits, None
    if localchat is not None:
        draw_url = f"{web.address}/draw"
    elif core.config.web.public_url.startswith("https://"):
        draw_url = f"{core.config.web.public_url.rstrip('/')}/draw"
    admins = core.config.telegram.admins if localchat is None else (localchat.identity.admin_id,)
    return Parts(
        config=core.config,
        services=core.services,
        admins=frozenset(admins),
        draw_url=draw_url,
        photo_rate=RateLimiter(limits.photos_per_minute, limits.photo_burst),
        refusal_rate=RateLimiter(REFUSALS_PER_MINUTE, 1),
        hint_rate=RateLimiter(HINTS_PER_MINUTE, HINTS_AT_ONCE),
        albums=Albums(),
    )


def _localchat_file(database: Database) -> Path:
    """Beside the database; for a database on a server, where one in a file would be."""
    folder = Path("data") if database.path is None else database.path.parent
    return folder / "localchat.db"


def checkpoint_file(config: Config) -> Path:
    """The network of the configuration, else the shipped reader."""
    if config.model.checkpoint:
        return Path(config.model.checkpoint)
    return checkpoint.SHIPPED / "reader.safetensors"
