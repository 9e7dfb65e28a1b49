"""Correct a reading, take a correction back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import NotAReadingError, NothingToCorrectError, NothingToUndoError, NotYoursError
from bot.services.consent import is_to_be_asked
from bot.services.people import Person
from storage import contributors, corrections, inbox, predictions
from storage.engine import Database
from storage.errors import PredictionNotFoundError
from storage.records import CorrectionRecord, NewCorrection, PredictionRecord


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction as stored.

    Attributes:
        counting: what counts now; another one where this is a note on segmentation, or an admin's wins.
        asks_consent: the person has corrected a photo of theirs and is to be asked whether that may train.
    """

    prediction: PredictionRecord
    correction: CorrectionRecord
    counting: CorrectionRecord | None
    asks_consent: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """A correction that was taken back, the reading it was about, and the correction that counts now."""

    prediction: PredictionRecord
    correction: CorrectionRecord
    counting: CorrectionRecord | None


class CorrectionService:
    """What people say that photos show. The answer changes at once, the network only by a promotion."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def find(self, person: Person, chat_id: int, message_id: int) -> PredictionRecord:
        """The reading that a message belongs to: a photo, or the answer to one.

        Raises:
            NotAReadingError: it belongs to none.
        """
        async with self._database.reading() as session:
            found = await predictions.find_by_message(session, person.bot_id, chat_id, message_id)
        if found is None:
            raise NotAReadingError
        return found

    async def latest(self, person: Person, chat_id: int) -> PredictionRecord:
        """The last reading of a person in a chat.

        Raises:
            NothingToCorrectError: there is none.
        """
        async with self._database.reading() as session:
            who = await contributors.find(session, person.bot_id, person.user_id)
            found = None
            if who is not None:
                found = await predictions.latest_of(session, person.bot_id, chat_id, who.id)
        if found is None:
            raise NothingToCorrectError
        return found

    async def correct(self, person: Person, prediction_id: int, digits: str, *, in_chat: int) -> Corrected:
        """Store what a person says a prediction shows; "" says that it shows no digit.

        The newest one counts, older ones stay as history. Said again it changes nothing, so the update that
        says so may stay open until its answer is out, and come again after a crash.

        Args:
            person: the owner of the photo, or an administrator, whose word wins.
            prediction_id: may come from a button, and so from anybody: nothing in it is believed.
            digits: 0 to 9, lines joined by a newline.
            in_chat: where it was said; readings of other chats are out of reach.

        Raises:
            NotAReadingError: there is no such reading in this chat.
            NotYoursError: it is somebody else's.
        """
        async with self._database.transaction() as session:
            prediction = await _reading_in(session, person, prediction_id, in_chat)
            who = await contributors.get_or_create(session, person.bot_id, person.user_id, self._now())
            if prediction.contributor_id != who.id and not person.is_admin:
                raise NotYoursError
            correction = await corrections.save(
                session,
                NewCorrection(
                    prediction_id=prediction.id,
                    contributor_id=who.id,
                    digits=digits,
                    created_at=self._now(),
                    by_admin=person.is_admin,
                ),
            )
            counting = await corrections.counting_for(session, prediction.id)
        is_own = prediction.contributor_id == who.id
        return Corrected(prediction, correction, counting, is_own and is_to_be_asked(who))

    async def standing(self, prediction_id: int) -> tuple[PredictionRecord, CorrectionRecord | None]:
        """A reading as it is now, and the correction of it that counts.

        Raises:
            NotAReadingError: it was deleted.
        """
        async with self._database.reading() as session:
            try:
                prediction = await predictions.get(session, prediction_id)
            except PredictionNotFoundError as exc:
                raise NotAReadingError from exc
            return prediction, await corrections.counting_for(session, prediction_id)

    async def undo(
        self,
        person: Person,
        *,
        in_chat: int,
        update_id: int,
        prediction_id: int | None = None,
        shown: bool = False,
    ) -> Undone:
        """Take back what a person said last of one reading, or in this chat; what came before counts again.

        Args:
            person: only their own corrections.
            in_chat: where it is asked for.
            update_id: which asks for it, and is done with it.
            prediction_id: the reading; without it the last correction in the chat.
            shown: take back what the answer shows instead, which is never a note on segmentation.

        Raises:
            NotAReadingError: there is no such reading in this chat.
            NothingToUndoError: there is no correction of theirs.
        """
        async with self._database.transaction() as session:
            who = await contributors.find(session, person.bot_id, person.user_id)
            if who is None:
                raise NothingToUndoError
            if prediction_id is None:
                current = await corrections.latest_of(session, who.id, person.bot_id, in_chat)
            else:
                await _reading_in(session, person, prediction_id, in_chat)
                find = corrections.current_for if shown else corrections.last_for
                current = await find(session, prediction_id, who.id)
            if current is None:
                raise NothingToUndoError
            undone = await corrections.undo(session, current.id, self._now())
            prediction = await predictions.get(session, undone.prediction_id)
            counting = await corrections.counting_for(session, prediction.id)
            await inbox.mark_done(session, person.bot_id, update_id)
        return Undone(prediction, undone, counting)


async def _reading_in(
    session: AsyncSession, person: Person, prediction_id: int, chat_id: int
) -> PredictionRecord:
    """A reading of this bot in this chat. Raises `NotAReadingError` for any other."""
    try:
        prediction = await predictions.get(session, prediction_id)
    except PredictionNotFoundError as exc:
        raise NotAReadingError from exc
    if (prediction.bot_id, prediction.chat_id) != (person.bot_id, chat_id):
        raise NotAReadingError
    return prediction
