"""The Bot API on loopback and a chat page in the browser: the bot with no token and no Telegram."""
