import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text

from storage import (
    contributors,
    corrections,
    engine,
    inbox,
    labelled_glyphs,
    model_versions,
    predictions,
    runs,
)
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import ContributorNotFoundError, VersionForgottenError
from storage.migration import migrate
from storage.records import (
    Consent,
    CorrectionReason,
    CorrectionState,
    Decision,
    InboxState,
    NewTrainingRun,
    NewUpdate,
)
from storage.tables import Base, ContributorRow
from tests.storage.rows import (
    ANNA,
    BERT,
    BOT,
    CHAT,
    NOW,
    correction,
    later,
    new_version,
    person,
    prediction,
    version,
)


async def test_a_person_is_known_by_bot_and_id(database: Database) -> None:
    async with database.transaction() as session:
        first = await contributors.get_or_create(session, BOT, ANNA, NOW)
        again = await contributors.get_or_create(session, BOT, ANNA, later(days=1))
        elsewhere = await contributors.get_or_create(session, BOT + 1, ANNA, NOW)

    assert first == again
    assert (first.consent, first.asked_at, first.wants_receipts) == (Consent.NOT_ASKED, None, False)
    assert elsewhere.id != first.id
    async with database.reading() as session:
        assert await contributors.find(session, BOT, ANNA) == first
        assert await contributors.find(session, BOT, BERT) is None
        assert await contributors.get(session, first.id) == first


async def test_choices_are_remembered(database: Database) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        await contributors.set_asked(session, anna.id, NOW)
        await contributors.set_receipts(session, anna.id, True)
        await contributors.set_consent(session, anna.id, Consent.GIVEN, 3, later(minutes=1))

    async with database.reading() as session:
        found = await contributors.get(session, anna.id)
    assert (found.consent, found.consent_version, found.consent_at) == (Consent.GIVEN, 3, later(minutes=1))
    assert (found.asked_at, found.wants_receipts) == (NOW, True)


async def test_an_unknown_person_is_named(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(ContributorNotFoundError, match="no contributor with id 404"):
            await contributors.set_asked(session, 404, NOW)


async def test_of_a_yes_and_a_no_at_a_time_the_last_one_counts(database: Database) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.WITHDRAWN)

    async def say_no() -> None:
        async with database.transaction() as session:
            known = await contributors.get_or_create(session, BOT, ANNA, NOW)
            await contributors.set_consent(session, known.id, Consent.WITHDRAWN, 1, later(minutes=1))

    async with database.transaction() as session:
        await contributors.set_consent(session, anna.id, Consent.GIVEN, 1, NOW)
        no = asyncio.create_task(say_no())
        await asyncio.sleep(0.3)  # it has begun before the yes is committed, and waits
    await no

    async with database.reading() as session:
        assert (await contributors.get(session, anna.id)).consent is Consent.WITHDRAWN


async def test_corrections_follow_consent(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        made = [
            await correction(session, await prediction(session, keyring, anna, number), state=state)
            for number, state in enumerate(
                [CorrectionState.ACCEPTED, CorrectionState.QUARANTINED, CorrectionState.REJECTED]
            )
        ]

    async def states() -> list[tuple[CorrectionState, str | None]]:
        async with database.reading() as session:
            found = [await corrections.get(session, one.id) for one in made]
        return [(one.state, one.reason) for one in found]

    async with database.transaction() as session:
        await contributors.set_consent(session, anna.id, Consent.WITHDRAWN, 1, NOW)
    withdrawn = (CorrectionState.WITHDRAWN, CorrectionReason.CONSENT_WITHDRAWN)
    rejected = (CorrectionState.REJECTED, None)
    assert await states() == [withdrawn, withdrawn, rejected]

    async with database.transaction() as session:
        await contributors.set_consent(session, anna.id, Consent.GIVEN, 1, NOW)
    pending = (CorrectionState.PENDING, None)
    assert await states() == [pending, pending, rejected]


async def test_what_a_reviewer_accepted_is_accepted_again_when_its_owner_consents_again(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        made = await correction(session, await prediction(session, keyring, anna))
        accepted = await corrections.decide(session, made.id, Decision.ACCEPTED, BERT, NOW)
        await contributors.set_consent(session, anna.id, Consent.WITHDRAWN, 1, NOW)
    async with database.transaction() as session:
        assert [glyph async for glyph in labelled_glyphs.export(session)] == []
        await contributors.set_consent(session, anna.id, Consent.GIVEN, 1, NOW)

    async with database.reading() as session:
        assert await corrections.get(session, made.id) == accepted
        assert len([glyph async for glyph in labelled_glyphs.export(session)]) == 1


async def fill(database: Database, keyring: Keyring) -> int:
    """Anna and Bert in every table; the id of the version that learned from Anna."""
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        shown = await prediction(session, keyring, anna, 10, "47")
        berts = await prediction(session, keyring, bert, 20)
        taught = await correction(session, shown, "41")
        await correction(session, berts, "9")
        hers_on_berts = await correction(session, berts, "1", by=anna.id, by_admin=True)
        await corrections.decide(session, hers_on_berts.id, Decision.ACCEPTED, ANNA, NOW)
        root = await version(session)
        tuned = await model_versions.add(session, new_version(b"tuned", root.id))
        await model_versions.record_learned(session, tuned.id, [taught.id])
        await model_versions.promote(session, tuned.id, ANNA, NOW)
        await runs.request(session, NewTrainingRun("command", NOW, requested_by=ANNA))
        await inbox.put(session, BOT, [NewUpdate(1, {"from": ANNA}, ANNA), NewUpdate(2, {}, BERT)], NOW)
    return tuned.id


async def test_forgetting_erases_a_person_from_every_table(database: Database, keyring: Keyring) -> None:
    tuned_id = await fill(database, keyring)

    async with database.transaction() as session:
        erased = await contributors.forget(session, ANNA, later(days=1))

    assert (erased.contributors, erased.predictions, erased.corrections) == (1, 1, 2)
    assert erased.marked_versions == (tuned_id,)
    async with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in (await session.execute(select(table))).mappings():
                for column, value in row.items():
                    assert str(ANNA) not in str(value), (table.name, column)
        bert = await contributors.find(session, BOT, BERT)
        assert bert is not None
        berts = await predictions.find_by_message(session, BOT, CHAT, 20)
        assert berts is not None
        kept = await corrections.current_for(session, berts.id, bert.id)
        assert kept is not None
        assert kept.digits == "9"
        assert [one.update_id for one in await inbox.open_updates(session, BOT)] == [2]
        hers = await inbox.find(session, BOT, 1)
        assert hers is not None
        assert (hers.state, dict(hers.payload), hers.user_id) == (InboxState.DONE, {}, None)


async def test_who_never_sent_a_photo_is_forgotten_as_well(database: Database, keyring: Keyring) -> None:
    """An administrator leaves their id behind; of somebody new an update waits to be handled."""
    async with database.transaction() as session:
        bert = await person(session, BERT, Consent.GIVEN)
        reviewed = await correction(session, await prediction(session, keyring, bert))
        await corrections.decide(session, reviewed.id, Decision.ACCEPTED, ANNA, NOW)
        await model_versions.promote(session, (await version(session)).id, ANNA, NOW)
        await runs.request(session, NewTrainingRun("command", NOW, requested_by=ANNA))
        await inbox.put(session, BOT, [NewUpdate(1, {"from": ANNA}, ANNA)], NOW)

    async with database.transaction() as session:
        erased = await contributors.forget(session, ANNA, NOW, bot_id=BOT)

    assert (erased.contributors, erased.predictions, erased.corrections) == (0, 0, 0)
    async with database.reading() as session:
        assert await inbox.open_updates(session, BOT) == []
        serving, run = await model_versions.current(session), await runs.latest(session)
        assert (await corrections.get(session, reviewed.id)).decided_by is None
    assert serving is not None
    assert run is not None
    assert (serving.promoted_by, run.requested_by) == (None, None)


async def test_a_person_is_forgotten_by_one_bot_or_by_all(database: Database) -> None:
    async with database.transaction() as session:
        for bot_id in (BOT, BOT + 1, BOT + 2):
            await contributors.get_or_create(session, bot_id, ANNA, NOW)
            await inbox.put(session, bot_id, [NewUpdate(1, {"from": ANNA}, ANNA)], NOW)

    async def known_to() -> tuple[list[int], list[int]]:
        async with database.reading() as session:
            bots = list(await session.scalars(select(ContributorRow.bot_id).order_by(ContributorRow.bot_id)))
            return bots, [bot for bot in range(BOT, BOT + 3) if await inbox.open_updates(session, bot)]

    async with database.transaction() as session:
        await contributors.forget(session, ANNA, NOW, bot_id=BOT)
    assert await known_to() == ([BOT + 1, BOT + 2],) * 2

    async with database.transaction() as session:
        await contributors.forget(session, ANNA, NOW)
    assert await known_to() == ([], [])


async def test_who_is_made_known_while_they_are_forgotten_is_forgotten(url: str) -> None:
    """The first update of somebody is being handled."""
    handler, forgetter = engine.create(url), engine.create(url)
    async with handler.transaction() as session:
        await inbox.put(session, BOT, [NewUpdate(1, {}, ANNA)], NOW)

    async def forget() -> None:
        async with forgetter.transaction() as session:
            await contributors.forget(session, ANNA, NOW, bot_id=BOT)

    async with handler.transaction() as session:
        assert await inbox.is_open(session, BOT, 1)
        forgetting = asyncio.create_task(forget())
        await asyncio.sleep(0.5)
        await contributors.get_or_create(session, BOT, ANNA, NOW)
    await forgetting

    async with handler.reading() as session:
        assert await contributors.find(session, BOT, ANNA) is None
    await handler.close()
    await forgetter.close()


async def test_a_training_that_stores_what_it_learned_while_somebody_leaves_is_marked(
    url: str, keyring: Keyring
) -> None:
    """Two processes: one is about to commit what it learned from Anna when the other forgets her."""
    trainer, bot = engine.create(url), engine.create(url)
    async with trainer.transaction() as session:
        anna = await person(session, ANNA, Consent.GIVEN)
        taught = await correction(session, await prediction(session, keyring, anna))
        root = await version(session)

    async def forget() -> None:
        async with bot.transaction() as session:
            await contributors.forget(session, ANNA, NOW)

    async with trainer.transaction() as session:
        tuned = await model_versions.add(session, new_version(b"tuned", root.id))
        await model_versions.record_learned(session, tuned.id, [taught.id])
        forgetting = asyncio.create_task(forget())
        await asyncio.sleep(0.5)
    await forgetting

    async with trainer.reading() as session:
        assert (await model_versions.get(session, tuned.id)).is_forgotten
    await trainer.close()
    await bot.close()


async def test_a_version_that_learned_from_a_forgotten_person_serves_until_replaced_and_never_again(
    database: Database, keyring: Keyring
) -> None:
    tuned_id = await fill(database, keyring)
    async with database.transaction() as session:
        await contributors.forget(session, ANNA, later(days=1))
        serving = await model_versions.current(session)
        assert serving is not None
        assert serving.version_id == tuned_id
        assert await model_versions.checkpoint_bytes(session, tuned_id) == b"tuned"
        root = await version(session)
        await model_versions.promote(session, root.id, None, later(days=2))

    async with database.transaction() as session:
        marked = await model_versions.get(session, tuned_id)
        assert (marked.is_forgotten, marked.has_checkpoint) == (True, False)
        with pytest.raises(VersionForgottenError, match="asked to be forgotten"):
            await model_versions.promote(session, tuned_id, None, later(days=3))


def traces(file: Path, needles: dict[str, bytes]) -> set[str]:
    """The needles that any file of an SQLite database holds."""
    content = b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    return {name for name, needle in needles.items() if needle in content}


async def test_nothing_of_a_forgotten_person_is_left_in_the_file(
    sqlite_database: Database, keyring: Keyring
) -> None:
    """The raw bytes are searched, among enough other rows that pages were split and merged."""
    async with sqlite_database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        theirs = []
        for number in range(60):
            owner = anna if number % 3 == 0 else bert
            file = f"photo-of-{owner.user_id}-{number}"
            shown = await prediction(session, keyring, owner, number, "47", file=file)
            await correction(session, shown, "41")
            theirs += [shown] if owner is anna else []
        update = NewUpdate(1, {"text": "my secret words"}, ANNA)
        await inbox.put(session, BOT, [update], NOW)
        other = await prediction(session, keyring, bert, 99)
    needles = {"id": ANNA.to_bytes(6, "big"), "words": b"my secret words", "file": b"photo-of-5300000001"}
    for shown in theirs:
        for glyph in shown.glyphs:
            assert glyph.sealed is not None
            needles[f"token {glyph.id}"] = glyph.sealed.token[30:62]
    assert sqlite_database.path is not None
    assert traces(sqlite_database.path, needles) == set(needles)

    async with sqlite_database.transaction() as session:
        await contributors.forget(session, ANNA, NOW)
    assert await sqlite_database.scrub()

    assert traces(sqlite_database.path, needles) == set()
    assert other.glyphs[0].sealed is not None
    assert traces(sqlite_database.path, {"other": other.glyphs[0].sealed.token}) == {"other"}


async def vacuumed(database: Database) -> set[str]:
    """The tables of a PostgreSQL database that were vacuumed."""
    async with database.reading() as session:
        names = await session.scalars(
            text("SELECT relname FROM pg_stat_user_tables WHERE last_vacuum IS NOT NULL")
        )
    return set(names)


async def test_scrubbing_vacuums_postgresql_but_for_what_somebody_holds(empty_postgresql: str) -> None:
    migrate(empty_postgresql)
    database = engine.create(empty_postgresql)

    async with database.transaction() as session:
        await session.execute(text("LOCK TABLE glyphs IN SHARE UPDATE EXCLUSIVE MODE"))
        assert await database.scrub()
    assert set(Base.metadata.tables) - await vacuumed(database) == {"glyphs"}

    assert await database.scrub()
    assert set(Base.metadata.tables) <= await vacuumed(database)
    await database.close()


async def test_scrubbing_says_when_a_reader_is_in_the_way(
    sqlite_database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_database.transaction() as session:
        anna = await person(session)
    async with sqlite_database.reading() as reader:
        await contributors.get(reader, anna.id)
        async with sqlite_database.transaction() as session:
            await session.execute(text("UPDATE contributors SET user_id = 4"))
        async with sqlite_database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        assert not await sqlite_database.scrub()

    assert await sqlite_database.scrub()
