"""Limits of the HTTP API: how often a caller may call, how large a body is, how many requests work."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

BODY_SECONDS = 30
"""For a whole body to arrive."""
WAIT_SECONDS = 5
"""For a place among those that work at once."""
_CALLERS_REMEMBERED = 10_000


class RateLimiter:
    """A token bucket for each caller: ``per_minute`` calls on average, up to ``burst`` at once."""

    def __init__(self, per_minute: int, burst: int) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> tokens, at what time

    def wait_for(self, caller: str, now: float) -> int:
        """0 and a token taken, or whole seconds until there is one; ``now`` is a monotonic time."""
        tokens, then = self._buckets.pop(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - allowed, now)
        if len(self._buckets) > _CALLERS_REMEMBERED:
            self._buckets.popitem(
                last=False
            )  # the one that has been quiet the longest, so its bucket is full
        return 0 if allowed else math.ceil((1 - tokens) / self._rate)


class Places:
    """At most ``count`` requests work at once; others wait a little and are then sent away."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A place, given back at the end of the block. Raises 503 where none gets free in `WAIT_SECONDS`."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise HTTPException(503, "too many requests at once", {"Retry-After": "1"}) from None
        try:
            yield
        finally:
            self._free.release()


async def read_body(request: Request, limit: int) -> bytes:
    """The body, of at most ``limit`` bytes; 413 as soon as it is known to be larger, 408 where it stalls."""
    too_large = HTTPException(413, f"at most {limit} bytes", {"Connection": "close"})
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise HTTPException(408, "the body did not arrive in time", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400, "the body ended early") from None
    return bytes(body)
