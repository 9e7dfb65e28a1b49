"""Routes of the chat page: answered for this very server's page on this very machine, and for nobody else."""

from collections.abc import Awaitable, Callable

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.localchat.errors import ApiError, ForbiddenError
from bot.localchat.keyboards import LOOPBACK, parts_of
from bot.web.access import is_own_page

PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Headers of everything that a browser may show."""

Handler = Callable[[Request], Awaitable[Response]]
Guard = Callable[[Request], bool]


class SignedConvertor(Convertor[int]):
    """Numbers in paths, of no more digits than 64 bits hold: ids of groups are negative."""

    regex = r"-?\d{1,18}"

    def convert(self, value: str) -> int:
        """The number that a path names."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The number as a path names it."""
        return str(value)


register_url_convertor("signed", SignedConvertor())


def route(path: str, handler: Handler, method: str = "GET", guard: Guard = is_own_page) -> Route:
    """A route whose handler runs where the guard lets it, and whose refusals are the Bot API's."""

    async def answer(request: Request) -> Response:
        try:
            if not guard(request):
                raise ForbiddenError("the local chat answers its own page on this machine only")
            return await handler(request)
        except ApiError as error:
            return JSONResponse(error.answer(), status_code=error.code)

    return Route(path, answer, methods=[method], include_in_schema=False)


def is_visit(request: Request) -> bool:
    """Whether somebody opens the page by a name of this machine, not by one that was made to point here."""
    return parts_of(f"//{request.headers.get('host', '')}").hostname in LOOPBACK
