"""Edits of messages that may be gone, or say the same already."""

import contextlib
import logging
from collections.abc import Iterator

from telegram.error import BadRequest

log = logging.getLogger(__name__)


@contextlib.contextmanager
def if_it_changes() -> Iterator[None]:
    """Let an edit be refused: a button was pressed twice, or the message was deleted meanwhile."""
    try:
        yield
    except BadRequest as exc:
        log.info("not edited: %s", exc)
