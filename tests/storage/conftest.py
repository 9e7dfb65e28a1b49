"""Real databases: SQLite in files, and PostgreSQL where its server can run."""

import itertools
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
from tests.storage import postgresql

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server with a migrated database "template", up to the database's name."""
    try:
        with postgresql.server() as url:
            _create_database(url, "template", of="template0")
            migrate(url.format(name="template"))
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
    """The URL of an empty PostgreSQL database."""
    name = f"empty{next(_numbers)}"
    _create_database(postgresql_server, name, of="template0")
    return postgresql_server.format(name=name)


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The URL of a migrated SQLite file."""
    file = tmp_path / "digitbot.db"
    shutil.copy(migrated_file, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database, of both kinds."""
    if request.param == "sqlite":
        found: str = request.getfixturevalue("sqlite_url")
        return found
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test{next(_numbers)}"
    _create_database(server, name, of="template")
    return server.format(name=name)


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


def _create_database(server: str, name: str, of: str) -> None:
    folder = make_url(server.format(name="postgres")).query["host"]
    with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{of}"'.encode())
