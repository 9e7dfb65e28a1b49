"""The methods of the Bot API that the local chat knows, by topic."""

from bot.localchat.methods import chat_info, editing, profile, queries, receiving, sending
from bot.localchat.methods.method import Method

METHODS: dict[str, Method] = {
    **receiving.METHODS,
    **sending.METHODS,
    **editing.METHODS,
    **queries.METHODS,
    **profile.METHODS,
    **chat_info.METHODS,
}
"""By Telegram's own names; calls may write them in any case."""
