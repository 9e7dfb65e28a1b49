"""Who may call the API: who has a key, the Mini App with valid init data, this server's pages on loopback."""

import hmac
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request

from bot.web.init_data import InitData, InitDataError, validate

KEY_HEADER = "X-API-Key"
MINI_APP_SCHEME = "tma"
"""``Authorization: tma <init data>``, as the Mini App packages have it by custom."""

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}


class AccessError(Exception):
    """The request names nobody who may call; the message says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        identity: what limits are counted by: ``key 0``, ``user 42`` or ``page``.
        launch: the init data of a Mini App, else None.
    """

    identity: str
    launch: InitData | None = None


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Decides about each request from its headers and its peer alone.

    Attributes:
        keys: accepted keys; without any, no key opens the API.
        token: what signs init data.
        trust_loopback: whether pages of this server may call from this machine. Not where a proxy makes the
            server public, because then the whole world comes from this machine.
        now: the clock.
    """

    keys: Sequence[str]
    token: str
    trust_loopback: bool
    now: Callable[[], datetime]

    def caller(self, request: Request) -> Caller:
        """Who sent ``request``.

        Raises:
            AccessError: nobody who may call.
        """
        if (key := request.headers.get(KEY_HEADER)) is not None:
            return self._holder(key)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == MINI_APP_SCHEME:
            return self._mini_app(credentials)
        if self.trust_loopback and is_own_page(request):
            return Caller("page")
        raise AccessError(f"no {KEY_HEADER}, no init data, and not a page of this server on this machine")

    def _holder(self, key: str) -> Caller:
        """All keys are compared, each in constant time, so that the time taken tells nothing."""
        offered = key.encode()
        matches = [hmac.compare_digest(offered, known.encode()) for known in self.keys]
        if not any(matches):
            raise AccessError(f"wrong {KEY_HEADER}")
        return Caller(f"key {matches.index(True)}")

    def _mini_app(self, init_data: str) -> Caller:
        try:
            launch = validate(init_data, self.token, self.now())
        except InitDataError as exc:
            raise AccessError(f"init data refused: {exc}") from exc
        return Caller(f"user {launch.user_id}", launch)


def is_own_page(request: Request) -> bool:
    """Whether a page that this server gave to a browser on this machine sent the request.

    The peer must be this machine and no proxy, ``Host`` a name of it (or a page elsewhere could have its own
    name resolved to us), and ``Origin`` the same host. Browsers leave ``Origin`` out of same-origin GETs and
    say in ``Sec-Fetch-Site`` where those come from.
    """
    headers = request.headers
    if (
        request.client is None
        or not _is_loopback(request.client.host)
        or any(name in headers for name in _FORWARDED)
    ):
        return False
    host = headers.get("host", "")
    if _hostname(host) not in _LOOPBACK_NAMES:
        return False
    if (origin := headers.get("origin")) is not None:
        return origin == f"{request.url.scheme}://{host}"
    return request.method in {"GET", "HEAD"} and headers.get("sec-fetch-site") == "same-origin"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port; None where it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
