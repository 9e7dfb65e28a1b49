"""Bring the tables up to date: one process at a time, after a backup, never those of a newer digitbot."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import SQLAlchemyError

from storage import backup
from storage.engine import open_sync, parse_url, translate
from storage.errors import MigrationError, MigrationLockedError, UnknownRevisionError

LOCK_SECONDS = 60.0
"""How long one process waits for another that migrates."""

_ADVISORY_LOCK = 0x6469676974626F74
"""Key of the lock on PostgreSQL: "digitbot"."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done.

    Attributes:
        before: the revision found, or None where there were no tables.
        after: the revision now.
        backup: the copy made before, of an SQLite database that was changed.
    """

    before: str | None
    after: str
    backup: Path | None


def migrate(url: str, *, lock_seconds: float = LOCK_SECONDS) -> Migration:
    """Make or upgrade the tables; nothing is done where they are up to date.

    Raises:
        UnknownRevisionError: a newer digitbot made them.
        MigrationLockedError: another process migrates for longer than ``lock_seconds``.
        MigrationError: a step failed, and nothing was changed.
        BackupError: the copy before an upgrade failed, and nothing was changed.
        DatabaseError: the database cannot be opened.
    """
    parsed = parse_url(url, is_async=False)
    if parsed.get_backend_name() == "sqlite":
        _make_file(_file(parsed))
    try:
        with _alone(parsed, lock_seconds), open_sync(url) as connection:
            return _migrate(connection, parsed)
    except SQLAlchemyError as exc:
        raise translate(exc, parsed) from exc
    except OSError as exc:
        raise MigrationError(f"the database file cannot be made: {exc}") from exc


def head() -> str:
    """The revision that this digitbot needs."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert revision is not None  # there is at least one
    return revision


def current(connection: Connection) -> str | None:
    """The revision of the tables, or None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def alembic_config() -> Config:
    """Alembic's configuration; it finds the steps from any working directory."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("migrations")).replace("%", "%%"))
    return config


def _migrate(connection: Connection, url: URL) -> Migration:
    before, needed = current(connection), head()
    connection.rollback()  # looking has begun a transaction
    if before == needed:
        return Migration(before, needed, None)
    if before is not None and before not in _known():
        raise UnknownRevisionError(before)
    copied = None
    if url.get_backend_name() == "sqlite" and before is not None:
        copied = _copy(_file(url), before)
    config = alembic_config()
    config.attributes["connection"] = connection
    _enforce_foreign_keys(connection, enforced=False)
    try:
        command.upgrade(config, needed)
    except SQLAlchemyError as exc:
        raise MigrationError(f"from revision {before} to {needed}: {translate(exc, url)}") from exc
    finally:
        connection.rollback()
        _enforce_foreign_keys(connection, enforced=True)
    return Migration(before, needed, copied)


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def _copy(file: Path, revision: str) -> Path:
    """A backup beside the database; the one of an earlier try at the same upgrade gives way to it."""
    target = file.with_name(f"{file.name}{backup.BEFORE_UPGRADE}{revision}")
    target.unlink(missing_ok=True)
    backup.copy(file, target)
    return target


def _enforce_foreign_keys(connection: Connection, *, enforced: bool) -> None:
    """Outside of any transaction: inside one SQLite ignores it."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.dbapi_connection
        assert driver is not None  # it is open
        cursor = driver.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if enforced else 'OFF'}")
        cursor.close()


def _file(url: URL) -> Path:
    assert url.database is not None  # `parse_url` has looked
    return Path(url.database)


def _make_file(file: Path) -> None:
    """An empty file that only its owner reads; SQLite gives its companions the same mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


@contextmanager
def _alone(url: URL, seconds: float) -> Iterator[None]:
    """Hold what keeps other processes from migrating the same database; a crash lets go of it."""
    if url.get_backend_name() == "sqlite":
        file = _file(url)
        descriptor = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait(lambda: _try_flock(descriptor), seconds)
            yield
        finally:
            os.close(descriptor)
        return
    with open_sync(url.render_as_string(hide_password=False)) as connection:
        question = text("SELECT pg_try_advisory_lock(:key)")
        _wait(lambda: bool(connection.scalar(question, {"key": _ADVISORY_LOCK})), seconds)
        connection.commit()
        yield  # the lock is the session's and ends with it


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(try_once: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not try_once():
        if time.monotonic() > deadline:
            raise MigrationLockedError(f"another process has been migrating the database for {seconds:.0f} s")
        time.sleep(0.05)
