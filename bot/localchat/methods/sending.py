"""Messages from the bot."""

from typing import Any

from bot.localchat import chats, keyboards, messages
from bot.localchat.errors import BadRequestError
from bot.localchat.methods import content
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json, State, Transaction

ACTIONS = (
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
)


async def send_message(state: State, parameters: Parameters) -> Json:
    """A text."""
    return await _send(state, parameters, content.text(parameters))


async def send_photo(state: State, parameters: Parameters) -> Json:
    """A picture, with or without a caption."""
    caption = content.caption(parameters)
    await _check_chat(state, parameters)
    return await _send(state, parameters, {**await content.photo(state, parameters), **caption})


async def send_document(state: State, parameters: Parameters) -> Json:
    """A file, with or without a caption."""
    caption = content.caption(parameters)
    await _check_chat(state, parameters)
    return await _send(state, parameters, {**await content.document(state, parameters), **caption})


async def send_media_group(state: State, parameters: Parameters) -> list[Json]:
    """An album: several messages shown as one."""
    items = parameters.json("media")
    if not isinstance(items, list) or not 2 <= len(items) <= 10:
        raise BadRequestError("group send failed: an album has 2 to 10 items")
    await _check_chat(state, parameters)
    contents = [await content.media(state, item, parameters.uploads) for item in items]
    album = str(state.random_id())
    return [
        await _send(state, parameters, {"media_group_id": album, **item}, with_markup=False)
        for item in contents
    ]


async def send_chat_action(state: State, parameters: Parameters) -> bool:
    """Show that the bot is busy, for five seconds."""
    action = parameters.text("action").lower()
    if action not in ACTIONS:
        raise BadRequestError("wrong parameter action in request")
    async with state.transaction() as transaction:
        chat = await chats.open_to_bot(transaction, parameters)
        transaction.events.append({"type": "action", "chat_id": chat["id"], "action": action})
    return True


async def _check_chat(state: State, parameters: Parameters) -> None:
    """Before a file is worked on: may the bot write there?"""
    async with state.transaction() as transaction:
        await chats.open_to_bot(transaction, parameters)


async def _send(state: State, parameters: Parameters, shown: Json, *, with_markup: bool = True) -> Json:
    markup = keyboards.of(parameters) if with_markup else None
    async with state.transaction() as transaction:
        chat = await chats.open_to_bot(transaction, parameters)
        reply_to = await _reply_to(transaction, chat, parameters)
        fields: Json = {**shown, "reply_to": reply_to}
        if markup is not None and markup[0] == "inline_keyboard" and markup[1]["inline_keyboard"]:
            fields["reply_markup"] = markup[1]
        message = await messages.add(transaction, chat, state.identity.bot_id, fields)
        if markup is not None and markup[0] != "inline_keyboard":
            event = {"type": "markup", "message_id": message["message_id"], "markup": markup[1]}
            transaction.events.append({"chat_id": chat["id"], **event})
        return message


async def _reply_to(transaction: Transaction, chat: Json, parameters: Parameters) -> int | None:
    """The message_id that a new message answers.

    Raises:
        BadRequestError: there is no such message, and the call does not say that this is all right.
    """
    reply: Any = parameters.json("reply_parameters", "reply parameters")
    if reply is None:
        reply = {
            "message_id": parameters.integer("reply_to_message_id"),
            "allow_sending_without_reply": parameters.boolean("allow_sending_without_reply"),
        }
    if not isinstance(reply, dict):
        raise BadRequestError("can't parse reply parameters JSON object")
    message_id = Parameters(reply).integer("message_id")
    if not message_id:
        return None
    other_chat = Parameters(reply).integer("chat_id", chat["id"])
    if other_chat == chat["id"] and await messages.get(transaction, chat["id"], message_id) is not None:
        return message_id
    if Parameters(reply).boolean("allow_sending_without_reply"):
        return None
    raise BadRequestError("message to be replied not found")


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
}
