"""uvicorn as a task of the running loop: the web server lives and ends with the bot."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import UnavailableError

GRACE = 5
"""Seconds that requests in flight get to end when the server stops."""


_OF_ALL = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Names of all addresses of a machine at once, which cannot be visited, and the one to be found at there."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: signals belong to the command that runs the bot."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves ``app`` on ``host`` and ``port`` between `start` and `stop`; port 0 takes any free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server = _Server(
            uvicorn.Config(
                app,
                log_config=None,  # the bot configures logging, once
                access_log=False,  # the metrics count requests; paths of the local chat contain its token
                server_header=False,
                proxy_headers=False,  # access rules look at the peer itself
                timeout_graceful_shutdown=GRACE,
                limit_concurrency=1000,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where people find it, such as ``http://127.0.0.1:8080``."""
        name = _OF_ALL.get(self._host, self._host)
        host = f"[{name}]" if ":" in name else name
        return f"http://{host}:{self._port}"

    @property
    def port(self) -> int:
        """The port listened on, also where 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Return when requests are accepted.

        Raises:
            UnavailableError: the address is in use, not ours or may not be listened on.
        """
        listener = self._listen()
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="web server")
        while not self._server.started:
            if self._task.done():
                listener.close()
                self._task.result()
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop accepting, let requests in flight end for `GRACE` seconds, and return when all is closed."""
        if self._task is None:
            return
        self._server.should_exit = True
        task, self._task = self._task, None
        await task

    async def wait(self) -> None:
        """Return when the server has ended."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _listen(self) -> socket.socket:
        """The socket that connections arrive at.

        It names its protocol: asyncio turns off Nagle's algorithm only where TCP is named, and with it on
        each answer waits 40 ms for an acknowledgement.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given up is free
            listener.bind((self._host, self._port))
        except OSError as exc:
            listener.close()
            raise UnavailableError(f"cannot listen on {self.address}: {exc.strerror or exc}") from exc
        self._port = listener.getsockname()[1]
        return listener
