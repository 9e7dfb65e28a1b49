"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, as Telegram answers them."""

import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.localchat import files, parameters
from bot.localchat.errors import ApiError, NotFoundError, UnauthorizedError
from bot.localchat.flood import FloodControl
from bot.localchat.methods import METHODS
from bot.localchat.methods.method import Method
from bot.localchat.state import State

logger = logging.getLogger(__name__)

Interceptor = Callable[[str, Callable[[], Awaitable[Response]]], Awaitable[Response]]
"""Stands between a client and the method of this name: may answer instead, be slow, or lose the answer."""

BY_LOWER_NAME: dict[str, tuple[str, Method]] = {
    name.lower(): (name, method) for name, method in METHODS.items()
}
FILE_PATH = re.compile(r"(?P<kind>photos|thumbnails|documents)/file_(?P<number>\d{1,12})(?:\.[^/]*)?")


async def undisturbed(_name: str, call: Callable[[], Awaitable[Response]]) -> Response:
    """The interceptor that does nothing."""
    return await call()


class BotApi:
    """Answers a bot's HTTP requests from the state of the chat."""

    def __init__(self, state: State, flood: FloodControl | None, interceptor: Interceptor) -> None:
        self._state = state
        self._flood = flood
        self._interceptor = interceptor

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [
            Route("/bot{token}/{method}", self._on_call, methods=["GET", "POST"], include_in_schema=False),
            Route("/file/bot{token}/{path:path}", self._on_download, include_in_schema=False),
        ]

    async def _on_call(self, request: Request) -> Response:
        try:
            self._check(request.path_params["token"])
            known = BY_LOWER_NAME.get(request.path_params["method"].lower())
            if known is None:
                raise NotFoundError
        except ApiError as error:
            return _refusal(error)
        name, method = known
        return await self._interceptor(name, lambda: self._answer(name, method, request))

    async def _answer(self, name: str, method: Method, request: Request) -> Response:
        try:
            given = await parameters.of(request)
            if self._flood is not None:
                self._flood.check(name, given.text("chat_id"))
            result = await method(self._state, given)
        except ApiError as error:
            return _refusal(error)
        except Exception:
            logger.exception("%s failed in the local chat", name)
            return _refusal(ApiError())
        return JSONResponse({"ok": True, "result": result})

    async def _on_download(self, request: Request) -> Response:
        try:
            self._check(request.path_params["token"])
        except ApiError as error:
            return _refusal(error)
        return await self._interceptor("download", lambda: self._download(request.path_params["path"]))

    async def _download(self, path: str) -> Response:
        match = FILE_PATH.fullmatch(path)
        found: Any = None
        if match is not None:
            async with self._state.transaction() as transaction:
                found = await files.content(transaction, int(match["number"]))
        if found is None:
            return _refusal(NotFoundError())
        return Response(found[0], media_type="application/octet-stream")

    def _check(self, token: str) -> None:
        if not hmac.compare_digest(token.encode(), self._state.identity.token.encode()):
            raise UnauthorizedError


def _refusal(error: ApiError) -> Response:
    return JSONResponse(error.answer(), status_code=error.code)
