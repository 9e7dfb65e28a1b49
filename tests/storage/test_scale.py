"""A million corrections in the database; filling it takes minutes, so these are long tests."""

import sqlite3
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from storage import engine, labelled_glyphs
from storage.encryption import Keyring
from storage.migration import migrate
from storage.records import LabelledGlyph
from tests.storage.rows import pixels

MILLION = 1_000_000
PEOPLE = 1000
TIME = "2026-11-24T00:00:00.000000+00:00"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keyring]:
    """A database with a million corrections, written past the repository functions to save time."""
    file = tmp_path_factory.mktemp("scale") / "digitbot.db"
    migrate(f"sqlite:///{file}")
    keyring = Keyring([Fernet.generate_key()])
    sealed = [keyring.seal(pixels(number)) for number in range(1000)]
    probabilities = str([0.1] * 10)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")  # kB: the indexes fit
        connection.execute(
            "INSERT INTO model_versions VALUES"
            f" (1, '{'0' * 64}', 'reader', 'shipped', '{TIME}', NULL, '{{}}', '{{}}', 'promoted', NULL, NULL)"
        )
        connection.executemany(
            "INSERT INTO contributors VALUES (?, 1, ?, 'given', 1, NULL, NULL, 0, ?)",
            ((number, number, TIME) for number in range(1, PEOPLE + 1)),
        )
        connection.executemany(
            "INSERT INTO predictions VALUES"
            " (?, 1, 1, ?, 'f', ?, NULL, 1, 1, '4', 0.5, NULL, '{}', '{}', 0, ?)",
            ((number, number, 1 + number % PEOPLE, TIME) for number in range(1, MILLION + 1)),
        )
        connection.executemany(
            "INSERT INTO glyphs VALUES (?, ?, 0, 0, 0, 0, 28, 28, ?, NULL, NULL, NULL, ?, ?)",
            (
                (number, number, probabilities, one.key_id, one.token)
                for number in range(1, MILLION + 1)
                for one in [sealed[number % 1000]]
            ),
        )
        connection.executemany(
            "INSERT INTO corrections VALUES"
            " (?, ?, ?, ?, '9', 1, 0, 'accepted', NULL, 1, ?, ?, NULL, NULL, NULL, NULL)",
            (
                (number, number, owner, owner, labelled_glyphs._digest(str(number)), day(number))
                for number in range(1, MILLION + 1)
                for owner in [1 + number % PEOPLE]
            ),
        )
    return file, keyring


def day(number: int) -> str:
    return f"2026-{1 + number % 12:02}-{1 + number % 28:02}T12:00:00.000000+00:00"


async def timed_draw(file: Path, per_person_and_day: int | None = None) -> tuple[list[LabelledGlyph], float]:
    database = engine.create(f"sqlite:///{file}")
    began = time.perf_counter()
    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(
            session, seed=3, maximum=10_000, per_person_and_day=per_person_and_day
        )
    seconds = time.perf_counter() - began
    await database.close()
    return drawn, seconds


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_training_set_is_drawn_from_a_million_corrections_in_seconds(
    filled: tuple[Path, Keyring],
) -> None:
    file, keyring = filled

    drawn, seconds = await timed_draw(file, per_person_and_day=20)

    assert len(drawn) == 10_000
    assert {keyring.open(glyph.sealed) for glyph in drawn[:100]} <= {pixels(number) for number in range(1000)}
    assert seconds < 5, f"{seconds:.1f} s"


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_the_memory_of_a_draw_is_bounded_by_its_maximum(filled: tuple[Path, Keyring]) -> None:
    tracemalloc.start()
    try:
        await timed_draw(filled[0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 150e6, f"{peak / 1e6:.0f} MB"
