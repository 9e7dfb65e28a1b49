import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from storage import backup, engine
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import BackupError
from tests.storage.rows import ANNA, BERT, NOW, later, person, prediction


async def test_a_backup_made_while_others_write_is_sound(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    async with sqlite_database.transaction() as session:
        await prediction(session, keyring, await person(session))
    copy = tmp_path / "backups" / "copy.db"

    async def write() -> None:
        for number in range(10):
            async with sqlite_database.transaction() as session:
                await person(session, number)

    await asyncio.gather(write(), sqlite_database.backup(copy))

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM glyphs").fetchone() == (1,)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]


async def test_a_backup_serves_in_place_of_the_database(sqlite_database: Database, tmp_path: Path) -> None:
    async with sqlite_database.transaction() as session:
        await person(session, ANNA)
    await sqlite_database.backup(tmp_path / "copy.db")

    restored = engine.create(f"sqlite:///{tmp_path / 'copy.db'}")
    async with restored.transaction() as session:
        assert (await person(session, ANNA)).id == 1
        await person(session, BERT)
    await restored.close()


async def test_a_file_that_exists_is_not_overwritten(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")

    with pytest.raises(BackupError, match=r"copy\.db exists already"):
        await sqlite_database.backup(tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_damaged_database_gives_no_backup(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "digitbot.db"
    content = bytearray(file.read_bytes())
    content[4096 : 4096 * 8] = os.urandom(4096 * 7)
    file.write_bytes(content)

    with pytest.raises(BackupError):
        backup.copy(file, tmp_path / "copy.db")

    assert [path.name for path in tmp_path.glob("*copy*")] == []


async def test_postgresql_is_backed_up_by_its_own_tool(postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="pg_dump"):
        await engine.create(postgresql_url).backup(tmp_path / "copy")


def test_copies_made_before_upgrades_expire(tmp_path: Path) -> None:
    database, old = tmp_path / "digitbot.db", tmp_path / "digitbot.db.before-0001"
    recent, mine = tmp_path / "digitbot.db.before-0002", tmp_path / "digitbot.db.mine"
    for path, made in [(database, NOW), (old, NOW), (recent, later(days=20)), (mine, NOW)]:
        path.touch()
        os.utime(path, (made.timestamp(), made.timestamp()))

    assert backup.expire(database, later(days=10)) == [old]
    assert sorted(tmp_path.iterdir()) == [database, recent, mine]
