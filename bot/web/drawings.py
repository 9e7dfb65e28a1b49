"""Each launch of the Mini App sends one drawing: init data that was seen sending is of no use to a thief."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from starlette.exceptions import HTTPException

from bot.web.init_data import CLOCK_SKEW, MAX_AGE, InitData


class SentDrawings:
    """The launches that have sent their drawing, remembered as long as their init data could be believed.

    Nothing is written down, so a launch from before ``start``, when memory began, may not send either: who
    has the page open across a restart of the bot opens it again.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start.replace(microsecond=0)  # auth_date counts whole seconds
        self._sent: OrderedDict[str, datetime] = OrderedDict()  # signature -> auth_date

    @contextmanager
    def once(self, launch: InitData, now: datetime) -> Iterator[None]:
        """Spend the launch on what the block sends; given back where that fails. 409 where it is spent."""
        self._forget(now)
        if launch.auth_date < self._start:
            raise HTTPException(
                409, "the bot was restarted since this page was opened; open it again from the chat"
            )
        if launch.signature in self._sent:
            raise HTTPException(409, "this drawing page has been used; open it again from the chat")
        self._sent[launch.signature] = launch.auth_date
        try:
            yield
        except BaseException:
            self._sent.pop(launch.signature, None)
            raise

    def _forget(self, now: datetime) -> None:
        """Drop launches whose init data has expired; the oldest were sent first, give or take an age."""
        while self._sent and now - next(iter(self._sent.values())) > MAX_AGE + CLOCK_SKEW:
            self._sent.popitem(last=False)
