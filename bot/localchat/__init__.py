"""The Bot API on loopback and a chat page in the browser: the bot with no token and no Telegram.

server.py       `LocalChat`: what the rest of the bot sees; one ASGI application with everything below
bot_api.py      HTTP to methods and back, as Telegram's own server does it; flood.py says how fast
methods/        the Bot API's methods, by topic
webhook.py      updates posted to a bot that does not poll
people.py       what people do: send, reply, press, edit; deeds.py takes it from the page
page.py         what the page (static/) sees: history, pictures, live events; routing.py guards it
state.py        who takes part and what is going on; store.py, tables.py, ...: what lasts over restarts
"""

from bot.localchat.server import LocalChat

__all__ = ["LocalChat"]
