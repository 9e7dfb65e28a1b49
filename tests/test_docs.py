"""The documents are true: what they name exists, and what exists they name."""

import re
from pathlib import Path

import pytest
import typer

from bot import i18n, replies
from bot.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command_names() -> list[str]:
    group = typer.main.get_command(app)
    return sorted(getattr(group, "commands", {}))


@pytest.mark.parametrize("name", command_names())
def test_the_readme_names_every_command_of_the_command_line(name: str) -> None:
    assert re.search(rf"`(?:digitbot )?{name}\b", README)


@pytest.mark.parametrize("name", [name for name, _ in replies.admin_commands(i18n.texts())])
def test_the_readme_names_every_command_of_the_chat(name: str) -> None:
    assert f"/{name}`" in README or f"/{name} " in README


@pytest.mark.parametrize("name", command_names())
def test_every_command_of_the_command_line_says_what_it_does(name: str) -> None:
    command = getattr(typer.main.get_command(app), "commands", {})[name]
    assert command.get_short_help_str()


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))])
def test_pictures_and_pages_that_a_document_shows_exist(document: str) -> None:
    path = ROOT / document
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("picture", [path.name for path in ROOT.glob("docs/*.png")])
def test_every_picture_is_shown(picture: str) -> None:
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    assert any(f"{picture})" in document.read_text(encoding="utf-8") for document in documents)
