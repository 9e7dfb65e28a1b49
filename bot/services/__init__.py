"""Use cases without Telegram and without the web: the faces call them, they call `model` and `storage`."""
