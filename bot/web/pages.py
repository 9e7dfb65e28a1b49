"""The draw page: static files of this package, with headers that keep everything else out."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse

from bot.web.guard import MeasuredRoute

STATIC = Path(__file__).parent / "static"

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' https://telegram.org; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' https://web.telegram.org"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(route_class=MeasuredRoute, include_in_schema=False)


@router.get("/draw")
async def draw() -> FileResponse:
    """The draw page, which is the Mini App as well."""
    return FileResponse(STATIC / "draw.html", headers=_HEADERS)


def files() -> StaticFiles:
    """The page's styles and modules, to be mounted below it."""
    return StaticFiles(directory=STATIC)
