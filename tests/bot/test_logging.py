"""No token reaches a log, however it gets into a record."""

import logging

import pytest

from bot.logging import RedactTokens

TOKEN = "1234567890:AAF-fakefakefakefakefakefakefakefak"


def line(message: str, *arguments: object, error: Exception | None = None) -> str:
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("bot", logging.ERROR, __file__, 1, message, arguments, info)
    return RedactTokens(("short-secret",)).format(record)


def test_a_token_is_replaced_in_messages_arguments_and_tracebacks() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int(f"https://api.telegram.org/bot{TOKEN}/getMe")

    text = line("%s and %s", TOKEN, f"/file/bot{TOKEN}/x", error=raised.value)

    assert TOKEN not in text
    assert text.count("[token]") >= 3


def test_configured_secrets_are_replaced_whatever_their_shape() -> None:
    assert "short-secret" not in line("sent %s", "short-secret")
