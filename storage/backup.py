"""Copies of an SQLite database that are sound although others write meanwhile."""

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from storage.errors import BackupError

BEFORE_UPGRADE = ".before-"
"""In the names of copies that migrations make: `digitbot.db.before-0002`."""


def copy(database: Path, target: Path) -> None:
    """Copy with ``VACUUM INTO``, check the copy, and only then give it its name.

    The copy holds no deleted rows, is readable by its owner only, and holds no keys.

    Raises:
        BackupError: there is no database, or the target exists, cannot be written, or fails its check.
    """
    if not database.exists():
        raise BackupError(f"{database} does not exist")
    if target.exists():
        raise BackupError(f"{target} exists already")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(unfinished),))
        _check(unfinished)
        _sync(unfinished)
        unfinished.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as exc:
        raise BackupError(f"{target}: {exc}") from exc
    finally:
        unfinished.unlink(missing_ok=True)


def made_before_upgrades(database: Path) -> list[Path]:
    """The copies that migrations made of a database; what was erased from it since is still in them."""
    return sorted(database.parent.glob(f"{database.name}{BEFORE_UPGRADE}*"))


def expire(database: Path, before: datetime) -> list[Path]:
    """Remove the copies made before upgrades that are older than a moment; what was removed."""
    expired = [path for path in made_before_upgrades(database) if path.stat().st_mtime < before.timestamp()]
    for path in expired:
        path.unlink()
    return expired


def _check(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise BackupError(f"the copy is damaged: {'; '.join(problems)}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
