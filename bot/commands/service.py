"""The commands that serve and keep house: run, doctor, backup, forget, rotate-key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from telegram import Bot
from telegram.error import TelegramError

from bot import app, logging
from bot.commands import LARGEST_ID
from bot.config import Config
from bot.decoder import DecoderPool
from bot.errors import UnavailableError
from bot.request import Request
from model.errors import CheckpointError, UnreadablePhotoError
from model.learning import camera
from model.nn import checkpoint
from model.recognizer import Recognizer
from storage import doctor as storage_doctor
from storage import encryption, engine, inbox, predictions
from storage.backup import made_before_upgrades
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import StorageError
from storage.records import Check


def run(context: typer.Context) -> None:
    """Serve Telegram, or without a token the local chat in your browser."""
    config: Config = context.obj()
    logging.configure(_secrets(config))
    asyncio.run(app.run(config, _announce))


def doctor(context: typer.Context) -> None:
    """Look whether database, keys, network, decoder and Telegram are as they should be; change nothing."""
    checks = asyncio.run(_examine(context.obj()))
    for check in checks:
        typer.echo(f"{'ok    ' if check.is_ok else 'FAILED'}  {check.name}: {check.detail}")
    if not all(check.is_ok for check in checks):
        raise typer.Exit(1)


def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="The copy to make; must not exist.")]
) -> None:
    """Copy the database while it is in use. Keys are not in it; keep those elsewhere."""

    async def copy() -> None:
        async with _database(context.obj()) as database:
            await database.backup(file)

    asyncio.run(copy())
    typer.echo(f"copied to {file}; it expires with what it holds: delete it after 30 days")


def forget(
    context: typer.Context,
    user_id: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="Their numeric Telegram id.")],
) -> None:
    """Erase everything of a person, as /forget_me does, and mark the networks that learned from it."""

    async def erase() -> tuple[int, list[Path]]:
        async with app.opened(context.obj()) as core:
            erased = await core.services.consent.forget_everywhere(user_id)
            path = core.database.path
            return erased.predictions, [] if path is None else made_before_upgrades(path)

    count, copies = asyncio.run(erase())
    typer.echo(f"erased {count} readings of user {user_id}")
    for copy in copies:
        typer.echo(f"{copy}, a copy from before an upgrade, still has them until it expires")


def rotate_key(
    context: typer.Context,
    *,
    retire: Annotated[bool, typer.Option("--retire", help="Then remove the older keys.")] = False,
) -> None:
    """Encrypt what is kept with a new key; older keys go on decrypting until they are retired."""
    config: Config = context.obj()
    lost = asyncio.run(_rotate(config, retire=retire))
    if retire:
        encryption.retire_keys(config.storage.key_file)
    rest = f", but for {lost} glyphs whose key is lost" if lost else ""
    removed = "; older keys are removed" if retire else ""
    typer.echo(f"everything is encrypted with the newest key{rest}{removed}")


def _announce(address: str) -> None:
    if address:
        typer.echo(f"The local chat is at {address}/ (set telegram.token for Telegram). Stop with Ctrl+C.")
    else:
        typer.echo("Serving Telegram. Stop with Ctrl+C.")


def _secrets(config: Config) -> tuple[str, ...]:
    """What must never reach a log."""
    telegram, keys = config.telegram, config.web.api_keys
    secrets = (telegram.token, telegram.webhook_secret, config.storage.key, *keys)
    return tuple(secret.get_secret_value() for secret in secrets)


@asynccontextmanager
async def _database(config: Config) -> AsyncIterator[Database]:
    """The database as it is, not migrated."""
    database = engine.create(config.storage.url)
    try:
        yield database
    finally:
        await database.close()


def _keys_to_use(config: Config, *, retire: bool) -> Keyring:
    """The keys to encrypt everything with: with a new one in front, unless there is one already."""
    if config.storage.key.get_secret_value():
        keyring = app.load_keyring(config)
        if retire or len(keyring.key_ids) == 1:
            raise UnavailableError(
                "storage.key is set: put a new key before the old one there, restart the bot, "
                "run rotate-key, and then take the old one out"
            )
        return keyring
    file = config.storage.key_file
    return encryption.load_or_create_key(file) if retire else encryption.add_key(file)


async def _rotate(config: Config, *, retire: bool) -> int:
    """Encrypt everything under the newest key; how many glyphs are lost with their keys."""
    async with _database(config) as database:
        if database.path is not None and not database.path.exists():
            raise UnavailableError(f"{database.path} does not exist yet; the first start makes it")
        keyring = _keys_to_use(config, retire=retire)
        async with database.transaction() as session:
            await inbox.reseal(session, keyring)
        done: int | None = 0
        while done is not None:
            async with database.transaction() as session:
                done = await predictions.reseal(session, keyring, after=done)
        async with database.reading() as session:
            return await predictions.count_sealed_otherwise(session, keyring)


async def _examine(config: Config) -> list[Check]:
    keys, keyring = _check_keys(config)
    checks = [keys]
    if keys.is_ok:
        checks += await _check_database(config, keyring)
    checks += [_check_network(config), await asyncio.to_thread(_check_decoder, config)]
    if config.telegram.token.get_secret_value():
        checks.append(await _check_telegram(config))
    return checks


def _check_keys(config: Config) -> tuple[Check, Keyring | None]:
    file = config.storage.key_file
    if not config.storage.key.get_secret_value() and not file.exists():
        return Check.passed("key file", f"{file} does not exist yet; the first start makes it"), None
    try:
        keyring = app.load_keyring(config)
    except StorageError as exc:
        return Check.failed("key file", str(exc)), None
    return Check.passed("key file"), keyring


async def _check_database(config: Config, keyring: Keyring | None) -> list[Check]:
    async with _database(config) as database:
        if database.path is not None and not database.path.exists():
            return [Check.passed("database", f"{database.path} does not exist yet; the first start makes it")]
        return await storage_doctor.examine(database, keyring)


def _check_network(config: Config) -> Check:
    try:
        loaded = checkpoint.load_file(app.checkpoint_file(config))
        Recognizer.from_checkpoint(loaded)  # as the bot does: not every network reads
    except CheckpointError as exc:
        return Check.failed("network", str(exc))
    return Check.passed("network", f"{loaded.network.architecture} {loaded.sha256[:12]}")


def _check_decoder(config: Config) -> Check:
    """A photo drawn by code must come back from a decoder process."""
    limits = config.limits
    photo = camera.sample_photos(1, 0)[0].jpeg
    with DecoderPool(1, memory=limits.decoder_memory, seconds=limits.decoder_seconds) as decoder:
        try:
            decoder.read_page_now(photo)
        except UnreadablePhotoError as exc:
            return Check.failed("decoder", f"a good photo was not read: {exc}")
    return Check.passed("decoder")


async def _check_telegram(config: Config) -> Check:
    telegram = config.telegram
    token = telegram.token.get_secret_value()
    try:
        async with Bot(token, telegram.base_url, telegram.base_file_url, request=Request()) as bot:
            return Check.passed("telegram", f"@{bot.username}")
    except TelegramError as exc:
        return Check.failed("telegram", str(exc).replace(token, "[token]"))
