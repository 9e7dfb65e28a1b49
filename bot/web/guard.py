"""The routes of the API: access, rate, size and concurrency are settled before a handler sees the request."""

import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from bot.web.access import AccessError, AccessRule, Caller
from bot.web.limits import Places, RateLimiter, read_body
from bot.web.metrics import RequestMetrics
from storage.errors import DatabaseError

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Guard:
    """What every guarded route asks; one for the whole application, at ``app.state.guard``.

    Attributes:
        access: who may call.
        rates: how often.
        places: how many at once.
        body_limits: bytes of a body by path; 0 where none is named.
    """

    access: AccessRule
    rates: RateLimiter
    places: Places
    body_limits: dict[str, int] = field(default_factory=dict)


class MeasuredRoute(APIRoute):
    """A route whose requests are counted and timed."""

    def get_route_handler(self) -> Handler:
        """The handler, with its answers observed."""
        return _measured(super().get_route_handler(), self.path)


class GuardedRoute(APIRoute):
    """A measured route that only callers of the access rule reach, within the limits.

    A stranger is refused before a byte of the body is read, and a slow body holds no place.
    """

    def get_route_handler(self) -> Handler:
        """The handler behind the guard; ``request.state.caller`` is who calls."""
        handle, path = super().get_route_handler(), self.path

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            request.state.caller = _admit(guard, request)
            body = await read_body(request, guard.body_limits.get(path, 0))
            async with guard.places.one():
                return await handle(_ReadRequest(request.scope, _replay(body)))

        return _measured(guarded, path)


class _ReadRequest(Request):
    """A request whose JSON pydantic parses: faster, and with one kind of error for all that is no JSON."""

    async def json(self) -> Any:
        try:
            return from_json(await self.body())
        except ValueError as exc:
            raise JSONDecodeError(str(exc), "", 0) from exc


def _measured(handle: Handler, path: str) -> Handler:
    """``handle``, each answer counted and timed, also where it ends in an error; a refusal is logged."""

    async def measured(request: Request) -> Response:
        metrics: RequestMetrics = request.app.state.metrics
        start, status = time.perf_counter(), 500
        try:
            response = await handle(request)
            status = response.status_code
        except HTTPException as exc:
            status = exc.status_code
            client = request.client.host if request.client else "unknown"
            logger.warning(
                "refused %s %s from %s: %d, %s", request.method, request.url.path, client, status, exc.detail
            )
            raise
        except RequestValidationError:
            status = 422
            raise
        except DatabaseError:
            status = 503
            raise
        else:
            return response
        finally:
            metrics.observe(request.method, path, status, time.perf_counter() - start)

    return measured


def _admit(guard: Guard, request: Request) -> Caller:
    """The caller, if it may call now."""
    try:
        caller = guard.access.caller(request)
    except AccessError as exc:
        raise HTTPException(401, str(exc), {"WWW-Authenticate": "X-API-Key"}) from exc
    if wait := guard.rates.wait_for(caller.identity, time.monotonic()):
        raise HTTPException(429, "too many requests", {"Retry-After": str(wait)})
    return caller


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    """An ASGI ``receive`` that hands out a body that has been read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
