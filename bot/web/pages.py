"""The draw page: static files of this package, with headers that keep everything else out."""

import json
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, Request
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot import i18n
from bot.web.guard import MeasuredRoute
from bot.web.page_texts import page_texts

STATIC = Path(__file__).parent / "static"

_FILE_HEADERS = {
    "Cache-Control": "no-cache",  # asked for again, so that modules of two versions never meet
    "X-Content-Type-Options": "nosniff",
}
_PAGE_HEADERS = _FILE_HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' https://telegram.org; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' https://web.telegram.org"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}

router = APIRouter(route_class=MeasuredRoute, include_in_schema=False)


@router.get("/draw")
async def draw(request: Request) -> HTMLResponse:
    """The draw page, which is the Mini App as well, in the language that the browser asks for first."""
    preferred = request.headers.get("Accept-Language", "").split(",")[0].split(";")[0].strip()
    return HTMLResponse(_rendered(i18n.texts(preferred)), headers=_PAGE_HEADERS)


@cache
def _rendered(texts: i18n.Texts) -> str:
    """The page with its sentences; its modules find them in a block of JSON, which no "<" can end."""
    said = page_texts(texts)
    block = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    language = texts.info().get("language", i18n.DEFAULT_LANGUAGE)
    page = Template((STATIC / "draw.html").read_text(encoding="utf-8"))
    return page.substitute(said, texts=block, language=language)


@router.get("/draw/")
async def draw_with_slash() -> RedirectResponse:
    """The page names its files from where it is, so it is in one place only."""
    return RedirectResponse("/draw")


class _Files(StaticFiles):
    """Static files with headers of their own."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_FILE_HEADERS)
        return response


def files() -> StaticFiles:
    """The page's styles and modules, to be mounted below it."""
    return _Files(directory=STATIC)
