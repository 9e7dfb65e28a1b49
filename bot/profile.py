"""What Telegram shows of the bot: command menus, descriptions, and the button that opens the draw page."""

import logging
from collections.abc import Iterable

from telegram import (
    Bot,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)
from telegram.error import TelegramError

from bot import i18n, replies

log = logging.getLogger(__name__)


async def introduce(bot: Bot, admins: Iterable[int], draw_url: str | None) -> None:
    """Set menus and descriptions in every language there is a catalogue for; failures are only logged.

    Args:
        bot: whose.
        admins: who see more commands.
        draw_url: what the menu button opens; None for the list of commands.
    """
    try:
        for language in i18n.languages():
            code = None if language == i18n.DEFAULT_LANGUAGE else language
            texts = i18n.texts(language)
            await bot.set_my_commands(replies.commands(texts), BotCommandScopeDefault(), code)
            await bot.set_my_commands(replies.group_commands(texts), BotCommandScopeAllGroupChats(), code)
            await bot.set_my_description(replies.description(texts), code)
            await bot.set_my_short_description(replies.short_description(texts), code)
        await bot.set_chat_menu_button(menu_button=_menu_button(draw_url))
    except TelegramError as exc:
        log.warning("menus and descriptions were not set: %s", exc)
    for admin in admins:
        await _introduce_to_admin(bot, admin)


def _menu_button(draw_url: str | None) -> MenuButtonDefault | MenuButtonWebApp:
    """Telegram has one for all languages."""
    if draw_url is None:
        return MenuButtonDefault()
    return MenuButtonWebApp(replies.draw_button(i18n.texts()), WebAppInfo(draw_url))


async def _introduce_to_admin(bot: Bot, admin: int) -> None:
    """Telegram knows a private chat only after its person has written: that is no error."""
    try:
        await bot.set_my_commands(replies.admin_commands(i18n.texts()), BotCommandScopeChat(admin))
    except TelegramError as exc:
        log.info("administrator %d gets no menu of their own yet: %s", admin, exc)
