"""The Bot API on loopback and a chat page in the browser: the bot with no token and no Telegram.

server.py       `LocalChat`: what the rest of the bot sees; one ASGI application with everything below
bot_api.py      HTTP to methods and back, as Telegram's own server does it
methods/        the Bot API's methods, by topic
people.py       what a person does in the page: send, reply, press, edit
page.py         the page's HTTP: its files, its API, live events
state.py        who takes part and what is going on; store.py, tables.py, ...: what lasts over restarts
"""

from bot.localchat.server import LocalChat

__all__ = ["LocalChat"]
