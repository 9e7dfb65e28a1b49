"""What goes to the log: no token, no message texts; one line a record on stderr."""

import logging
import re

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_TOKEN = re.compile(r"\d{3,}:[\w-]{20,}")
"""The shape of every bot token, ours or not."""


class RedactTokens(logging.Formatter):
    """Formats records, then replaces tokens: exceptions of the HTTP client carry URLs with the token.

    Args:
        secrets: what must never be seen, beside everything that has the shape of a token.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(FORMAT)
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record, traceback included, with [token] in the place of tokens."""
        text = _TOKEN.sub("[token]", super().format(record))
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text


def configure(secrets: tuple[str, ...] = (), level: int = logging.INFO) -> None:
    """Log to stderr from now on, and keep the loggers quiet whose INFO lines are URLs."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactTokens(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "alembic", "telegram.ext", "uvicorn"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # logs whole answers that are no JSON, and raises an error that is logged by whoever gets it
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)
