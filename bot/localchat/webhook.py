"""The webhook: updates posted to the bot's address one by one, again and again until it takes them."""

import asyncio
import contextlib

import httpx

from bot.localchat import settings, updates
from bot.localchat.state import Json, State, Transaction

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
TIMEOUT = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts, doubled after each."""


class Deliveries:
    """Posts what waits in the queue while a webhook is set."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver, in the background."""
        self._task = asyncio.create_task(self._run(), name="webhook of the local chat")

    async def close(self) -> None:
        """Deliver no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            while True:
                news = self._state.polls.news()
                async with self._state.transaction() as transaction:
                    webhook = await settings.read(transaction.connection, "webhook")
                    waiting = await updates.pending(transaction, 0, 1) if webhook else []
                if not waiting:
                    await news.wait()
                    continue
                error = await _post(client, webhook, waiting[0])
                async with self._state.transaction() as transaction:
                    await _note(transaction, waiting[0]["update_id"], error)
                if error:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                else:
                    pause = FIRST_PAUSE


async def _post(client: httpx.AsyncClient, webhook: Json, update: Json) -> str:
    """Deliver one update; returns what went wrong, "" where it was taken."""
    headers = {SECRET_HEADER: webhook["secret_token"]} if webhook["secret_token"] else {}
    try:
        response = await client.post(webhook["url"], json=update, headers=headers)
    except httpx.HTTPError as error:
        return f"Connection failed: {str(error) or type(error).__name__}"
    if response.is_success:
        return ""
    return f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"


async def _note(transaction: Transaction, update_id: int, error: str) -> None:
    """Remove what was taken; remember why something was not."""
    if not error:
        await updates.remove(transaction, update_id)
        return
    failure = {"last_error_date": transaction.now, "last_error_message": error}
    await settings.write(transaction.connection, "webhook_failure", failure)
