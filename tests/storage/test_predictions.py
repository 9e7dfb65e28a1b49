import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import event, func, insert, select, text

from storage import contributors, labelled_glyphs, model_versions, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import ConstraintError, PredictionNotFoundError
from storage.records import Consent, Screening
from storage.tables import ContributorRow, GlyphRow, PredictionRow
from tests.storage.rows import (
    ANNA,
    BERT,
    BOT,
    CHAT,
    NOW,
    correction,
    later,
    new_prediction,
    new_version,
    person,
    pixels,
    prediction,
    version,
)


async def test_what_is_stored_comes_back_to_the_bit(database: Database, keyring: Keyring) -> None:
    third = 1 / 3
    async with database.transaction() as session:
        anna, served = await person(session), await version(session)
        new = new_prediction(keyring, anna.id, served.id, digits="40\n7".replace("\n", ""))
        new = replace(
            new,
            digits="40\n7",
            confidence=third,
            glyphs=(
                *new.glyphs[:2],
                replace(new.glyphs[2], line=1, probabilities=(third, *(2e-17 * third,) * 9)),
            ),
            measured={"contrast": third, "marks": 3},
        )
        saved = await predictions.save(session, new)

    async with database.reading() as session:
        found = await predictions.get(session, saved.id)

    assert found == saved
    assert (found.digits, found.confidence, found.created_at) == ("40\n7", third, NOW)
    assert found.glyphs[2].probabilities == (third, *(2e-17 * third,) * 9)
    assert [glyph.line for glyph in found.glyphs] == [0, 0, 1]
    assert found.glyphs[0].sealed is not None
    assert keyring.open(found.glyphs[0].sealed) == pixels(1000)
    assert (found.measured, found.environment) == ({"contrast": third, "marks": 3}, {"numpy": "2.3"})


async def test_times_are_utc_whatever_zone_they_came_in(database: Database, keyring: Keyring) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    async with database.transaction() as session:
        saved = await prediction(session, keyring, await person(session), created_at=elsewhere)

    async with database.reading() as session:
        found = await predictions.get(session, saved.id)
    assert found.created_at == NOW
    assert found.created_at.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(database: Database, keyring: Keyring) -> None:
    with pytest.raises(Exception, match="expected a datetime with a time zone"):
        async with database.transaction() as session:
            await prediction(
                session,
                keyring,
                await person(session),
                created_at=datetime(2026, 1, 1),  # noqa: DTZ001
            )


async def test_the_same_photo_again_changes_nothing(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        first = await prediction(session, keyring, await person(session), digits="1")
    async with database.transaction() as session:
        second = await prediction(session, keyring, await person(session), digits="7")

    assert second == first
    async with database.reading() as session:
        assert await session.scalar(select(func.count(PredictionRow.id))) == 1


async def test_an_edited_photo_supersedes(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        first = await prediction(session, keyring, anna, file="before")
        second = await prediction(session, keyring, anna, digits="2", file="after")

    async with database.reading() as session:
        assert (await predictions.get(session, first.id)).is_superseded
        assert await predictions.find_by_message(session, BOT, CHAT, 10) == second
        assert await predictions.latest_of(session, BOT, CHAT, anna.id) == second


async def test_a_photo_that_is_put_back_counts_again(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        first = await prediction(session, keyring, anna, file="before")
        second = await prediction(session, keyring, anna, digits="2", file="after")
        again = await prediction(session, keyring, anna, file="before")

    assert again == first
    async with database.reading() as session:
        assert (await predictions.get(session, second.id)).is_superseded
        assert await predictions.find_by_message(session, BOT, CHAT, 10) == first
        assert await predictions.latest_of(session, BOT, CHAT, anna.id) == first


async def test_a_reading_is_found_by_its_photo_and_by_its_answer(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        saved = await prediction(session, keyring, await person(session))
        await predictions.set_answer(session, saved.id, 11)

    async with database.reading() as session:
        by_photo = await predictions.find_by_message(session, BOT, CHAT, 10)
        by_answer = await predictions.find_by_message(session, BOT, CHAT, 11)
        assert by_photo == by_answer == replace(saved, answer_message_id=11)
        assert await predictions.find_by_message(session, BOT, CHAT, 12) is None
        assert await predictions.find_by_message(session, BOT, CHAT + 1, 10) is None
        assert await predictions.find_by_message(session, BOT + 1, CHAT, 10) is None


async def test_a_reading_is_found_without_looking_at_all_others_of_its_chat(
    sqlite_database: Database,
) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object
    ) -> None:
        asked.append((statement, parameters))

    event.listen(sqlite_database.engine.sync_engine, "before_cursor_execute", note)
    async with sqlite_database.reading() as session:
        await predictions.find_by_message(session, BOT, CHAT, 10)
    statement, parameters = asked[-1]

    assert sqlite_database.path is not None
    with closing(sqlite3.connect(sqlite_database.path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    by_index = [step for step in plan if "INDEX" in step and "(bot_id" in step]
    assert len(by_index) == 2
    assert all("message_id=?" in step for step in by_index)


async def test_the_latest_reading_is_that_of_the_person_in_the_chat(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA), await person(session, BERT)
        await prediction(session, keyring, anna, 10)
        latest = await prediction(session, keyring, anna, 12)
        await prediction(session, keyring, bert, 14)

    async with database.reading() as session:
        assert await predictions.latest_of(session, BOT, CHAT, anna.id) == latest
        assert await predictions.latest_of(session, BOT, CHAT + 1, anna.id) is None


async def test_a_reading_may_be_stored_without_its_pixels(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, served = await person(session), await version(session)
        new = new_prediction(keyring, anna.id, served.id)
        saved = await predictions.save(session, replace(new, glyphs=(replace(new.glyphs[0], sealed=None),)))

    assert saved.glyphs[0].sealed is None


async def test_an_abstention_is_stored_with_its_reason(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, served = await person(session), await version(session)
        new = replace(
            new_prediction(keyring, anna.id, served.id, digits=""),
            confidence=0.0,
            abstention="too_many_marks",
            measured={"marks": 9},
        )
        saved = await predictions.save(session, new)

    assert (saved.digits, saved.glyphs, saved.abstention) == ("", (), "too_many_marks")


@pytest.mark.parametrize("digits", ["x", "1 2", "1\t2", "²"])
async def test_only_digits_are_digits(database: Database, keyring: Keyring, digits: str) -> None:
    async with database.transaction() as session:
        anna, served = await person(session), await version(session)
    new = replace(new_prediction(keyring, anna.id, served.id), digits=digits)

    with pytest.raises(ConstraintError, match="digits_only"):
        async with database.transaction() as session:
            await predictions.save(session, new)


async def test_an_id_that_is_unknown_is_named(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(PredictionNotFoundError, match="no prediction with id 404"):
            await predictions.get(session, 404)


async def test_ids_of_erased_readings_are_never_used_again(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        first = await prediction(session, keyring, anna)
        await contributors.forget(session, ANNA, NOW)
    async with database.transaction() as session:
        second = await prediction(session, keyring, await person(session))

    assert second.id > first.id


async def test_what_screening_read_is_kept(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        saved = await prediction(session, keyring, anna, digits="47")
        await correction(session, saved, "41")
        await predictions.set_screening(session, "ab" * 32, [Screening(saved.glyphs[1].id, 7, 0.97)])

    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(session, seed=0, maximum=10)
    assert [(glyph.screened_by, glyph.screened_digit, glyph.screened_confidence) for glyph in drawn] == [
        (None, None, None),
        ("ab" * 32, 7, 0.97),
    ]


async def test_what_screening_read_in_a_glyph_that_was_erased_meanwhile_is_dropped(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA), await person(session, BERT)
        hers, his = await prediction(session, keyring, anna, 1), await prediction(session, keyring, bert, 2)
        await contributors.forget(session, ANNA, NOW)

    async with database.transaction() as session:
        read = [Screening(one.glyphs[0].id, 7, 0.97) for one in (hers, his)]
        await predictions.set_screening(session, "ab" * 32, read)

    async with database.reading() as session:
        assert list(await session.scalars(select(GlyphRow.screened_digit))) == [7]


async def test_readings_expire_unless_their_owner_consented(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        silent, said_no = await person(session, 1), await person(session, 2, Consent.WITHDRAWN)
        agreed, recent = await person(session, 3, Consent.GIVEN), await person(session, 4)
        for message_id, (owner, created_at) in enumerate(
            [(silent, NOW), (said_no, NOW), (agreed, NOW), (recent, later(days=2))]
        ):
            shown = await prediction(session, keyring, owner, message_id, created_at=created_at)
            await correction(session, shown)
    async with database.transaction() as session:
        erased = await predictions.delete_expired(session, later(days=1), later(days=31))

    assert (erased.predictions, erased.corrections, erased.contributors) == (2, 2, 1)
    async with database.reading() as session:
        assert list(await session.scalars(select(PredictionRow.message_id).order_by(PredictionRow.id))) == [
            2,
            3,
        ]
        assert len(list(await session.scalars(select(GlyphRow)))) == 2
        people = select(ContributorRow.user_id).order_by(ContributorRow.id)
        assert list(await session.scalars(people)) == [2, 3, 4]  # a "no" is remembered


async def test_very_many_people_of_whom_nothing_is_left_expire_at_once(database: Database) -> None:
    """More than a statement takes as parameters."""
    never_read = {"bot_id": BOT, "consent": Consent.NOT_ASKED, "wants_receipts": False, "created_at": NOW}
    async with database.transaction() as session:
        people = [{**never_read, "user_id": user_id} for user_id in range(66_000)]
        await session.execute(insert(ContributorRow), people)
    async with database.transaction() as session:
        erased = await predictions.delete_expired(session, later(days=1), later(days=31))

    assert erased.contributors == 66_000


async def test_versions_that_learned_from_what_expires_are_marked(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        taught = await correction(session, await prediction(session, keyring, anna))
        root = await version(session)
        tuned = await model_versions.add(session, new_version(b"tuned", root.id))
        await model_versions.record_learned(session, tuned.id, [taught.id])
        await contributors.set_consent(session, anna.id, Consent.WITHDRAWN, 1, NOW)
        erased = await predictions.delete_expired(session, later(days=1), later(days=31))

    assert erased.marked_versions == (tuned.id,)


async def test_a_glyph_cannot_outlive_its_reading(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        await prediction(session, keyring, await person(session))
        await session.execute(text("DELETE FROM predictions"))
        assert list(await session.scalars(select(GlyphRow.id))) == []
