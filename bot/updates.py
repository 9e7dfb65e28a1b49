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
    kinds = {kind: _without_topic(content) for kind, content in payload.items() if kind != "update_id"}
    essentials = {kind: _essential(content) for kind, content in kinds.items()}
    for contents in (kinds, essentials, {}):
        try:
            return Update.de_json({"update_id": payload["update_id"], **contents}, bot)
        except Exception as exc:
            # never with the content, which is somebody's
            log.warning("update %d is not understood: %s", payload["update_id"], type(exc).__name__)
    raise AssertionError("an update without content has been refused")


def _without_topic(content: Any) -> Any:
    """A message; in a forum Telegram has what is no reply answer the message that its topic began with."""
    replied = content.get("reply_to_message") if isinstance(content, dict) else None
    if not isinstance(replied, dict) or "forum_topic_created" not in replied:
        return content
    return {field: value for field, value in content.items() if field != "reply_to_message"}


def _essential(content: Any) -> Any:
    if not isinstance(content, dict):
        return None
    return {field: content[field] for field in _ESSENTIAL if field in content}
