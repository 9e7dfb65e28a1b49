"""What a bot may ask about chats and the people in them."""

from bot.localchat import chats
from bot.localchat.errors import BadRequestError
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json, State

GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


async def get_chat(state: State, parameters: Parameters) -> Json:
    """All about one chat."""
    async with state.transaction() as transaction:
        chat = await chats.named(transaction, parameters)
    gifts = dict.fromkeys(GIFTS, False)
    return {**chat, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


async def get_chat_member(state: State, parameters: Parameters) -> Json:
    """What somebody is in a chat."""
    user_id = parameters.integer("user_id")
    async with state.transaction() as transaction:
        chat = await chats.named(transaction, parameters)
        try:
            user = await chats.user(transaction, user_id)
        except BadRequestError as exc:
            raise BadRequestError("PARTICIPANT_ID_INVALID") from exc
    if chat["type"] == "private":
        if user_id not in {chat["id"], state.identity.bot_id}:
            raise BadRequestError("PARTICIPANT_ID_INVALID")
        return {"status": "member", "user": user}
    if user_id == state.identity.admin_id:
        return {"status": "creator", "user": user, "is_anonymous": False}
    return {"status": "member", "user": user}


METHODS: dict[str, Method] = {"getChat": get_chat, "getChatMember": get_chat_member}
