"""How requests to the Bot API fail: refused for now, surely not done, or unclear."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from telegram.error import NetworkError, TelegramError
from telegram.request import HTTPXRequest


class FloodError(TelegramError):
    """429: nothing was done, and nothing will be before `retry_after` seconds are over."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"flood control: retry in {retry_after:g} seconds")
        self.retry_after = retry_after


class NotSentError(NetworkError):
    """The request never left: no connection."""


class ServerError(NetworkError):
    """5xx: the server says that it could not do it."""


MOST_BYTES = 24 << 20
"""Of one answer; Telegram hands out files of up to 20 MiB."""


class _Bounded(httpx.AsyncByteStream):
    """A body that ends with an error where it is longer than it may be, whatever its headers say."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise httpx.ReadError(f"more than {MOST_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)  # of an asynchronous client
    response.stream = _Bounded(response.stream)


class Request(HTTPXRequest):
    """PTB's HTTP client, with the errors of this module, and with answers of at most `MOST_BYTES`.

    PTB's own `RetryAfter` warns of a deprecation whenever it is made, PTB has no class for 5xx, and an answer
    that is no JSON is to PTB no failure of the network.

    Args:
        options: of PTB's.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, httpx_kwargs={"event_hooks": {"response": [_bound]}})

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Status and body of one request.

        Raises:
            FloodError: the answer is 429.
            NotSentError: there was no connection to send it on.
            ServerError: the answer is 5xx.
            NetworkError: anything else that leaves unclear whether it was done.
        """
        try:
            status, payload = await super().do_request(*args, **kwargs)
        except NetworkError as exc:
            if isinstance(exc.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                raise NotSentError(type(exc.__cause__).__name__) from exc.__cause__
            raise
        if status == 429:
            raise FloodError(self._retry_after(payload))
        if status >= 500:
            raise ServerError(f"the Bot API server answered {status}")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer, which PTB takes apart.

        Raises:
            NetworkError: it is no JSON, so something on the way has answered in the place of the Bot API.
        """
        try:
            answer: dict[str, Any] = json.loads(payload.decode(errors="replace"))
        except ValueError as exc:
            raise NetworkError("the answer is no JSON") from exc
        return answer

    def _retry_after(self, payload: bytes) -> float:
        """Seconds to wait as the body of a 429 says, 1 where it does not."""
        try:
            return float(self.parse_json_payload(payload)["parameters"]["retry_after"])
        except (TelegramError, KeyError, TypeError, ValueError):
            return 1.0
