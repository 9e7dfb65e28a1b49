"""What the bot says about itself: name, descriptions, commands, menu button."""

import re
from typing import Any

from bot.localchat import chats, keyboards, settings
from bot.localchat.errors import BadRequestError
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json, State, Transaction

MAXIMUM_COMMANDS = 100
SCOPES_OF_CHATS = ("chat", "chat_administrators", "chat_member")
SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators", *SCOPES_OF_CHATS)
MENU_BUTTONS = ("default", "commands", "web_app")
LENGTHS = {"name": 64, "description": 512, "short_description": 120}
"""Characters at most."""


async def get_me(state: State, _parameters: Parameters) -> Json:
    """The bot itself."""
    async with state.transaction() as transaction:
        bot = await chats.bot(transaction)
    return {
        **bot,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def log_out(_state: State, _parameters: Parameters) -> bool:
    """Nothing to do: there is no other server to move to."""
    return True


async def set_my_commands(state: State, parameters: Parameters) -> bool:
    """The commands shown in a scope."""
    commands = parameters.json("commands", "commands")
    if not isinstance(commands, list):
        raise BadRequestError("can't parse commands JSON object")
    if len(commands) > MAXIMUM_COMMANDS:
        raise BadRequestError("BOT_COMMANDS_TOO_MUCH")
    await _change_commands(state, parameters, [_command(command) for command in commands])
    return True


async def delete_my_commands(state: State, parameters: Parameters) -> bool:
    """No more commands of their own in a scope."""
    await _change_commands(state, parameters, [])
    return True


async def get_my_commands(state: State, parameters: Parameters) -> list[Json]:
    """The commands of exactly this scope."""
    async with state.transaction() as transaction:
        key = await _scope(transaction, parameters)
        commands: list[Json] = (await settings.read(transaction.connection, "commands", {})).get(key, [])
    return commands


async def shown_commands(transaction: Transaction, chat: Json) -> list[Json]:
    """The commands that a person sees in a chat: those of the narrowest scope that has some."""
    commands = await settings.read(transaction.connection, "commands", {})
    scopes = [
        f"chat:{chat['id']}",
        "all_private_chats" if chat["type"] == "private" else "all_group_chats",
        "default",
    ]
    found: list[Json] = next((commands[f"{scope}|"] for scope in scopes if commands.get(f"{scope}|")), [])
    return found


async def texts(transaction: Transaction) -> Json:
    """What a newcomer reads before the first message."""
    return {
        name: (await settings.read(transaction.connection, name, {})).get("", "")
        for name in ("description", "short_description")
    }


def _setter(name: str) -> Method:
    async def set_text(state: State, parameters: Parameters) -> bool:
        text = parameters.text(name)
        if len(text) > LENGTHS[name]:
            raise BadRequestError(f"{name.replace('_', ' ')} is too long")
        async with state.transaction() as transaction:
            texts = await settings.read(transaction.connection, name, {})
            texts = {**texts, parameters.text("language_code"): text}
            kept = {language: text for language, text in texts.items() if text}
            await settings.write(transaction.connection, name, kept)
            transaction.events.append({"type": "profile"})
        return True

    return set_text


def _getter(name: str) -> Method:
    async def get_text(state: State, parameters: Parameters) -> Json:
        async with state.transaction() as transaction:
            texts = await settings.read(transaction.connection, name, {})
        default = chats.BOT_NAME if name == "name" else ""
        return {name: texts.get(parameters.text("language_code"), texts.get("", default))}

    return get_text


async def set_chat_menu_button(state: State, parameters: Parameters) -> bool:
    """What the button beside the text field does, in one chat or in all."""
    button = parameters.json("menu_button", "menu button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in MENU_BUTTONS:
        raise BadRequestError("can't parse menu button: Menu button has unsupported type")
    if button["type"] == "web_app":
        url = keyboards.web_app_url(button.get("web_app"))
        if not keyboards.is_web_app_url(url):
            raise BadRequestError(f"menu button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    async with state.transaction() as transaction:
        key = await _menu_key(transaction, parameters)
        buttons = await settings.read(transaction.connection, "menu_buttons", {})
        await settings.write(transaction.connection, "menu_buttons", {**buttons, key: button})
        transaction.events.append({"type": "profile"})
    return True


async def get_chat_menu_button(state: State, parameters: Parameters) -> Json:
    """What the button beside the text field does."""
    async with state.transaction() as transaction:
        return await shown_menu_button(transaction, await _menu_key(transaction, parameters))


async def shown_menu_button(transaction: Transaction, key: str) -> Json:
    """The menu button of a chat, named by its id as text; "" for all chats."""
    buttons = await settings.read(transaction.connection, "menu_buttons", {})
    own: Json = buttons.get(key, {"type": "default"})
    if own["type"] != "default":
        return own
    general: Json = buttons.get("", {"type": "default"})
    return general if general["type"] != "default" else {"type": "commands"}


async def _menu_key(transaction: Transaction, parameters: Parameters) -> str:
    if not parameters.text("chat_id"):
        return ""
    return str((await chats.named(transaction, parameters))["id"])


async def _change_commands(state: State, parameters: Parameters, commands: list[Json]) -> None:
    async with state.transaction() as transaction:
        key = await _scope(transaction, parameters)
        everything = await settings.read(transaction.connection, "commands", {})
        await settings.write(transaction.connection, "commands", {**everything, key: commands})
        transaction.events.append({"type": "profile"})


async def _scope(transaction: Transaction, parameters: Parameters) -> str:
    """A key for scope and language: "chat:42|en"."""
    scope = parameters.json("scope", "BotCommandScope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in SCOPES:
        raise BadRequestError("can't parse BotCommandScope: unsupported type specified")
    parts = [scope["type"]]
    if scope["type"] in SCOPES_OF_CHATS:
        parts.append(str((await chats.named(transaction, Parameters(scope)))["id"]))
    if scope["type"] == "chat_member":
        parts.append(str(scope.get("user_id", "")))
    return f"{':'.join(parts)}|{parameters.text('language_code')}"


def _command(command: Any) -> Json:
    if not isinstance(command, dict):
        raise BadRequestError("can't parse BotCommand: expected an object")
    name, description = str(command.get("command", "")).removeprefix("/"), str(command.get("description", ""))
    if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
        raise BadRequestError("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise BadRequestError("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "logOut": log_out,
    "close": log_out,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": _setter("name"),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description"),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description"),
    "getMyShortDescription": _getter("short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}
