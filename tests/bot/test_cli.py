"""The command line: 0 done, 1 failed with one line on stderr, 2 usage."""

import asyncio
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncSession

from bot import cli
from bot.__main__ import _command
from storage import encryption, engine, inbox
from storage.records import NewUpdate
from tests.storage import rows

Result = TypeVar("Result")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, whose key file is in it as well; logging is left as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITBOT_STORAGE__KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DIGITBOT_LIMITS__DECODER_PROCESSES", "1")
    yield tmp_path
    root.handlers[:], root.level = handlers, level


def digitbot(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command as from a shell; its exit status."""
    monkeypatch.setattr(sys, "argv", ["digitbot", *arguments])
    try:
        cli.main()
    except SystemExit as exc:
        return int(exc.code or 0)
    return 0


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("run", "run"),
        ("--config own.toml run", "run"),
        ("--config=own.toml run", "run"),
        ("read run", "read"),
        ("--config run read x.jpg", "read"),
        ("train --out run", "train"),
        ("--help", ""),
    ],
)
def test_the_command_is_known_before_anything_is_loaded(line: str, command: str) -> None:
    """Only `run` ends well when it is stopped; what else has run among its arguments is cut short."""
    assert _command(line.split()) == command


def test_every_command_has_help(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in cli.app.registered_commands:
        assert command.callback is not None
        assert (command.callback.__doc__ or "").strip()
    assert digitbot(monkeypatch, "--help") == 0


def test_help_is_given_and_usage_judged_whatever_the_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.toml").write_text("[web]\nport = x\n")

    assert digitbot(monkeypatch, "models", "--help") == 0
    assert digitbot(monkeypatch, "models", "--jsn") == 2
    capsys.readouterr()
    assert digitbot(monkeypatch, "models") == 1
    assert capsys.readouterr().err.startswith("digitbot: config.toml: ")


def test_usage_is_2_and_failure_one_line_on_stderr(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert digitbot(monkeypatch, "nonsense") == 2
    capsys.readouterr()

    assert digitbot(monkeypatch, "--config", "missing.toml", "doctor") == 1
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err == "digitbot: missing.toml: No such file or directory\n"


def test_ctrl_c_while_a_command_is_loaded_ends_it_without_a_traceback(folder: Path) -> None:
    (folder / "numpy.py").write_text("raise KeyboardInterrupt")  # found before the real one
    code = "import sys; sys.argv = ['digitbot', 'models']; from bot.__main__ import main; main()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[2])])}

    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (130, b"")


def test_what_the_operating_system_refuses_is_one_line_that_names_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").touch()

    assert digitbot(monkeypatch, "export", "file") == 1
    assert capsys.readouterr().err == "digitbot: file: File exists\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--architecture", "classic", "--out", "folder"),
        ("evaluate", "--report", "file"),
        ("bench", "reading", "--photos", "nowhere"),
    ],
)
def test_what_cannot_be_written_or_read_in_the_end_is_wrong_usage_before_any_work(
    arguments: tuple[str, ...],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "folder").mkdir()
    (folder / "file").touch()

    assert digitbot(monkeypatch, *arguments, "--mnist", "folder") == 2
    assert "Invalid value" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("promote",), ("rollback",), ("replay",), ("forget",), ("read", "photo.jpg", "--jobs")]
)
def test_a_number_that_is_too_large_is_wrong_usage(
    arguments: tuple[str, ...],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert digitbot(monkeypatch, *arguments, "99999999999999999999") == 2
    assert "Invalid value" in capsys.readouterr().err


def test_a_taken_port_is_one_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("DIGITBOT_WEB__PORT", str(port))
        assert digitbot(monkeypatch, "run") == 1

    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(f"digitbot: cannot listen on http://127.0.0.1:{port}")
    )


def test_a_database_is_looked_at_copied_and_its_key_rotated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert digitbot(monkeypatch, "forget", "5") == 0  # makes the database
    assert "erased 0 readings of user 5" in capsys.readouterr().out

    assert digitbot(monkeypatch, "rotate-key") == 0
    assert len((folder / "key").read_text().split()) == 2
    assert digitbot(monkeypatch, "rotate-key", "--retire") == 0
    assert len((folder / "key").read_text().split()) == 1
    assert (folder / "key").stat().st_mode & 0o777 == 0o600

    assert digitbot(monkeypatch, "doctor") == 0
    assert "FAILED" not in capsys.readouterr().out

    copy = folder / "copy.db"
    assert digitbot(monkeypatch, "backup", str(copy)) == 0
    assert sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert digitbot(monkeypatch, "backup", str(copy)) == 1


def test_forgetting_names_the_copies_in_which_somebody_still_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert digitbot(monkeypatch, "forget", "5") == 0
    assert capsys.readouterr().out == "erased 0 readings of user 5\n"
    (folder / "data" / "digitbot.db.before-0001").touch()

    assert digitbot(monkeypatch, "forget", "5") == 0
    assert "data/digitbot.db.before-0001, a copy from before an upgrade" in capsys.readouterr().out


def test_what_needs_a_database_says_that_there_is_none_and_makes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert digitbot(monkeypatch, "backup", "copy.db") == 1
    assert capsys.readouterr().err == "digitbot: data/digitbot.db does not exist\n"
    for arguments in ([], ["--retire"]):
        assert digitbot(monkeypatch, "rotate-key", *arguments) == 1
        assert "data/digitbot.db does not exist yet" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_file_that_is_no_database_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "digitbot.db").write_text("a letter" * 1000)

    assert digitbot(monkeypatch, "models") == 1
    assert capsys.readouterr().err == "digitbot: data/digitbot.db: file is not a database\n"


def test_an_update_that_waits_while_the_key_is_rotated_can_be_handled_afterwards(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bot was killed before it had handled it, and is started again after the rotation."""
    assert digitbot(monkeypatch, "forget", "5") == 0  # makes the database

    async def with_update(work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        database = engine.create("sqlite:///data/digitbot.db")
        try:
            async with database.transaction() as session:
                return await work(session)
        finally:
            await database.close()

    sealed = inbox.seal(encryption.load_or_create_key(folder / "key"), b"a photo")
    update = NewUpdate(1, sealed, 5)
    asyncio.run(with_update(lambda session: inbox.put(session, 7, [update], datetime.now(UTC))))
    assert digitbot(monkeypatch, "rotate-key") == 0
    assert digitbot(monkeypatch, "rotate-key", "--retire") == 0

    waiting = asyncio.run(with_update(lambda session: inbox.open_updates(session, 7)))
    rotated = encryption.load_or_create_key(folder / "key")
    assert [inbox.unseal(rotated, one.payload) for one in waiting] == [b"a photo"]


def test_a_key_in_the_configuration_is_rotated_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("DIGITBOT_STORAGE__KEY", old)
    assert digitbot(monkeypatch, "forget", "5") == 0  # makes the database
    assert digitbot(monkeypatch, "rotate-key") == 1
    assert "put a new key before the old one there" in capsys.readouterr().err

    monkeypatch.setenv("DIGITBOT_STORAGE__KEY", f"{new} {old}")
    assert digitbot(monkeypatch, "rotate-key") == 0
    assert "everything is encrypted with the newest key" in capsys.readouterr().out
    assert digitbot(monkeypatch, "rotate-key", "--retire") == 1


def test_the_doctor_names_a_key_that_did_not_come_with_the_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a backup was put back: keys are not in it."""
    assert digitbot(monkeypatch, "forget", "5") == 0  # makes the database

    async def store_a_glyph() -> None:
        keyring = encryption.load_or_create_key(folder / "key")
        database = engine.create("sqlite:///data/digitbot.db")
        async with database.transaction() as session:
            await rows.prediction(session, keyring, await rows.person(session))
        await database.close()

    asyncio.run(store_a_glyph())
    (folder / "key").unlink()
    capsys.readouterr()

    assert digitbot(monkeypatch, "doctor") == 1
    assert "FAILED  keys: 1 of 1 stored glyphs cannot be decrypted" in capsys.readouterr().out


def test_the_doctor_names_a_network_that_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGITBOT_MODEL__CHECKPOINT", "missing.safetensors")

    assert digitbot(monkeypatch, "doctor") == 1
    assert "FAILED  network: cannot read missing.safetensors" in capsys.readouterr().out
