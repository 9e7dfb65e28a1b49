"""Real databases: SQLite in files, and PostgreSQL where its server can run."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from storage import engine
from storage.encryption import Keyring
from storage.engine import Database
from storage.migration import migrate
from storage.tables import Base
from tests.storage import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server with a migrated database "rows" and an empty one "empty", up to the name."""
    try:
        with postgresql.server() as url:
            for name in ("rows", "empty"):
                _execute(url, "postgres", f"CREATE DATABASE {name}")
            migrate(url.format(name="rows"))
            yield url
    except postgresql.NoServerError as exc:
        pytest.skip(f"PostgreSQL cannot run here: {exc}")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def empty_postgresql(postgresql_server: str) -> str:
    """The URL of a PostgreSQL database without tables."""
    _execute(postgresql_server, "empty", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgresql_server.format(name="empty")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of a migrated PostgreSQL database without rows."""
    tables = ", ".join(Base.metadata.tables)
    _execute(postgresql_server, "rows", f"TRUNCATE {tables} RESTART IDENTITY")
    return postgresql_server.format(name="rows")


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The URL of a migrated SQLite file."""
    file = tmp_path / "digitbot.db"
    shutil.copy(migrated_file, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database, of both kinds."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A migrated database, of both kinds."""
    opened = engine.create(url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """A migrated database in an SQLite file."""
    opened = engine.create(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring([Fernet.generate_key()])


def _execute(server: str, name: str, statements: str) -> None:
    folder = make_url(server.format(name=name)).query["host"]
    with psycopg.connect(f"host={folder} user=postgres dbname={name}", autocommit=True) as connection:
        connection.execute(statements.encode())
