"""The command `digitbot read`."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.model.vision.pictures import encoded, ink_of, on_paper


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "below").mkdir()
    (folder / "a.png").write_bytes(encoded(on_paper(ink_of(7))))
    (folder / "b.jpg").write_bytes(b"no photo at all")
    (folder / "below" / "c.webp").write_bytes(encoded(on_paper(ink_of(3)), "WEBP"))
    (folder / ".hidden").write_bytes(b"")
    return folder


def test_json_has_one_line_for_every_file_in_order(folder: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(folder), "--json", "--jobs", "2"])

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [Path(line["file"]).name for line in lines] == ["a.png", "b.jpg", "c.webp"]
    assert [line["digits"] for line in lines] == ["7", "", "3"]
    assert [line["abstained"] for line in lines] == [False, True, False]
    assert lines[1]["reason"]
    assert lines[1]["confidence"] == 0
    (glyph,) = lines[0]["glyphs"]
    assert glyph["digit"] == 7
    assert sum(glyph["probabilities"]) == pytest.approx(1, abs=1e-5)
    left, top, right, bottom = glyph["box"]
    assert 0 < left < right < 320
    assert 0 < top < bottom < 240


def test_people_get_digits_and_confidence_or_the_reason(folder: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(folder / "a.png"), str(folder / "b.jpg")])

    digit, reason = result.stdout.splitlines()
    assert ": 7 " in digit
    assert digit.endswith("%")
    assert "no picture" in reason


@pytest.mark.skipif(sys.platform == "darwin", reason="there every name is UTF-8")
def test_a_name_that_is_no_text_is_escaped_as_json_does(folder: Path, tmp_path: Path) -> None:
    named = tmp_path / os.fsdecode(b"l\xe9.png")
    named.write_bytes((folder / "a.png").read_bytes())
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}  # as in most locales: strict

    result = subprocess.run(
        [sys.executable, "-m", "bot", "read", "--json", tmp_path],
        env=environment,
        capture_output=True,
        check=True,
    )

    assert json.loads(result.stdout.decode())["file"] == str(named)


def test_a_pipe_is_read_like_a_file(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[(folder / "a.png").read_bytes()], daemon=True)
    writer.start()

    result = CliRunner().invoke(app, ["read", str(pipe)])

    assert ": 7 " in result.stdout


def test_a_name_that_is_too_long_does_not_exist_and_the_others_are_read(folder: Path) -> None:
    result = CliRunner().invoke(app, ["read", "a" * 5000, str(folder / "a.png")])

    assert result.exit_code == 1
    assert ": 7 " in result.stdout
    assert "no such file" in result.stderr


def test_a_file_and_a_folder_that_cannot_be_opened_are_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusals are made here, since a superuser is refused nothing."""
    closed = tmp_path / "closed.png"
    closed.touch()
    (tmp_path / "below").mkdir()
    open_file = Path.open

    def refuse(path: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    def open_others(path: Path, mode: str) -> Any:
        return refuse(path) if path == closed else open_file(path, mode)

    monkeypatch.setattr(Path, "open", open_others)
    monkeypatch.setattr("os.scandir", refuse)
    monkeypatch.setattr("os.access", lambda *_, **__: False)

    result = CliRunner().invoke(app, ["read", str(closed), str(tmp_path / "below")])

    assert result.exit_code == 0
    assert result.stdout.endswith("closed.png: I cannot open this file: Permission denied.\n")
    assert result.stderr.endswith("below: Permission denied\n")


def test_an_input_that_does_not_exist_is_status_1_and_the_others_are_read(folder: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(folder / "a.png"), str(folder / "nowhere")])

    assert result.exit_code == 1
    assert ": 7 " in result.stdout
    assert "nowhere" in result.stderr
