"""Changing what is in a chat: edits, reactions, deletions."""

from telegram.constants import ReactionEmoji

from bot.localchat import chats, keyboards, messages
from bot.localchat.errors import BadRequestError
from bot.localchat.methods import content
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json, State, Transaction
from bot.localchat.tables import StoredRow

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as "
    "a current content and reply markup of the message"
)
DELETABLE = 48 * 60 * 60
"""Seconds in which a bot may delete a message."""

VARIATION = "\N{VARIATION SELECTOR-16}"
REACTIONS = {emoji.value.replace(VARIATION, ""): emoji.value for emoji in ReactionEmoji}
"""What anybody may react with (https://core.telegram.org/bots/api#reactiontypeemoji)."""
CONTENT = ("text", "entities", "caption", "caption_entities", "photo", "document", "reply_markup")
"""The fields that edits change."""


async def edit_message_text(state: State, parameters: Parameters) -> Json:
    """Another text; without `reply_markup` the keyboard goes."""
    new = content.text(parameters)
    async with state.transaction() as transaction:
        row = await _own(state, transaction, parameters)
        if "text" not in row.content:
            raise BadRequestError("there is no text in the message to edit")
        return await _edit(transaction, row, new, parameters)


async def edit_message_caption(state: State, parameters: Parameters) -> Json:
    """Another caption; without `reply_markup` the keyboard goes."""
    new = content.caption(parameters)
    async with state.transaction() as transaction:
        row = await _own(state, transaction, parameters)
        if "text" in row.content:
            raise BadRequestError("there is no caption in the message to edit")
        shown = {name: row.content[name] for name in ("photo", "document") if name in row.content}
        return await _edit(transaction, row, {**shown, **new}, parameters)


async def edit_message_media(state: State, parameters: Parameters) -> Json:
    """Another picture or file, with its caption."""
    async with state.transaction() as transaction:
        await _own(state, transaction, parameters)
    new = await content.media(state, parameters.json("media", "media"), parameters.uploads)
    async with state.transaction() as transaction:
        return await _edit(transaction, await _own(state, transaction, parameters), new, parameters)


async def edit_message_reply_markup(state: State, parameters: Parameters) -> Json:
    """Another keyboard, or none."""
    async with state.transaction() as transaction:
        row = await _own(state, transaction, parameters)
        kept = {name: row.content[name] for name in CONTENT if name in row.content and name != "reply_markup"}
        return await _edit(transaction, row, kept, parameters)


async def delete_message(state: State, parameters: Parameters) -> bool:
    """Take one message away."""
    message_id = parameters.integer("message_id")
    async with state.transaction() as transaction:
        chat = await chats.named(transaction, parameters)
        row = await messages.wanted(transaction, chat["id"], message_id, "delete")
        if transaction.now - row.content["date"] > DELETABLE:
            raise BadRequestError("message can't be deleted for everyone")
        await messages.remove(transaction, chat["id"], [message_id])
    return True


async def set_message_reaction(state: State, parameters: Parameters) -> bool:
    """The bot's one reaction on a message; an empty list takes it away."""
    reactions = parameters.json("reaction", "reaction types") or []
    if not isinstance(reactions, list) or not all(isinstance(reaction, dict) for reaction in reactions):
        raise BadRequestError("can't parse reaction types JSON object")
    if len(reactions) > 1:
        raise BadRequestError("REACTIONS_TOO_MANY")
    emoji = str(reactions[0].get("emoji", "")).replace(VARIATION, "") if reactions else ""
    if reactions and emoji not in REACTIONS:
        raise BadRequestError("REACTION_INVALID")
    async with state.transaction() as transaction:
        chat = await chats.open_to_bot(transaction, parameters)
        row = await messages.wanted(transaction, chat["id"], parameters.integer("message_id"), "react")
        await messages.react(transaction, row, state.identity.bot_id, REACTIONS.get(emoji, ""))
    return True


async def _own(state: State, transaction: Transaction, parameters: Parameters) -> StoredRow:
    """The bot's own message that a call wants to edit."""
    chat = await chats.open_to_bot(transaction, parameters)
    row = await messages.wanted(transaction, chat["id"], parameters.integer("message_id"), "edit")
    if row.sender_id != state.identity.bot_id:
        raise BadRequestError("message can't be edited")
    return row


async def _edit(transaction: Transaction, row: StoredRow, new: Json, parameters: Parameters) -> Json:
    keyboard = keyboards.inline(parameters)
    if keyboard is not None:
        new = {**new, "reply_markup": keyboard}
    old = {name: row.content[name] for name in CONTENT if name in row.content}
    if new == old:
        raise BadRequestError(NOT_MODIFIED)
    frame = {name: value for name, value in row.content.items() if name not in CONTENT}
    if {**new, "reply_markup": None} != {**old, "reply_markup": None}:
        frame["edit_date"] = transaction.now
    return await messages.change(transaction, row, {**frame, **new})


METHODS: dict[str, Method] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "setMessageReaction": set_message_reaction,
}
