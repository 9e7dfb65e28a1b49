import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from storage.migration import migrate

ROOT = Path(__file__).parents[2]


def write_and_kill(file: Path, key: str, first: int, seconds: float) -> list[int]:
    """The corrections that a process said were stored before it was killed."""
    url = f"sqlite:///{file}"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.writer", url, key, str(first)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]  # it is at work
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


def stored(file: Path) -> list[int]:
    """The corrections that are in the database, whose soundness is checked on the way."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        halves = "SELECT count(*) FROM predictions WHERE id NOT IN (SELECT prediction_id FROM corrections)"
        assert connection.execute(halves).fetchone() == (0,)
        rows = connection.execute(
            "SELECT message_id FROM predictions JOIN corrections ON prediction_id = predictions.id"
            " JOIN glyphs USING (prediction_id) WHERE token IS NOT NULL ORDER BY message_id"
        )
        return [number for (number,) in rows]


def kill_again_and_again(file: Path, times: int) -> tuple[int, int]:
    """How many corrections were acknowledged, and how many were stored and not acknowledged any more."""
    migrate(f"sqlite:///{file}")
    key = Fernet.generate_key().decode()
    chance = random.Random(1)
    acknowledged: set[int] = set()
    for kill in range(times):
        said = write_and_kill(file, key, 10_000 * kill, chance.uniform(0, 0.1))
        assert said
        acknowledged |= set(said)
        assert acknowledged <= set(stored(file))
    return len(acknowledged), len(set(stored(file)) - acknowledged)


def test_what_was_acknowledged_survives_kill_minus_nine(tmp_path: Path) -> None:
    acknowledged, unacknowledged = kill_again_and_again(tmp_path / "digitbot.db", 3)

    assert acknowledged >= 3
    assert unacknowledged <= 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_was_acknowledged_survives_a_thousand_kills(tmp_path: Path) -> None:
    acknowledged, unacknowledged = kill_again_and_again(tmp_path / "digitbot.db", 1000)

    assert acknowledged > 1000
    assert unacknowledged <= 1000


def test_a_migration_that_is_killed_is_done_by_the_next_start(tmp_path: Path) -> None:
    """Killed at some moment of the first migration, again and again, each time with a new file."""
    code = "import sys; from storage.migration import migrate; print('go', flush=True); migrate(sys.argv[1])"
    for number in range(3):
        file = tmp_path / f"{number}.db"
        with subprocess.Popen(
            [sys.executable, "-c", code, f"sqlite:///{file}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.03 * number)
            process.kill()

        migrate(f"sqlite:///{file}")

        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
