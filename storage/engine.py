"""One database, one way to open it: writing transactions, reading ones, and nothing else.

SQLite is asked for what it does not do by itself: WAL, `synchronous=FULL` (a commit survives a loss of
power), foreign keys, `secure_delete` (what is deleted is overwritten), waiting for others, and a BEGIN when
we say so: the driver's own late one makes a transaction that has read fail at once when another has written.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage import backup
from storage.errors import (
    BackupError,
    ConstraintError,
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
    DatabaseUnavailableError,
    StorageError,
)
from storage.tables import Base

BUSY_SECONDS = 10
"""How long a transaction waits for another process that writes."""

BEGIN = "digitbot_begin"
"""Execution option: the statement that opens a transaction on SQLite; empty for none."""

_DRIVERS = {"sqlite": ("sqlite+aiosqlite", "sqlite"), "postgresql": ("postgresql+psycopg",) * 2}

_SQLITE_ERRORS: dict[str, type[DatabaseError]] = {
    "SQLITE_BUSY": DatabaseBusyError,
    "SQLITE_LOCKED": DatabaseBusyError,
    "SQLITE_FULL": DatabaseFullError,
    "SQLITE_CANTOPEN": DatabaseUnavailableError,
    "SQLITE_READONLY": DatabaseUnavailableError,
    "SQLITE_IOERR": DatabaseUnavailableError,
    "SQLITE_CORRUPT": DatabaseDamagedError,
    "SQLITE_NOTADB": DatabaseDamagedError,
}

_POSTGRESQL_ERRORS: dict[str, type[DatabaseError]] = {
    "53100": DatabaseFullError,  # disk_full
    "55P03": DatabaseBusyError,  # lock_not_available
    "40001": DatabaseBusyError,  # serialization_failure
    "40P01": DatabaseBusyError,  # deadlock_detected
}


def parse_url(url: str, *, is_async: bool = True) -> URL:
    """The URL with the driver that we use.

    Raises:
        StorageError: it is no URL, or of another database than SQLite in a file or PostgreSQL.
    """
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise StorageError("storage.url is no database URL") from None
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise StorageError(f"expected a database of SQLite or PostgreSQL, got {backend}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StorageError("expected SQLite in a file, got one in memory, which forgets everything")
    return parsed.set(drivername=_DRIVERS[backend][0 if is_async else 1])


def connect_arguments(url: URL) -> dict[str, Any]:
    """What the driver is told beside the URL."""
    if url.get_backend_name() == "sqlite":
        return {"isolation_level": None, "timeout": BUSY_SECONDS}
    return {
        "connect_timeout": BUSY_SECONDS,
        "options": f"-c lock_timeout={BUSY_SECONDS * 1000} -c timezone=UTC",
    }


def prepare(engine: Engine) -> None:
    """Have each connection to SQLite configured, and each transaction begun as its options say."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if engine.dialect.is_async:
            event.listen(engine, "invalidate", _let_go_of_sqlite)


def _configure_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            "journal_size_limit = 16777216",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("PRAGMA journal_mode = WAL")
        row = cursor.fetchone()
        if row is None or row[0] != "wal":  # SQLite reports failure by naming the mode that stays
            raise DatabaseUnavailableError(f"expected SQLite's journal mode wal, got {row}")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE")
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if statement == 'BEGIN' else 'OFF'}")
    if statement:
        connection.exec_driver_sql(statement)


def _let_go_of_sqlite(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, error: BaseException | None
) -> None:
    """Roll back before a cancelled statement's connection is closed.

    SQLite keeps a closed connection, and its lock, for as long as a statement of it is unfinished, and that
    lives as long as somebody looks at the exception.
    """
    if error is not None:
        assert isinstance(connection, AdaptedConnection)  # the engine is asynchronous
        connection.run_async(lambda driver: asyncio.shield(driver.rollback()))


def translate(error: SQLAlchemyError, url: URL) -> DatabaseError:
    """Our name for an error of the driver; the message holds SQLite's file, and never a row or the URL."""
    if not isinstance(error, DBAPIError):
        origin = getattr(error, "orig", None)  # what a column type said of a value
        return DatabaseError(str(origin) if origin is not None else type(error).__name__)
    origin = error.orig
    if isinstance(error, IntegrityError):
        return ConstraintError(str(origin).splitlines()[0])
    name: str = getattr(origin, "sqlite_errorname", None) or ""
    state: str = getattr(origin, "sqlstate", None) or ""
    family = "_".join(name.split("_")[:2])
    kind = _SQLITE_ERRORS.get(family) or _POSTGRESQL_ERRORS.get(state)
    if kind is None:
        is_away = error.connection_invalidated or state[:2] in ("08", "57")  # connection, operator
        is_away = is_away or (not name and not state and type(origin).__name__ == "OperationalError")
        kind = DatabaseUnavailableError if is_away else DatabaseError
    message = str(origin).splitlines()[0] if str(origin) else type(origin).__name__
    return kind(message if url.get_backend_name() != "sqlite" else f"{url.database}: {message}")


@contextmanager
def open_sync(url: str) -> Iterator[Connection]:
    """A connection of its own for migrations, which are not asynchronous.

    Raises:
        StorageError: the URL is neither of SQLite in a file nor of PostgreSQL.
    """
    parsed = parse_url(url, is_async=False)
    engine = create_engine(parsed, connect_args=connect_arguments(parsed), poolclass=NullPool)
    prepare(engine)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


class Database:
    """A database and the two ways to speak to it.

    Args:
        url: of SQLite in a file, or of PostgreSQL; which driver it names does not matter.

    Raises:
        StorageError: the URL is neither.
    """

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = create_async_engine(
            self.url, connect_args=connect_arguments(self.url), pool_pre_ping=not is_sqlite
        )
        prepare(self.engine.sync_engine)
        reader = self.engine.execution_options(
            **(
                {BEGIN: "BEGIN"}
                if is_sqlite
                else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
        )
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading = async_sessionmaker(reader, expire_on_commit=False)
        self._turn = asyncio.Lock() if is_sqlite else nullcontext()

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        if self.url.get_backend_name() != "sqlite" or self.url.database is None:
            return None
        return Path(self.url.database)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that writes: committed at the end, rolled back by any exception, cancellation included.

        SQLite has one writer: those of this process take turns, those of others are waited for.

        Raises:
            DatabaseError: the database refuses; nothing was stored.
        """
        async with self._turn:
            try:
                async with self._writing.begin() as session:
                    yield session
            except SQLAlchemyError as exc:
                raise translate(exc, self.url) from exc

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one moment of the database and cannot write.

        Keep it short: SQLite's write-ahead log grows as long as somebody reads.

        Raises:
            DatabaseError: the database refuses.
        """
        try:
            async with self._reading.begin() as session:
                yield session
        except SQLAlchemyError as exc:
            raise translate(exc, self.url) from exc

    async def backup(self, file: Path) -> None:
        """A sound copy of an SQLite database as of now, made while others write; keys are not in it.

        Raises:
            BackupError: the file exists, cannot be written or fails its check; or this is PostgreSQL.
        """
        if self.path is None:
            raise BackupError("a PostgreSQL database is backed up with pg_dump")
        await asyncio.to_thread(backup.copy, self.path, file)

    async def scrub(self) -> bool:
        """Overwrite what was deleted wherever it still lingers; call it after people were forgotten.

        SQLite: the write-ahead log is emptied (what leaves the database itself is overwritten at once).
        PostgreSQL: dead rows are vacuumed away, but for tables that somebody holds, which are passed over:
        who was forgotten waits for the answer, and the next time is soon.

        Returns:
            False where somebody reads SQLite's file, and it has to be tried again.
        """
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", BEGIN: ""}
        try:
            async with self.engine.connect() as plain:
                connection = await plain.execution_options(**options)
                if self.path is None:
                    await connection.exec_driver_sql(
                        f"VACUUM (SKIP_LOCKED) {', '.join(Base.metadata.tables)}"
                    )
                    return True
                result = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                return bool(result.scalar_one() == 0)
        except SQLAlchemyError as exc:
            raise translate(exc, self.url) from exc

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def create(url: str) -> Database:
    """The database at a URL; nothing is opened yet.

    Raises:
        StorageError: the URL is neither of SQLite in a file nor of PostgreSQL.
    """
    return Database(url)
