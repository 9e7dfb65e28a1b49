"""The house has three rooms and two arrows: bot -> model, bot -> storage."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOREIGN = {"telegram", "fastapi", "starlette", "uvicorn", "typer"}
FORBIDDEN = {
    "model": {"bot", "storage", "migrations", "sqlalchemy", "alembic"} | FOREIGN,
    "storage": {"bot", "model", "numpy", "PIL", "cv2"} | FOREIGN,
    "migrations": {"bot", "model", "numpy"} | FOREIGN,
    "bot/services": {"bot.handlers", "bot.web", "bot.localchat", "bot.replies"} | FOREIGN,
}


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may_know(room: str) -> None:
    offences = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for module in imported_modules(path)
        for forbidden in FORBIDDEN[room]
        if module == forbidden or module.startswith(f"{forbidden}.")
    ]
    assert offences == []


def test_the_command_line_starts_without_matplotlib() -> None:
    """It is slow to load, and complains where it cannot write to the home."""
    code = "import sys, bot.cli; sys.exit('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_environment_is_read_in_one_place_only() -> None:
    offences = [
        str(path.relative_to(ROOT))
        for room in ("bot", "model", "storage")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.name != "config.py" and "os.environ" in path.read_text(encoding="utf-8")
    ]
    assert offences == []


def test_nothing_is_unpickled() -> None:
    suspects = ("import pickle", "allow_pickle=True", "torch.load", "joblib")
    offences = [
        f"{path.relative_to(ROOT)}: {suspect}"
        for room in ("bot", "model", "storage")
        for path in sorted((ROOT / room).rglob("*.py"))
        for suspect in suspects
        if suspect in path.read_text(encoding="utf-8")
    ]
    assert offences == []
