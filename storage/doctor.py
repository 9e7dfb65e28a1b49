"""Look whether the database is sound, up to date, and readable with the keys at hand."""

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage import migration
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import DatabaseError, KeyLostError, StorageError
from storage.records import Check
from storage.tables import GlyphRow

_SAMPLE = 20
"""Glyphs that are decrypted to see whether their keys are at hand, of each key that they are under."""


async def examine(database: Database, keyring: Keyring | None) -> list[Check]:
    """All checks in the order in which they are read; where the database fails, that alone.

    Args:
        database: perhaps not migrated.
        keyring: the keys at hand; None where there are none yet, and so nothing may be stored under any.
    """
    try:
        async with database.reading() as session:
            checks = [await _on_connection(session, _revision)]
            if database.path is not None:
                checks.append(await _on_connection(session, _journal))
                checks.append(await _on_connection(session, _integrity))
                checks.append(await _on_connection(session, _foreign_keys))
            if checks[0].is_ok:
                checks.append(await _keys(session, keyring))
        if checks[0].is_ok:
            checks.append(await _writing(database))
    except StorageError as exc:
        return [Check.failed("database", str(exc))]
    return [Check.passed("database", database.url.render_as_string(hide_password=True)), *checks]


async def _writing(database: Database) -> Check:
    """Something can be written; it is rolled back."""
    try:
        async with database.transaction() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
            await session.rollback()
    except DatabaseError as exc:
        return Check.failed("writing", str(exc))
    return Check.passed("writing")


async def _on_connection(session: AsyncSession, check: Callable[[Connection], Check]) -> Check:
    return await (await session.connection()).run_sync(check)


def _revision(connection: Connection) -> Check:
    found, needed = migration.current(connection), migration.head()
    if found == needed:
        return Check.passed("tables", f"revision {found}")
    return Check.failed("tables", f"expected revision {needed}, found {found}; `digitbot run` migrates")


def _journal(connection: Connection) -> Check:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return Check("journal", mode == "wal", str(mode))


def _integrity(connection: Connection) -> Check:
    problems = list(connection.exec_driver_sql("PRAGMA integrity_check(3)").scalars())
    return Check("integrity", problems == ["ok"], "; ".join(problems))


def _foreign_keys(connection: Connection) -> Check:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return Check("references", not broken, f"{len(broken)} rows point at rows that do not exist")


async def _keys(session: AsyncSession, keyring: Keyring | None) -> Check:
    """A sample of the glyphs under each key decrypts."""
    counted = await session.execute(
        select(GlyphRow.key_id, func.count())
        .where(GlyphRow.token.is_not(None))
        .group_by(GlyphRow.key_id)
        .order_by(GlyphRow.key_id)
    )
    lost = 0
    total = 0
    for key_id, number in counted.all():
        total += number
        tokens = await session.scalars(
            select(GlyphRow.token).where(GlyphRow.key_id == key_id).order_by(GlyphRow.id).limit(_SAMPLE)
        )
        if not await asyncio.to_thread(_decrypt_all, keyring, [token for token in tokens if token]):
            lost += number
    if lost:
        return Check.failed("keys", f"{lost} of {total} stored glyphs cannot be decrypted: their key is lost")
    return Check.passed("keys", f"{total} stored glyphs can be decrypted")


def _decrypt_all(keyring: Keyring | None, tokens: list[bytes]) -> bool:
    if keyring is None:
        return False
    try:
        for token in tokens:
            keyring.decrypt(token)
    except KeyLostError:
        return False
    return True
