"""The commands that serve and keep house: run, doctor, backup, forget, rotate-key, export, replay."""

import asyncio

import typer

from bot import app, logging
from bot.config import Config


def run(context: typer.Context) -> None:
    """Serve Telegram, or without a token the local chat in your browser."""
    config: Config = context.obj
    logging.configure((config.telegram.token.get_secret_value(),))
    asyncio.run(app.run(config, _announce))


def _announce(address: str) -> None:
    if address:
        typer.echo(f"The local chat is at {address}/ (set telegram.token for Telegram). Stop with Ctrl+C.")
    else:
        typer.echo("Serving Telegram. Stop with Ctrl+C.")
