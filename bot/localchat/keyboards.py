"""Reply markup, checked as Telegram checks it."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from bot.localchat.errors import BadRequestError
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json

MAXIMUM_CALLBACK_DATA = 64
MAXIMUM_COPY_TEXT = 256
MAXIMUM_BUTTONS = 100
MAXIMUM_IN_A_ROW = 8
STYLES = ("danger", "success", "primary")
ACTIONS = ("url", "callback_data", "web_app", "copy_text", "switch_inline_query")
OTHER_MARKUPS = ("keyboard", "remove_keyboard", "force_reply")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def of(parameters: Parameters) -> tuple[str, Json] | None:
    """A call's reply markup as its kind ("inline_keyboard", "keyboard", ...) and its checked object.

    Raises:
        BadRequestError: a button is one that Telegram refuses.
    """
    markup = parameters.json("reply_markup", "reply keyboard markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise BadRequestError("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"])
        return "inline_keyboard", {"inline_keyboard": rows}
    kind = next((kind for kind in OTHER_MARKUPS if kind in markup), None)
    if kind is None:
        raise BadRequestError("can't parse reply keyboard markup JSON object")
    return kind, markup


def inline(parameters: Parameters) -> Json | None:
    """A call's inline keyboard, None where there is none or an empty one."""
    markup = of(parameters)
    if markup is None:
        return None
    kind, keyboard = markup
    if kind != "inline_keyboard":
        raise BadRequestError("inline keyboard expected")
    return keyboard if keyboard["inline_keyboard"] else None


def _rows(rows: Any) -> list[list[Json]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise BadRequestError('field "inline_keyboard" must be of type Array of Array')
    checked = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, checked)) > MAXIMUM_BUTTONS or any(len(row) > MAXIMUM_IN_A_ROW for row in checked):
        raise BadRequestError("reply markup is too long")
    return checked


def _button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise BadRequestError("can't parse inline keyboard button: expected an object")
    if not str(button.get("text", "")).strip():
        raise BadRequestError("text buttons are unallowed in the inline keyboard")
    actions = [action for action in ACTIONS if action in button]
    if len(actions) != 1:
        raise BadRequestError("text buttons are unallowed in the inline keyboard")
    if button.get("style") is not None and button["style"] not in STYLES:
        raise BadRequestError("BUTTON_STYLE_INVALID")
    checks = {
        "callback_data": _check_data,
        "url": _check_url,
        "web_app": _check_web_app,
        "copy_text": _check_copy,
    }
    if check := checks.get(actions[0]):
        check(button[actions[0]])
    return {name: value for name, value in button.items() if value is not None}


def _check_data(data: Any) -> None:
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAXIMUM_CALLBACK_DATA:
        raise BadRequestError("BUTTON_DATA_INVALID")


def _check_url(url: Any) -> None:
    if parts_of(str(url)).scheme not in {"http", "https", "tg"}:
        raise BadRequestError(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")


def _check_web_app(web_app: Any) -> None:
    url = web_app_url(web_app)
    if not is_web_app_url(url):
        raise BadRequestError(
            f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed"
        )


def _check_copy(copy_text: Any) -> None:
    text = copy_text.get("text", "") if isinstance(copy_text, dict) else ""
    if not 1 <= len(str(text)) <= MAXIMUM_COPY_TEXT:
        raise BadRequestError("BUTTON_COPY_TEXT_INVALID")


def parts_of(url: str) -> SplitResult:
    """An address in its parts, which are empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def web_app_url(web_app: Any) -> str:
    """The address in a WebAppInfo; "" where there is none."""
    return str(web_app.get("url", "")) if isinstance(web_app, dict) else ""


def is_web_app_url(url: str) -> bool:
    """Whether a Web App may live there: https as on Telegram, or this machine."""
    parts = parts_of(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
