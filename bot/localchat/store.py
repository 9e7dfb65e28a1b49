"""The file `localchat.db`: opened, written in transactions one after another, closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.localchat import tables


class Store:
    """One SQLite file; `transaction` lets one caller in at a time, so that ids and history stay in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: AsyncEngine | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Create the file, readable by its owner only (it holds pictures and the token), and its tables."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{self._path}")
        event.listen(self._engine.sync_engine, "connect", _configure)
        async with self.transaction() as connection:
            await connection.run_sync(tables.metadata.create_all)

    async def close(self) -> None:
        """Close the file; `open` may open it again."""
        if self._engine is not None:
            async with self._turn:
                await self._engine.dispose()
                self._engine = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """All or nothing: commits at the end, rolls back on any exception."""
        async with self._turn:
            assert self._engine is not None, "the store is open between open() and close()"
            async with self._engine.begin() as connection:
                yield connection


def _configure(connection: Any, _record: object) -> None:
    """Write ahead, so that a kill loses nothing that was committed; wait for another process's lock."""
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
