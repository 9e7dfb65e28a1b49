"""Updates as Telegram delivers them -> as python-telegram-bot knows them, each by itself.

The library parses a delivery as a whole: one update in a form that is newer than the library, or broken,
would make every poll fail for as long as Telegram keeps it, and the bot deaf.
"""

import logging
from typing import Any

from telegram import Bot, Update

log = logging.getLogger(__name__)

_ESSENTIAL = ("message_id", "date", "chat", "from", "message_thread_id", "is_topic_message")
"""Of a message that is not understood: enough to tell its sender what is wanted instead."""


def parsed(payload: dict[str, Any], bot: Bot) -> Update:
    """An update; of what is not understood the essential, or else nothing but its number."""
    kinds = {kind: content for kind, content in payload.items() if kind != "update_id"}
    essentials = {kind: _essential(content) for kind, content in kinds.items()}
    for contents in (kinds, essentials, {}):
        try:
            return Update.de_json({"update_id": payload["update_id"], **contents}, bot)
        except Exception as exc:
            # never with the content, which is somebody's
            log.warning("update %d is not understood: %s", payload["update_id"], type(exc).__name__)
    raise AssertionError("an update without content has been refused")


def _essential(content: Any) -> Any:
    if not isinstance(content, dict):
        return None
    return {field: content[field] for field in _ESSENTIAL if field in content}
