"""Who asks: the same few facts for every use case."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import ForgottenError
from storage import inbox


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


async def require_open(session: AsyncSession, bot_id: int, update_id: int) -> None:
    """See that nobody is made known again by what they sent before they were forgotten.

    Raises:
        ForgottenError: the update is done before it is handled, as its sender was forgotten meanwhile.
    """
    if not await inbox.is_open(session, bot_id, update_id):
        raise ForgottenError
