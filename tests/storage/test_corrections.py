"""What people say of predictions: history, undoing, review."""

import asyncio
from dataclasses import replace

import pytest

from storage import contributors, corrections, engine, labelled_glyphs, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import (
    ContributorNotFoundError,
    CorrectionNotCountingError,
    CorrectionNotFoundError,
    PredictionNotFoundError,
)
from storage.records import (
    Consent,
    CorrectionReason,
    CorrectionState,
    Decision,
    NewCorrection,
    StateChange,
)
from tests.storage.rows import (
    ANNA,
    BERT,
    BOT,
    CHAT,
    NOW,
    correction,
    later,
    new_prediction,
    person,
    prediction,
    version,
)


async def test_the_newest_correction_counts_and_older_ones_stay(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        shown = await prediction(session, keyring, await person(session))
        await correction(session, shown, "7")
        await correction(session, shown, "2")

    async with database.reading() as session:
        current = await corrections.current_for(session, shown.id, shown.contributor_id)
        history = await corrections.history(session, shown.id)
    assert current is not None
    assert current.digits == "2"
    assert [(one.digits, one.is_current) for one in history] == [("7", False), ("2", True)]


async def test_the_same_correction_again_changes_nothing(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        shown = await prediction(session, keyring, await person(session))
        first = await correction(session, shown, "7")
    async with database.transaction() as session:
        again = await correction(session, shown, "7", created_at=later(days=1))

    assert again == first
    async with database.reading() as session:
        assert len(await corrections.history(session, shown.id)) == 1


async def test_undo_brings_back_what_was_said_before(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        shown = await prediction(session, keyring, await person(session))
        first = await correction(session, shown, "7")
        second = await correction(session, shown, "2")

    for undone, left in [(second, first), (first, None)]:
        async with database.transaction() as session:
            found = await corrections.undo(session, undone.id, later(minutes=1))
        assert (found.is_current, found.undone_at) == (False, later(minutes=1))
        assert (found.state, found.reason) == (CorrectionState.WITHDRAWN, CorrectionReason.UNDONE)
        async with database.reading() as session:
            current = await corrections.current_for(session, shown.id, shown.contributor_id)
        assert (current and current.id) == (left and left.id)


async def test_a_note_on_segmentation_stays_beside_the_correction_that_counts(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, admin = await person(session, ANNA, Consent.GIVEN), await person(session, BERT)
        shown = await prediction(session, keyring, anna)
        seven = await correction(session, shown, "7")
        note = await correction(session, shown, "12")
        assert await correction(session, shown, "12") == note
        await correction(session, shown, "123", by=admin.id, by_admin=True)

    async with database.reading() as session:
        assert await corrections.current_for(session, shown.id, anna.id) == seven
        assert await corrections.counting_for(session, shown.id) == seven
        assert await corrections.last_for(session, shown.id, anna.id) == note
        assert await corrections.latest_of(session, anna.id, BOT, CHAT) == note
        assert [one.digits for one in await corrections.history(session, shown.id)] == ["7", "12", "123"]
        assert [glyph.label for glyph in await labelled_glyphs.draw(session, seed=0, maximum=10)] == [7]


async def test_undo_takes_back_a_note_or_what_was_said_before_it(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        shown = await prediction(session, keyring, await person(session))
        said = [await correction(session, shown, digits) for digits in ("7", "12", "2", "34")]

    for undone, counting, last in [(3, "2", "2"), (2, "7", "12"), (0, None, "12"), (1, None, None)]:
        async with database.transaction() as session:
            await corrections.undo(session, said[undone].id, NOW)
        async with database.reading() as session:
            counts = await corrections.counting_for(session, shown.id)
            newest = await corrections.last_for(session, shown.id, shown.contributor_id)
        assert (counts and counts.digits, newest and newest.digits) == (counting, last)


async def test_what_is_said_of_a_photo_without_glyphs_counts(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, served = await person(session), await version(session)
        new = replace(new_prediction(keyring, anna.id, served.id), digits="", glyphs=())
        shown = await predictions.save(session, replace(new, abstention="no_ink"))
        await correction(session, shown, "7")
        last = await correction(session, shown, "47")

    assert (last.is_current, last.labels_glyphs) == (True, False)


async def test_a_correction_that_comes_while_another_is_taken_back_counts(url: str, keyring: Keyring) -> None:
    """The same person presses twice, and two connections handle it."""
    first, second = engine.create(url), engine.create(url)
    async with first.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        shown = await prediction(session, keyring, anna)
        await correction(session, shown, "2")
        taken_back = await correction(session, shown, "3")

    async def correct() -> None:
        async with second.transaction() as session:
            await correction(session, shown, "4")

    async with first.transaction() as session:
        await corrections.undo(session, taken_back.id, NOW)
        correcting = asyncio.create_task(correct())
        await asyncio.sleep(0.5)
    await correcting

    async with first.reading() as session:
        counting = await corrections.counting_for(session, shown.id)
    assert counting is not None
    assert counting.digits == "4"
    await first.close()
    await second.close()


async def test_what_does_not_exist_is_named(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        shown = await prediction(session, keyring, await person(session))
        with pytest.raises(PredictionNotFoundError, match="no prediction with id 404"):
            await corrections.save(session, NewCorrection(404, 1, "7", NOW))
        with pytest.raises(ContributorNotFoundError, match="no contributor with id 404"):
            await corrections.save(session, NewCorrection(shown.id, 404, "7", NOW))
        with pytest.raises(CorrectionNotFoundError, match="no correction with id 404"):
            await corrections.undo(session, 404, NOW)


async def test_the_last_correction_of_a_person_in_a_chat_is_found(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        await correction(session, await prediction(session, keyring, anna, 1), "7")
        last = await correction(session, await prediction(session, keyring, anna, 2), "2")

    async with database.reading() as session:
        assert await corrections.latest_of(session, anna.id, BOT, CHAT) == last
        assert await corrections.latest_of(session, anna.id, BOT, CHAT + 1) is None


async def test_screening_sets_states_but_not_those_that_people_decided(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        free, decided, undone = [
            await correction(session, await prediction(session, keyring, anna, number)) for number in range(3)
        ]
        await corrections.decide(session, decided.id, Decision.ACCEPTED, BERT, NOW)
        await corrections.undo(session, undone.id, NOW)
        await corrections.set_states(
            session,
            [
                StateChange(one.id, CorrectionState.QUARANTINED, "model_is_sure")
                for one in (free, decided, undone)
            ],
        )

    async with database.reading() as session:
        states = [(await corrections.get(session, one.id)).state for one in (free, decided, undone)]
    assert states == [CorrectionState.QUARANTINED, CorrectionState.ACCEPTED, CorrectionState.WITHDRAWN]


async def test_what_is_quarantined_waits_for_a_reviewer(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, silent = await person(session, ANNA, Consent.GIVEN), await person(session, BERT)
        held = [
            await correction(
                session,
                await prediction(session, keyring, anna, number),
                state=CorrectionState.QUARANTINED,
                created_at=later(minutes=-number),
            )
            for number in range(3)
        ]
        unconsented = await prediction(session, keyring, silent, 50)
        await correction(session, unconsented, state=CorrectionState.QUARANTINED)

    async with database.transaction() as session:
        queue = await corrections.review_queue(session)
        assert [item.correction.id for item in queue] == [held[2].id, held[1].id, held[0].id]
        assert queue[0].prediction.glyphs[0].sealed is not None
        decided = await corrections.decide(session, held[2].id, Decision.REJECTED, BERT, later(hours=1))
        assert (decided.state, decided.reason) == (CorrectionState.REJECTED, CorrectionReason.REVIEWED)
        assert (decided.decided_by, decided.decided_at) == (BERT, later(hours=1))
        assert await corrections.review_count(session) == 2
        assert await corrections.review_count(session, consent_version=2) == 0
        assert await corrections.review_queue(session, consent_version=2) == []


async def test_nothing_is_decided_on_a_correction_that_does_not_count_any_more(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        shown = await prediction(session, keyring, anna, 1)
        replaced, undone = await correction(session, shown, "4"), await correction(session, shown, "5")
        await correction(session, shown, "6")
        await corrections.undo(session, undone.id, NOW)
        unconsented = await correction(session, await prediction(session, keyring, bert, 2))
        await contributors.set_consent(session, bert.id, Consent.WITHDRAWN, 1, NOW)
        gone = [replaced, undone, unconsented]
        before = [await corrections.get(session, one.id) for one in gone]

    async with database.transaction() as session:
        for one in gone:
            with pytest.raises(CorrectionNotCountingError, match="does not count any more"):
                await corrections.decide(session, one.id, Decision.ACCEPTED, BERT, later(hours=1))
    async with database.reading() as session:
        assert [await corrections.get(session, one.id) for one in gone] == before
