import asyncio
import re
import shutil
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage import engine, migration, predictions
from storage.encryption import Keyring
from storage.engine import open_sync
from storage.errors import (
    DatabaseDamagedError,
    MigrationError,
    MigrationLockedError,
    StorageError,
    UnknownRevisionError,
)
from storage.tables import Base
from tests.storage.rows import person, prediction

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(migration.alembic_config()).walk_revisions()))
]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'digitbot.db'}"
    found: str = request.getfixturevalue("empty_postgresql")
    return found


def go(url: str, direction: str, revision: str) -> None:
    with open_sync(url) as connection:
        config = migration.alembic_config()
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


def differences(url: str) -> list[object]:
    with open_sync(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def definitions(file: Path) -> dict[str, list[str]]:
    """The parts of the statements that made each table and index, in no order, white space aside."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    return {
        name: sorted(re.sub(r"[\s\"]", "", sql).removesuffix("STRICT").removesuffix(")").split(","))
        for name, sql in rows
    }


def is_strict(file: Path, table: str) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        row = connection.execute("SELECT strict FROM pragma_table_list WHERE name = ?", (table,)).fetchone()
    return bool(row[0])


def test_every_step_goes_up_down_and_up_again_and_the_schema_is_that_of_the_models(
    empty_url: str,
) -> None:
    migration.migrate(empty_url)
    assert differences(empty_url) == []
    for _ in REVISIONS:
        go(empty_url, "downgrade", "-1")
    for revision in REVISIONS:
        go(empty_url, "upgrade", revision)
        go(empty_url, "downgrade", "-1")
        go(empty_url, "upgrade", revision)

    assert differences(empty_url) == []


def test_checks_and_strictness_are_those_of_the_models(tmp_path: Path) -> None:
    """Alembic compares neither CHECK constraints nor STRICT, so the statements themselves are compared."""
    migrated, direct = tmp_path / "migrated.db", tmp_path / "direct.db"
    migration.migrate(f"sqlite:///{migrated}")
    with open_sync(f"sqlite:///{direct}") as connection:
        Base.metadata.create_all(connection)
        connection.commit()

    expected = definitions(direct)
    found = definitions(migrated)
    found.pop("alembic_version")

    assert found.keys() == expected.keys()
    for name, parts in expected.items():
        assert found[name] == parts, name
    assert all(is_strict(migrated, table) for table in Base.metadata.tables)


async def test_glyphs_keep_their_pixels_when_their_fingerprints_come_back_and_go(
    empty_url: str, keyring: Keyring
) -> None:
    migration.migrate(empty_url)
    database = engine.create(empty_url)
    async with database.transaction() as session:
        stored = await prediction(session, keyring, await person(session), digits="47")
    await database.close()

    for direction, revision in ("downgrade", "0002"), ("upgrade", "0003"):
        await asyncio.to_thread(go, empty_url, direction, revision)
    migration.migrate(empty_url)

    async with database.reading() as session:
        assert await predictions.get(session, stored.id) == stored
    await database.close()


def test_a_database_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'digitbot.db'}"

    first, second = migration.migrate(url), migration.migrate(url)

    assert (first.before, first.after, first.backup) == (None, REVISIONS[-1], None)
    assert (second.before, second.after, second.backup) == (REVISIONS[-1], REVISIONS[-1], None)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["digitbot.db", "digitbot.db.lock"]


def test_folder_and_file_are_made_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "digitbot.db"

    migration.migrate(f"sqlite:///{file}")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_works_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    migration.migrate("sqlite+aiosqlite:///data/digitbot.db")

    assert (tmp_path / "data" / "digitbot.db").exists()


def test_tables_of_a_newer_digitbot_are_refused_and_left_alone(empty_url: str) -> None:
    migration.migrate(empty_url)
    with open_sync(empty_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
        connection.commit()

    with pytest.raises(UnknownRevisionError, match=r"newer.*newer digitbot") as caught:
        migration.migrate(empty_url)

    assert caught.value.revision == "newer"


def upgrade_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """A migrated database with a contributor, and a second step whose upgrade is `body`."""
    steps = tmp_path / "migrations"
    shutil.copytree(Path(migration.__file__).parents[1] / "migrations", steps)
    (steps / "versions" / "9999_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f'revision = "9999"\ndown_revision = "{REVISIONS[-1]}"\n\n\ndef upgrade():\n    {body}\n'
    )
    file = tmp_path / "digitbot.db"
    migration.migrate(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO contributors (bot_id, user_id, consent, wants_receipts, created_at)"
            " VALUES (1, 2, 'given', 0, '2026-11-24T00:00:00.000000+00:00')"
        )
    config = migration.alembic_config()
    config.set_main_option("script_location", str(steps))
    monkeypatch.setattr(migration, "alembic_config", lambda: config)
    return file


def test_before_an_upgrade_of_what_exists_a_backup_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = upgrade_with(tmp_path, monkeypatch, "op.add_column('contributors', sa.Column('note', sa.Text()))")

    done = migration.migrate(f"sqlite:///{file}")

    assert done.backup == tmp_path / f"digitbot.db.before-{REVISIONS[-1]}"
    with closing(sqlite3.connect(done.backup)) as copy, closing(sqlite3.connect(file)) as upgraded:
        assert copy.execute("SELECT user_id FROM contributors").fetchall() == [(2,)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISIONS[-1],)
        assert upgraded.execute("SELECT user_id, note FROM contributors").fetchall() == [(2, None)]


def test_moving_a_parent_table_keeps_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic's batch mode drops and copies; with enforced foreign keys that would empty the children."""
    body = (
        "with op.batch_alter_table('contributors') as batch:\n"
        "        batch.add_column(sa.Column('note', sa.Text()))\n"
        "        batch.create_check_constraint('note_short', 'length(note) < 9')"
    )
    file = upgrade_with(tmp_path, monkeypatch, body)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO model_versions (sha256, architecture, trigger, created_at, data, metrics, state)"
            " VALUES ('a', 'reader', 'shipped', '', '{}', '{}', 'promoted')"
        )
        connection.execute(
            "INSERT INTO predictions (bot_id, chat_id, message_id, file_unique_id, contributor_id,"
            " model_version_id, preprocessing_version, digits, confidence, measured, environment,"
            " is_superseded, created_at) VALUES (1, 1, 1, 'f', 1, 1, 1, '4', 0.5, '{}', '{}', 0, '')"
        )

    migration.migrate(f"sqlite:///{file}")

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT contributor_id FROM predictions").fetchall() == [(1,)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert is_strict(file, "contributors")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("op.execute('INSERT INTO nowhere VALUES (1)')", "no such table"),
        (
            "op.execute('DELETE FROM contributors'); op.execute('INSERT INTO servings VALUES (1,9,0,0,0)')",
            "rows",
        ),
    ],
)
def test_a_step_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, problem: str
) -> None:
    file = upgrade_with(tmp_path, monkeypatch, f"op.execute('CREATE TABLE half (x)'); {body}")

    with pytest.raises(MigrationError, match=problem):
        migration.migrate(f"sqlite:///{file}")

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT user_id FROM contributors").fetchall() == [(2,)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISIONS[-1],)
        assert "half" not in definitions(file)


def test_several_that_start_together_migrate_once(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(migration.migrate, [empty_url, empty_url]))

    assert sorted(one.before or "" for one in done) == ["", REVISIONS[-1]]


def test_a_process_waits_for_another_that_migrates_and_then_gives_up(empty_url: str) -> None:
    parsed = engine.parse_url(empty_url, is_async=False)
    if parsed.get_backend_name() == "sqlite":
        migration.migrate(empty_url)  # makes the folder

    with (
        migration._alone(parsed, 1),
        pytest.raises(MigrationLockedError, match="another process"),
    ):
        migration.migrate(empty_url, lock_seconds=0.1)


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "digitbot.db"
    file.write_bytes(b"these are no rows" * 1000)

    with pytest.raises(DatabaseDamagedError, match="not a database"):
        migration.migrate(f"sqlite:///{file}")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://somewhere/digitbot", "expected a database of SQLite or PostgreSQL, got mysql"),
        ("sqlite://", "in memory"),
        ("sqlite+aiosqlite:///:memory:", "in memory"),
        ("nonsense", "no database URL"),
    ],
)
def test_other_databases_are_refused_by_name(url: str, problem: str) -> None:
    with pytest.raises(StorageError, match=problem):
        migration.migrate(url)
