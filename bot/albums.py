"""Albums arrive as one update a picture with no end mark: readings are collected and answered once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from telegram import Message, Update

PAUSE = 1.5
"""Seconds without a further picture after which an album is complete."""


@dataclass(frozen=True)
class Picture:
    """One picture of an album, and the line that says what it was read as or why not."""

    update: Update
    message: Message
    line: str


class Albums:
    """The albums that are still coming in.

    Args:
        pause: seconds; see `PAUSE`.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._open: dict[tuple[int, str], list[Picture]] = {}
        self._coming: Counter[tuple[int, str]] = Counter()

    @contextmanager
    def coming(self, key: tuple[int, str]) -> Iterator[None]:
        """While a picture is fetched and read, its album is not complete, however long that takes."""
        self._coming[key] += 1
        try:
            yield
        finally:
            self._coming[key] -= 1
            if not self._coming[key]:
                del self._coming[key]

    async def collect(self, key: tuple[int, str], picture: Picture) -> list[Picture]:
        """The whole album in order for the call that brought its last picture; nothing for the others."""
        pictures = self._open.setdefault(key, [])
        pictures.append(picture)
        count = len(pictures)
        while True:
            await asyncio.sleep(self._pause)
            if len(pictures) > count:
                return []
            if key not in self._coming:
                break
        del self._open[key]
        return sorted(pictures, key=lambda one: one.message.id)
