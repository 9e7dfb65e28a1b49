"""Who asks: the same few facts for every use case."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who sent something to a bot.

    Attributes:
        bot_id: which bot; people of the local chat and of Telegram never mix.
        user_id: their numeric id there.
        is_admin: whether the configuration names them.
    """

    bot_id: int
    user_id: int
    is_admin: bool = False
