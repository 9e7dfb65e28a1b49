"""How a bot hears of things: polling, the webhook, files."""

import time

from bot.localchat import files, settings, updates
from bot.localchat.errors import BadRequestError, ConflictError
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.polling import BY_WEBHOOK
from bot.localchat.state import Json, State

LONGEST_POLL = 50
"""Seconds."""

WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)


async def get_updates(state: State, parameters: Parameters) -> list[Json]:
    """Wait for updates after the offset; confirm those before it."""
    offset = parameters.integer("offset")
    limit = min(max(parameters.integer("limit", 100), 1), 100)
    deadline = time.monotonic() + min(max(parameters.integer("timeout"), 0), LONGEST_POLL)
    async with state.transaction() as transaction:
        if await settings.read(transaction.connection, "webhook"):
            raise ConflictError(WEBHOOK_ACTIVE)
        await updates.allow(transaction, parameters.json("allowed_updates"))
    ticket = state.polls.begin()
    while True:
        news = state.polls.news()
        async with state.transaction() as transaction:
            found = await updates.pending(transaction, offset, limit)
        state.polls.check(ticket)
        if found or not await state.polls.wait(news, deadline - time.monotonic()):
            return found


async def set_webhook(state: State, parameters: Parameters) -> bool:
    """Send updates to an address instead of waiting for polls; an empty address ends that."""
    url = parameters.text("url")
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise BadRequestError("bad webhook: An HTTPS URL must be provided for webhook")
    secret = parameters.text("secret_token")
    if len(secret) > 256 or not all(character.isalnum() or character in "_-" for character in secret):
        raise BadRequestError("secret token contains unallowed characters")
    connections = parameters.integer("max_connections", 40)
    webhook = {"url": url, "secret_token": secret, "max_connections": connections} if url else None
    async with state.transaction() as transaction:
        await settings.write(transaction.connection, "webhook", webhook)
        await updates.allow(transaction, parameters.json("allowed_updates"))
        await settings.write(transaction.connection, "webhook_failure", None)
        if parameters.boolean("drop_pending_updates"):
            await updates.drop(transaction)
    state.polls.begin(BY_WEBHOOK)
    return True


async def delete_webhook(state: State, parameters: Parameters) -> bool:
    """Back to polling."""
    async with state.transaction() as transaction:
        await settings.write(transaction.connection, "webhook", None)
        if parameters.boolean("drop_pending_updates"):
            await updates.drop(transaction)
    return True


async def get_webhook_info(state: State, _parameters: Parameters) -> Json:
    """Where updates go, and how many wait."""
    async with state.transaction() as transaction:
        webhook = await settings.read(transaction.connection, "webhook", {})
        allowed = await settings.read(transaction.connection, "allowed_updates", [])
        failure = await settings.read(transaction.connection, "webhook_failure", {})
        waiting = await updates.count(transaction)
    info: Json = {
        "url": webhook.get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": waiting,
    }
    if webhook:
        info |= {"max_connections": webhook["max_connections"], **failure}
    if allowed:
        info["allowed_updates"] = allowed
    return info


async def get_file(state: State, parameters: Parameters) -> Json:
    """Where to download a file."""
    async with state.transaction() as transaction:
        row = await files.find(transaction, parameters.text("file_id"))
    if row.size > files.MAXIMUM_DOWNLOAD:
        raise BadRequestError("file is too big")
    return {
        "file_id": row.file_id,
        "file_unique_id": row.file_unique_id,
        "file_size": row.size,
        "file_path": files.path(row),
    }


METHODS: dict[str, Method] = {
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
}
