"""Serves chats side by side, each chat in order."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any

from telegram import Update
from telegram.ext import BaseUpdateProcessor

WAITING = 10_000
"""Updates that may wait for their turn; the inbox stops fetching long before."""


class ChatOrder(BaseUpdateProcessor):
    """One update at a time in each chat, and at most `at_once` chats; presses of buttons do not wait.

    The place among the `at_once` is taken behind the chat's lock: a chat with a great backlog takes one.

    Args:
        at_once: chats served at the same time.
        begin: asked before each update, when its turn has come, whether it shall be handled.
        handled: awaited after each update, however its handlers ended.
        put_back: awaited instead where they were cut short.
    """

    def __init__(
        self,
        at_once: int,
        begin: Callable[[Update], Awaitable[bool]],
        handled: Callable[[Update], Awaitable[None]],
        put_back: Callable[[Update], Awaitable[None]],
    ) -> None:
        super().__init__(WAITING)
        self._places = asyncio.Semaphore(at_once)
        self._begin, self._handled, self._put_back = begin, handled, put_back
        self._running: set[asyncio.Task[Any]] = set()
        self._is_closed = False
        self._chats: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Run `coroutine` when it is this chat's turn."""
        assert isinstance(update, Update)  # nothing else is put into the queue
        if update.callback_query is not None or update.effective_chat is None:
            await self._handle(update, coroutine)
            return
        chat = update.effective_chat.id
        lock, waiting = self._chats.get(chat, (asyncio.Lock(), 0))
        self._chats[chat] = lock, waiting + 1
        try:
            async with lock, self._places:
                await self._handle(update, coroutine)
        finally:
            lock, waiting = self._chats.pop(chat)
            if waiting > 1:
                self._chats[chat] = lock, waiting - 1

    def close(self) -> None:
        """Begin nothing more: what is under way may end, what waits stays open for the next start."""
        self._is_closed = True

    async def cut_short(self) -> None:
        """Cancel what is under way: without connections it would fail, and count as handled."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _handle(self, update: Update, coroutine: Awaitable[Any]) -> None:
        if self._is_closed or not await self._begin(update):
            assert isinstance(coroutine, Coroutine)  # of PTB, and never awaited now
            coroutine.close()
            return
        task = asyncio.current_task()
        assert task is not None  # of PTB
        self._running.add(task)
        try:
            await coroutine
            await self._handled(update)
        except asyncio.CancelledError:
            await self._put_back(update)
            raise
        finally:
            self._running.remove(task)

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""
