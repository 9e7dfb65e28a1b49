"""Pages in the language that a browser asks for: HTML files whose sentences come from the catalogue."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Template

from starlette.requests import Request

from bot import i18n

PageTexts = Callable[[i18n.Texts], dict[str, str]]
"""The sentences of a page, by the names that its HTML and its modules use."""


def localised(file: Path, page_texts: PageTexts, request: Request) -> str:
    """The page in the language that the browser asks for first; English where there is no catalogue."""
    preferred = request.headers.get("Accept-Language", "").split(",")[0].split(";")[0].strip()
    return rendered(file, page_texts, i18n.texts(preferred))


@cache
def rendered(file: Path, page_texts: PageTexts, texts: i18n.Texts) -> str:
    """The page with its sentences; its modules find them in a block of JSON, which no "<" can end."""
    said = page_texts(texts)
    block = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    language = texts.info().get("language", i18n.DEFAULT_LANGUAGE)
    page = Template(file.read_text(encoding="utf-8"))
    return page.substitute(said, texts=block, language=language)
