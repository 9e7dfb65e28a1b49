"""The data that Telegram signs when it opens the Mini App: checked before anything of its user is believed.

The rule is Telegram's, https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app: all
fields but ``hash``, sorted and joined by newlines, are signed by HMAC-SHA256 under the key that
HMAC-SHA256 makes of "WebAppData" and the bot's token.

InitDataError
├── ForgedInitDataError     the signature is not ours, or the data is no init data at all
└── ExpiredInitDataError    rightly signed, too long ago (or in the future)
"""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

MAX_AGE = timedelta(hours=1)
MAX_LENGTH = 4096
CLOCK_SKEW = timedelta(minutes=1)
"""How far in the future an ``auth_date`` may lie: clocks differ."""


class InitDataError(Exception):
    """Init data that is not believed."""


class ForgedInitDataError(InitDataError):
    """Not signed with the bot's token, or not readable as init data."""


class ExpiredInitDataError(InitDataError):
    """Signed with the bot's token, but not just now."""


@dataclass(frozen=True, slots=True)
class InitData:
    """One launch of the Mini App by one user.

    Attributes:
        user_id: who opened it; for a private chat this is the chat's id as well.
        first_name: as the user calls themselves; anything can be in it.
        language_code: IETF language tag, or None.
        auth_date: when Telegram signed it.
        signature: its ``hash``; the same for every request of one launch.
    """

    user_id: int
    first_name: str
    language_code: str | None
    auth_date: datetime
    signature: str


def validate(init_data: str, token: str, now: datetime, max_age: timedelta = MAX_AGE) -> InitData:
    """What ``init_data``, as the page sends it, says about its user.

    Raises:
        ForgedInitDataError: the signature does not fit, a field is missing, doubled or bad, or no token.
        ExpiredInitDataError: signed longer than ``max_age`` ago.
    """
    if not token:
        raise ForgedInitDataError("no token, and a signature under an empty token proves nothing")
    fields = _fields(init_data)
    signature = fields.pop("hash", "")
    if not hmac.compare_digest(_signature(fields, token).encode(), signature.encode()):
        raise ForgedInitDataError("the hash does not fit the data")
    launch = _launch(fields, signature)
    age = now - launch.auth_date
    if age > max_age or age < -CLOCK_SKEW:
        raise ExpiredInitDataError(f"signed at {launch.auth_date.isoformat()}")
    return launch


def sign(user: dict[str, object], token: str, now: datetime) -> str:
    """Init data for ``user`` as Telegram would make it: the local chat opens the Mini App with it."""
    fields = {
        "user": json.dumps(user, separators=(",", ":"), ensure_ascii=False),
        "auth_date": str(int(now.timestamp())),
    }
    return urlencode(fields | {"hash": _signature(fields, token)})


def _fields(init_data: str) -> dict[str, str]:
    """The fields of a query string, each of them once."""
    if len(init_data) > MAX_LENGTH:
        raise ForgedInitDataError(f"longer than {MAX_LENGTH} characters")
    try:
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as exc:
        raise ForgedInitDataError("not a query string") from exc
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ForgedInitDataError("a field comes twice")
    return fields


def _signature(fields: dict[str, str], token: str) -> str:
    text = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.new(b"WebAppData", token.encode(), sha256).digest()
    return hmac.new(key, text.encode(), sha256).hexdigest()


def _launch(fields: dict[str, str], signature: str) -> InitData:
    """The typed form of signed fields."""
    try:
        user = json.loads(fields["user"])
        return InitData(
            user_id=int(user["id"]),
            first_name=str(user.get("first_name", "")),
            language_code=str(user["language_code"]) if user.get("language_code") else None,
            auth_date=datetime.fromtimestamp(int(fields["auth_date"]), UTC),
            signature=signature,
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError) as exc:
        raise ForgedInitDataError("signed, but without a user and a date") from exc
