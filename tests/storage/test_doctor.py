import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from storage import doctor, engine
from storage.encryption import Keyring
from storage.engine import Database
from storage.records import Check
from tests.storage.rows import person, prediction


def complaints(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.detail for check in checks if not check.is_ok}


async def test_a_sound_database_passes(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        await prediction(session, keyring, await person(session), digits="47")

    checks = await doctor.examine(database, keyring)

    assert complaints(checks) == {}
    assert Check.passed("keys", "2 stored glyphs can be decrypted") in checks
    names = [check.name for check in checks]
    assert names[:2] == ["database", "tables"]
    assert names[-2:] == ["keys", "writing"]
    assert len(names) == (7 if database.path else 4)


async def test_a_lost_key_is_named(database: Database, keyring: Keyring) -> None:
    other = Keyring([Fernet.generate_key()])
    async with database.transaction() as session:
        anna = await person(session)
        await prediction(session, keyring, anna, 1, "47")
        await prediction(session, other, anna, 2, "1")

    checks = await doctor.examine(database, other)

    assert complaints(checks) == {"keys": "2 of 3 stored glyphs cannot be decrypted: their key is lost"}


async def test_tables_of_another_revision_are_named(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
        await session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        found = complaints(await doctor.examine(database, keyring))
    finally:
        async with database.transaction() as session:
            await session.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))

    assert found["tables"] == f"expected revision {revision}, found 0000; `digitbot run` migrates"


async def test_a_database_that_nobody_can_write_is_named(
    sqlite_url: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process holds it for longer than is waited; a file that is read-only is told of likewise."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    database = engine.create(sqlite_url)
    assert database.path is not None
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = complaints(await doctor.examine(database, keyring))
    await database.close()

    assert found == {"writing": f"{database.path}: database is locked"}


async def test_references_to_nothing_are_named(sqlite_database: Database, keyring: Keyring) -> None:
    async with sqlite_database.engine.connect() as plain:
        connection = await plain.execution_options(**{engine.BEGIN: "", "isolation_level": "AUTOCOMMIT"})
        await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        await connection.exec_driver_sql("INSERT INTO servings VALUES (1, 404, '2026', NULL, 'start')")
        await connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    found = complaints(await doctor.examine(sqlite_database, keyring))

    assert found == {"references": "1 rows point at rows that do not exist"}


async def test_a_file_that_is_no_database_is_one_complaint(tmp_path: Path, keyring: Keyring) -> None:
    file = tmp_path / "digitbot.db"
    file.write_bytes(b"these are no rows" * 1000)
    database = engine.create(f"sqlite:///{file}")

    checks = await doctor.examine(database, keyring)
    await database.close()

    assert [(check.name, check.is_ok) for check in checks] == [("database", False)]
    assert "not a database" in checks[0].detail
