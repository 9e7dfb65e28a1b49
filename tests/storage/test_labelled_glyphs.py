"""Which labelled glyphs may train, and how they are drawn and exported."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from storage import contributors, corrections, engine, labelled_glyphs, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.migration import migrate
from storage.records import (
    Consent,
    CorrectionReason,
    CorrectionState,
    Decision,
    LabelledGlyph,
    StateChange,
)
from tests.storage.rows import (
    ANNA,
    BERT,
    BOT,
    NOW,
    correction,
    later,
    new_prediction,
    person,
    pixels,
    prediction,
    version,
)


async def test_a_correction_of_another_length_labels_nothing(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        two = await correction(session, await prediction(session, keyring, anna, 1, "4"), "47")
        none = await correction(session, await prediction(session, keyring, anna, 2, "4"), "")
        lines = await correction(session, await prediction(session, keyring, anna, 3, "47"), "4\n1")

    assert (two.labels_glyphs, two.reason) == (False, CorrectionReason.OTHER_LENGTH)
    assert (none.labels_glyphs, none.labels) == (False, ())
    assert (lines.labels_glyphs, lines.labels) == (True, (4, 1))
    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(session, seed=0, maximum=10)
    assert [(glyph.correction_id, glyph.position, glyph.label) for glyph in drawn] == [
        (lines.id, 0, 4),
        (lines.id, 1, 1),
    ]


async def test_a_correction_of_glyphs_that_are_not_kept_trains_nothing(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, served = await person(session, consent=Consent.GIVEN), await version(session)
        new = new_prediction(keyring, anna.id, served.id)
        shown = await predictions.save(session, replace(new, glyphs=(replace(new.glyphs[0], sealed=None),)))
        made = await correction(session, shown, "7")

    assert (made.labels_glyphs, made.reason) == (True, CorrectionReason.NOT_KEPT)
    async with database.reading() as session:
        assert await labelled_glyphs.draw(session, seed=0, maximum=10) == []
        assert await labelled_glyphs.unscreened(session, keyring) == []


async def test_what_waits_for_screening_comes_oldest_first(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, silent = await person(session, ANNA, Consent.GIVEN), await person(session, BERT)
        new, old, screened = [
            await correction(
                session,
                await prediction(session, keyring, anna, number),
                created_at=later(minutes=-number),
            )
            for number in range(3)
        ]
        await corrections.set_states(session, [StateChange(screened.id, CorrectionState.ACCEPTED, None)])
        await correction(session, await prediction(session, keyring, silent, 9))

    async with database.reading() as session:
        waiting = await labelled_glyphs.unscreened(session, keyring)
        assert await labelled_glyphs.unscreened(session, keyring, 1) == waiting[:1]
    assert [glyph.correction_id for glyph in waiting] == [old.id, new.id]


async def test_what_is_under_a_lost_key_holds_no_screening_up(database: Database, keyring: Keyring) -> None:
    lost = Keyring([Fernet.generate_key()])
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        await correction(session, await prediction(session, lost, anna, 1), created_at=NOW)
        newer = await prediction(session, keyring, anna, 2)
        await correction(session, newer, created_at=later(hours=1))

    async with database.reading() as session:
        waiting = await labelled_glyphs.unscreened(session, keyring, limit=1)
    assert [glyph.prediction_id for glyph in waiting] == [newer.id]


async def test_an_admins_label_wins_over_the_owners(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, admin = await person(session, ANNA, Consent.GIVEN), await person(session, BERT)
        shown = await prediction(session, keyring, anna)
        await correction(session, shown, "7", by=admin.id, by_admin=True)
        await correction(session, shown, "2", created_at=later(days=1))

    async with database.reading() as session:
        counting = await corrections.counting_for(session, shown.id)
        drawn = await labelled_glyphs.draw(session, seed=0, maximum=10)
    assert counting is not None
    assert counting.digits == "7"
    assert [(glyph.label, glyph.is_trusted, glyph.owner_id) for glyph in drawn] == [(7, True, anna.id)]


async def test_only_photos_of_people_who_consented_train(database: Database, keyring: Keyring) -> None:
    """Whoever corrects: it is the consent of the person whose photo it is that counts."""
    async with database.transaction() as session:
        admin = await person(session, 9, Consent.GIVEN)
        for number, consent in enumerate(Consent):
            owner = await person(session, number, consent)
            await correction(session, await prediction(session, keyring, owner, 2 * number), "7")
            shown = await prediction(session, keyring, owner, 2 * number + 1)
            await correction(session, shown, "7", by=admin.id, by_admin=True)
        agreed = await contributors.find(session, BOT, list(Consent).index(Consent.GIVEN))

    assert agreed is not None
    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(session, seed=0, maximum=100)
        newer = await labelled_glyphs.draw(session, seed=0, maximum=100, consent_version=2)
    assert [glyph.owner_id for glyph in drawn] == [agreed.id] * 2
    assert newer == []


async def test_rejected_withdrawn_and_undone_corrections_do_not_train(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        made = {
            state: await correction(session, await prediction(session, keyring, anna, number), state=state)
            for number, state in enumerate(CorrectionState)
        }
        undone = await correction(session, await prediction(session, keyring, anna, 90))
        await corrections.undo(session, undone.id, NOW)

    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(session, seed=0, maximum=100)
        accepted = await labelled_glyphs.draw(
            session, seed=0, maximum=100, states=[CorrectionState.ACCEPTED, CorrectionState.REJECTED]
        )
    trainable = (CorrectionState.PENDING, CorrectionState.ACCEPTED, CorrectionState.QUARANTINED)
    assert {glyph.correction_id for glyph in drawn} == {made[state].id for state in trainable}
    assert [glyph.correction_id for glyph in accepted] == [made[CorrectionState.ACCEPTED].id]


async def teach(database: Database, keyring: Keyring, users: Sequence[int], each: int = 5) -> None:
    async with database.transaction() as session:
        for user_id in users:
            owner = await person(session, user_id, Consent.GIVEN)
            for number in range(each):
                shown = await prediction(session, keyring, owner, 1000 * user_id + number, "47")
                await correction(session, shown, f"{number % 10}1")


async def draw(database: Database, **options: int) -> list[LabelledGlyph]:
    async with database.reading() as session:
        return await labelled_glyphs.draw(session, **{"seed": 7, "maximum": 1000, **options})  # type: ignore[arg-type]


def said(glyphs: list[LabelledGlyph], keyring: Keyring) -> list[tuple[bytes, int]]:
    """What a draw teaches, without our ids."""
    return [(keyring.open(glyph.sealed), glyph.label) for glyph in glyphs]


async def test_a_draw_is_bounded_repeatable_and_depends_on_the_seed(
    database: Database, keyring: Keyring
) -> None:
    await teach(database, keyring, range(3))

    drawn = await draw(database, maximum=9)

    assert len(drawn) == 8  # two glyphs a correction
    assert await draw(database, maximum=9) == drawn
    others = [await draw(database, maximum=9, seed=seed) for seed in range(3)]
    assert any(other != drawn for other in others)
    everything = {glyph.glyph_id for glyph in await draw(database)}
    assert len(everything) == 3 * 5 * 2
    for seed in range(3):
        assert {glyph.glyph_id for glyph in await draw(database, seed=seed)} == everything


async def test_after_forgetting_a_draw_is_that_of_a_database_that_never_knew_the_person(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """In the other database all row ids differ."""
    await teach(sqlite_database, keyring, [1, 2, 3, 4])
    async with sqlite_database.transaction() as session:
        await contributors.forget(session, 2, NOW)
    migrate(f"sqlite:///{tmp_path / 'other.db'}")
    other = engine.create(f"sqlite:///{tmp_path / 'other.db'}")
    await teach(other, keyring, [4, 1, 3])

    assert said(await draw(sqlite_database, maximum=20), keyring) == said(
        await draw(other, maximum=20), keyring
    )
    await other.close()


async def test_a_draw_takes_a_few_of_one_person_and_day(database: Database, keyring: Keyring) -> None:
    await teach(database, keyring, [1, 2], each=4)
    async with database.transaction() as session:
        anna = await person(session, 1)
        shown = await prediction(session, keyring, anna, 5, created_at=later(days=1))
        await correction(session, shown, "7", created_at=later(days=1))

    drawn = await draw(database, per_person_and_day=3)

    taken = {(glyph.contributor_id, glyph.created_at.date(), glyph.correction_id) for glyph in drawn}
    assert len(taken) == 3 + 3 + 1


async def test_what_may_train_is_read_from_its_index(sqlite_database: Database) -> None:
    """A draw from a million corrections is fast because nothing is sorted."""
    statement = labelled_glyphs._page((5, 5), 100, [CorrectionState.ACCEPTED], None)
    sql = statement.compile(sqlite_database.engine.sync_engine, compile_kwargs={"literal_binds": True})

    async with sqlite_database.reading() as session:
        plan = [row.detail for row in await session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]

    assert plan[0].startswith("SEARCH corrections USING INDEX ix_corrections_drawn")
    assert not any("TEMP B-TREE" in line or line.startswith("SCAN") for line in plan), plan


async def test_new_corrections_are_counted_for_the_schedule(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        for number, state in enumerate([CorrectionState.ACCEPTED] * 3 + [CorrectionState.QUARANTINED] * 2):
            shown = await prediction(session, keyring, anna, number)
            await correction(session, shown, state=state, created_at=later(hours=number))

    async with database.transaction() as session:
        assert await labelled_glyphs.count_new_since(session, None) == 3
        assert await labelled_glyphs.count_new_since(session, later(hours=1)) == 1
        held = (await corrections.review_queue(session))[0].correction
        await corrections.decide(session, held.id, Decision.ACCEPTED, BERT, later(hours=9))
        assert await labelled_glyphs.count_new_since(session, later(hours=5)) == 1
        assert await labelled_glyphs.count_new_since(session, None, consent_version=2) == 0


async def test_what_is_consented_to_late_is_new_for_the_schedule(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session)
        await correction(session, await prediction(session, keyring, anna), state=CorrectionState.ACCEPTED)
        await contributors.set_consent(session, anna.id, Consent.GIVEN, 1, later(hours=3))

    async with database.reading() as session:
        assert await labelled_glyphs.count_new_since(session, later(hours=2)) == 1
        assert await labelled_glyphs.count_new_since(session, later(hours=4)) == 0


async def test_everything_accepted_is_exported_in_a_stable_order(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled_glyphs, "_LOADED", 4)
    monkeypatch.setattr(labelled_glyphs, "_SCANNED", 3)
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        for number in range(11):
            shown = await prediction(session, keyring, anna, number)
            state = CorrectionState.ACCEPTED if number else CorrectionState.PENDING
            await correction(session, shown, str(number % 10), state=state)

    async with database.reading() as session:
        exported = [glyph async for glyph in labelled_glyphs.export(session)]
        again = [glyph async for glyph in labelled_glyphs.export(session)]
    assert exported == again
    assert {(keyring.open(glyph.sealed), glyph.label) for glyph in exported} == {
        (pixels(100 * number), number % 10) for number in range(1, 11)
    }
