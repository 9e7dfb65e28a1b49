"""Pure: what the chat page says, by the names that its HTML and its modules use; plain text, no HTML.

A sentence goes into elements as well as into attributes, so none holds `<`, `&` or `"`.
"""

from bot.i18n import Texts


def page_texts(texts: Texts) -> dict[str, str]:
    """All sentences of the page; `{...}` in them is filled in by its modules."""
    return _frame(texts) | _writing(texts) | _messages(texts) | _state(texts)


def _frame(texts: Texts) -> dict[str, str]:
    """What stands around people, chats and messages."""
    return {
        "local_chat": texts.gettext("local chat"),
        "on_this_machine": texts.gettext("local chat on this machine"),
        "skip": texts.gettext("Skip to the message field"),
        "sidebar": texts.gettext("People and chats"),
        "people": texts.gettext("You write as"),
        "chats": texts.gettext("Chats"),
        "fine": texts.gettext(
            "Nothing leaves this machine. The same bot serves Telegram once it has a token."
        ),
        "more": texts.gettext("More"),
        "messages": texts.gettext("Messages"),
        "newest": texts.gettext("Newest messages"),
        "web_app": texts.gettext("Web App"),
        "close": texts.gettext("Close"),
        "cancel": texts.gettext("Cancel"),
        "ok": texts.gettext("OK"),
        "no_script": texts.gettext("The local chat needs JavaScript."),
        "theme_system": texts.gettext("Theme: as the system"),
        "theme_light": texts.gettext("Theme: light"),
        "theme_dark": texts.gettext("Theme: dark"),
        "clear_history": texts.gettext("Clear history"),
        "stop_bot": texts.gettext("Stop bot"),
        "start": texts.gettext("Start"),
        "restart": texts.gettext("Restart"),
    }


def _writing(texts: Texts) -> dict[str, str]:
    """Where messages, photos and files are made."""
    return {
        "commands": texts.gettext("Commands"),
        "menu": texts.gettext("Menu"),
        "attach": texts.gettext("Attach photos or files"),
        "message": texts.gettext("Message"),
        "send": texts.gettext("Send"),
        "reply_to": texts.gettext("Reply to {name}"),
        "edit_message": texts.gettext("Edit message"),
        "photo": texts.gettext("Photo"),
        "file": texts.gettext("File"),
        "samples": texts.gettext("Sample photos"),
        "send_sample": texts.gettext("Send sample photo {number}"),
        "samples_title": texts.gettext("No pen at hand? Send one of these"),
        "draw_others": texts.gettext("Draw others"),
        "drop_photo": texts.gettext("Drop as photo"),
        "drop_photo_help": texts.gettext("made smaller, as Telegram does"),
        "drop_file": texts.gettext("Drop as file"),
        "drop_file_help": texts.gettext("exactly as it is"),
        "send_photo": texts.gettext("Send this photo"),
        "send_photos": texts.gettext("Send {count} photos"),
        "send_file": texts.gettext("Send this file"),
        "send_files": texts.gettext("Send {count} files"),
        "as_photo": texts.gettext("Send as photo"),
        "as_photo_help": texts.gettext("smaller, as Telegram does; else as a file, unchanged"),
        "caption": texts.gettext("Caption"),
    }


def _messages(texts: Texts) -> dict[str, str]:
    """What stands at messages, and what can be done with one."""
    return {
        "you": texts.gettext("You"),
        "captioned_photo": texts.gettext("Photo: {caption}"),
        "in_reply_to": texts.gettext("In reply to {name}"),
        "edited": texts.gettext("edited"),
        "reacted": texts.gettext("{name} reacted with {emoji}"),
        "react": texts.gettext("React with {emoji}"),
        "hidden": texts.gettext("Hidden text"),
        "today": texts.gettext("Today"),
        "yesterday": texts.gettext("Yesterday"),
        "no_messages": texts.gettext("No messages yet"),
        "unread": texts.gettext("{count} unread"),
        "reply": texts.gettext("Reply"),
        "copy_text": texts.gettext("Copy text"),
        "copied": texts.gettext("Copied"),
        "edit": texts.gettext("Edit"),
    }


def _state(texts: Texts) -> dict[str, str]:
    """What a chat is, what the bot does in it, and what went wrong."""
    return {
        "private_chat": texts.gettext("bot · you are {name}"),
        "group_chat": texts.gettext("{count} people and digitbot"),
        "typing": texts.gettext("typing…"),
        "upload_photo": texts.gettext("sending a photo…"),
        "upload_document": texts.gettext("sending a file…"),
        "busy": texts.gettext("busy…"),
        "lost": texts.gettext("waiting for the bot to come back…"),
        "failed": texts.gettext("The server answered {status}."),
        "unreachable": texts.gettext("The bot cannot be reached: does it run?"),
        "no_picture": texts.gettext("That is no picture that can be sent as a photo. Send it as a file."),
        "no_history": texts.gettext("The messages of this chat could not be fetched."),
        "try_again": texts.gettext("Try again"),
        "too_many_files": texts.gettext("Only the first {count} are taken: an album has no more."),
        "welcome": texts.gettext("What can this bot do?"),
        "welcome_help": texts.gettext("Send a photo of a handwritten digit."),
        "welcome_samples": texts.gettext("No pen at hand? Send one of these photos."),
        "group_help": texts.gettext("A group: the bot hears commands, mentions and replies to its messages."),
    }
