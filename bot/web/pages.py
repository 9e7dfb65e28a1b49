"""The draw page: static files of this package, with headers that keep everything else out."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.web.guard import MeasuredRoute
from bot.web.page_texts import page_texts
from bot.web.rendering import localised

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


@router.api_route("/draw", methods=["GET", "HEAD"])
async def draw(request: Request) -> HTMLResponse:
    """The draw page, which is the Mini App as well, in the language that the browser asks for first."""
    return HTMLResponse(localised(STATIC / "draw.html", page_texts, request), headers=_PAGE_HEADERS)


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
