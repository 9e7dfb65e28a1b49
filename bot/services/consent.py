"""Whether a person's corrections may train, what they are told, and forgetting them."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from bot.errors import ConsentChangedError
from bot.services.people import Person, require_open
from storage import contributors, inbox
from storage.engine import Database
from storage.errors import StorageError
from storage.records import Consent, ContributorRecord, Erased

log = logging.getLogger(__name__)

TEXT_VERSION = 1
"""Of the question in `replies.ask_consent`; who agreed to another text is asked again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person has chosen; nobody has agreed to what they were not asked."""

    given: bool = False
    wants_receipts: bool = False


def is_to_be_asked(who: ContributorRecord) -> bool:
    """Whether a person was never asked, or agreed to a text that has changed and was not asked since."""
    if who.consent is Consent.GIVEN and who.consent_version != TEXT_VERSION:
        assert who.consent_at is not None  # stored with the yes
        return who.asked_at is None or who.asked_at <= who.consent_at
    return who.consent is Consent.NOT_ASKED and who.asked_at is None


class ConsentService:
    """Individual, explicit, active and revocable consent: Telegram's terms for bot developers, 4.3."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._asking: set[tuple[int, int]] = set()

    async def choice(self, person: Person) -> Choice:
        """What a person has chosen so far."""
        async with self._database.reading() as session:
            who = await contributors.find(session, person.bot_id, person.user_id)
        if who is None:
            return Choice()
        is_given = who.consent is Consent.GIVEN and who.consent_version == TEXT_VERSION
        return Choice(is_given, who.wants_receipts)

    @asynccontextmanager
    async def asking(self, person: Person) -> AsyncIterator[bool]:
        """Whether the question is to be put in the block: once, also where two corrections come at a time.

        That it was put is stored when the block has ended; where it failed, the next correction asks.
        """
        key, now = (person.bot_id, person.user_id), self._now()
        if key in self._asking:
            yield False
            return
        self._asking.add(key)
        try:
            async with self._database.reading() as session:
                who = await contributors.find(session, *key)
            yield (asks := who is not None and is_to_be_asked(who))
            if asks:
                await self._set_asked(key, now)
        finally:
            self._asking.remove(key)

    async def choose(self, person: Person, *, given: bool, version: int, update_id: int) -> None:
        """Store a yes or a no to the text of `version`; a no is always taken.

        Raises:
            ConsentChangedError: a yes to a text that is not the present one.
            ForgottenError: the person was forgotten meanwhile.
        """
        if given and version != TEXT_VERSION:
            raise ConsentChangedError
        consent = Consent.GIVEN if given else Consent.WITHDRAWN
        async with self._database.transaction() as session:
            await require_open(session, person.bot_id, update_id)
            who = await contributors.get_or_create(session, person.bot_id, person.user_id, self._now())
            await contributors.set_consent(session, who.id, consent, TEXT_VERSION, self._now())
            await inbox.mark_done(session, person.bot_id, update_id)

    async def set_receipts(self, person: Person, *, wanted: bool, update_id: int) -> None:
        """Store whether a person wants to hear when a correction of theirs has helped.

        Raises:
            ForgottenError: the person was forgotten meanwhile.
        """
        async with self._database.transaction() as session:
            await require_open(session, person.bot_id, update_id)
            who = await contributors.get_or_create(session, person.bot_id, person.user_id, self._now())
            await contributors.set_receipts(session, who.id, wanted)
            await inbox.mark_done(session, person.bot_id, update_id)

    async def forget(self, person: Person, update_id: int) -> Erased:
        """Erase everything that a bot has of a person, and mark the versions that learned from it."""
        async with self._database.transaction() as session:
            erased = await contributors.forget(session, person.user_id, self._now(), bot_id=person.bot_id)
            await inbox.mark_done(session, person.bot_id, update_id)
        await self._scrub()
        return erased

    async def forget_everywhere(self, user_id: int) -> Erased:
        """The same, whichever bots used this database."""
        async with self._database.transaction() as session:
            erased = await contributors.forget(session, user_id, self._now())
        await self._scrub()
        return erased

    async def _set_asked(self, key: tuple[int, int], asked_at: datetime) -> None:
        async with self._database.transaction() as session:
            who = await contributors.find(session, *key)
            if who is not None:  # not forgotten meanwhile
                await contributors.set_asked(session, who.id, asked_at)

    async def _scrub(self) -> None:
        """Clear what lingers of what was erased; where that cannot be done yet, housekeeping does it soon."""
        try:
            await self._database.scrub()
        except StorageError as exc:
            log.warning("what was erased lingers in the files of the database: %s", exc)
