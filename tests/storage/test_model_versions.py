import asyncio

import pytest
from sqlalchemy import select

from storage import contributors, engine, model_versions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import (
    CheckpointGoneError,
    VersionForgottenError,
    VersionNotFoundError,
    VersionRefusedError,
    VersionUnconsentedError,
)
from storage.records import Consent, VersionState
from storage.tables import VersionCorrectionRow
from tests.storage.rows import (
    ANNA,
    BERT,
    BOT,
    NOW,
    correction,
    later,
    new_version,
    person,
    prediction,
    version,
)


async def test_a_version_comes_back_with_its_weights(database: Database) -> None:
    weights = bytes(range(256)) * 100
    async with database.transaction() as session:
        added = await version(session, weights)

    async with database.reading() as session:
        assert await model_versions.get(session, added.id) == added
        assert await model_versions.checkpoint_bytes(session, added.id) == weights
    assert (added.data, added.metrics) == ({"corrections": 3}, {"accuracy": 0.9969})
    assert (added.state, added.is_forgotten, added.has_checkpoint) == (VersionState.CANDIDATE, False, True)


async def test_what_comes_as_a_file_is_one_version_for_its_content(database: Database) -> None:
    async with database.transaction() as session:
        first, again, other = (
            await version(session, b"one"),
            await version(session, b"one"),
            await version(session, b"two"),
        )

    assert first == again
    assert other.id != first.id


async def test_what_two_processes_bring_as_a_file_at_once_is_one_version(url: str) -> None:
    """Both start for the first time, or after an update."""
    first, second = engine.create(url), engine.create(url)

    async def start(database: Database) -> int:
        async with database.transaction() as session:
            added = await version(session)
            await asyncio.sleep(0.3)
            return added.id

    try:
        ids = await asyncio.gather(start(first), start(second))
        assert ids[0] == ids[1]
    finally:
        await first.close()
        await second.close()


async def test_trainings_with_the_same_outcome_are_versions_of_their_own(database: Database) -> None:
    """Unlearning is exact: a training without somebody may give the very weights of one before them."""
    async with database.transaction() as session:
        root = await version(session)
        first, second = await version(session, b"tuned", root.id), await version(session, b"tuned", root.id)
        assert [one.id for one in await model_versions.newest(session, 2)] == [second.id, first.id]

    assert first.sha256 == second.sha256


async def test_what_was_promoted_last_serves_and_the_timeline_remembers(database: Database) -> None:
    async with database.transaction() as session:
        assert await model_versions.current(session) is None
        assert await model_versions.previous(session) is None
        root = await version(session)
        tuned = await version(session, b"tuned", root.id)
        await model_versions.promote(session, root.id, None, NOW, how="start")
        assert await model_versions.previous(session) is None
        await model_versions.promote(session, tuned.id, ANNA, later(hours=1))
        before = await model_versions.previous(session)
        assert before is not None
        await model_versions.promote(session, before.version_id, BERT, later(hours=2), how="rollback")

    async with database.reading() as session:
        current = await model_versions.current(session)
        timeline = await model_versions.timeline(session)
        states = [one.state for one in await model_versions.newest(session)]
    assert current == timeline[0]
    assert [(one.version_id, one.how, one.promoted_by, one.started_at) for one in timeline] == [
        (root.id, "rollback", BERT, later(hours=2)),
        (tuned.id, "promotion", ANNA, later(hours=1)),
        (root.id, "start", None, NOW),
    ]
    assert states == [VersionState.PROMOTED] * 2


async def test_what_the_gate_refused_does_not_serve(database: Database) -> None:
    async with database.transaction() as session:
        root = await version(session)
        tuned = await version(session, b"tuned", root.id)
        refused = await model_versions.set_state(
            session, tuned.id, VersionState.REFUSED, "digit 4 got worse", {"digit 4": -0.05}
        )
        assert (refused.reason, refused.metrics) == ("digit 4 got worse", {"digit 4": -0.05})
        with pytest.raises(VersionRefusedError, match="was refused by the gate"):
            await model_versions.promote(session, tuned.id, ANNA, NOW)
        assert await model_versions.current(session) is None


async def test_an_unknown_version_is_named(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(VersionNotFoundError, match="no model version with id 404"):
            await model_versions.checkpoint_bytes(session, 404)


async def test_weights_that_an_unmarked_version_shares_are_kept(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        hers = await correction(session, await prediction(session, keyring, anna, 1))
        his = await correction(session, await prediction(session, keyring, bert, 2))
        root = await version(session)
        await model_versions.promote(session, root.id, None, NOW)
        alone = await version(session, b"from anna", root.id)
        shared, same = await version(session, b"same", root.id), await version(session, b"same", root.id)
        await model_versions.record_learned(session, alone.id, [hers.id, his.id])
        await model_versions.record_learned(session, shared.id, [hers.id])
        await model_versions.record_learned(session, same.id, [his.id, his.id])
        erased = await contributors.forget(session, ANNA, NOW)

    assert erased.marked_versions == (alone.id, shared.id)
    async with database.reading() as session:
        assert await model_versions.checkpoint_bytes(session, same.id) == b"same"
        learned = select(VersionCorrectionRow.version_id, VersionCorrectionRow.correction_id)
        kept = await session.execute(learned)
        assert set(map(tuple, kept)) == {(same.id, his.id), (alone.id, his.id)}
        with pytest.raises(CheckpointGoneError, match="has no stored weights any more"):
            await model_versions.checkpoint_bytes(session, alone.id)


async def test_a_version_serves_for_the_first_time_only_if_the_owners_of_its_photos_agree(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        his_on_hers = await correction(session, await prediction(session, keyring, anna, 1), by=bert.id)
        root = await version(session)
        served, tuned = await version(session, b"old", root.id), await version(session, b"new", root.id)
        await model_versions.record_learned(session, served.id, [his_on_hers.id])
        await model_versions.record_learned(session, tuned.id, [his_on_hers.id])
        await model_versions.promote(session, served.id, None, NOW)
        await contributors.set_consent(session, bert.id, Consent.WITHDRAWN, 1, NOW)
        assert await model_versions.unconsented(session, [served.id, tuned.id]) == set()
        await contributors.set_consent(session, anna.id, Consent.WITHDRAWN, 1, NOW)
        assert await model_versions.unconsented(session, [served.id, tuned.id]) == {tuned.id}

    async with database.transaction() as session:
        with pytest.raises(VersionUnconsentedError):
            await model_versions.promote(session, tuned.id, None, NOW)
        await model_versions.promote(session, served.id, None, NOW, how="rollback")
        late = await version(session, b"late", root.id)
        with pytest.raises(VersionUnconsentedError):
            await model_versions.record_learned(session, late.id, [his_on_hers.id])


async def test_receipts_go_once_to_those_who_want_them(database: Database, keyring: Keyring) -> None:
    async with database.transaction() as session:
        anna, bert = await person(session, ANNA, Consent.GIVEN), await person(session, BERT, Consent.GIVEN)
        await contributors.set_receipts(session, anna.id, True)
        shown = await prediction(session, keyring, anna, 1)
        hers = await correction(session, shown)
        his = await correction(session, await prediction(session, keyring, bert, 2))
        tuned = await model_versions.add(session, new_version(b"tuned", (await version(session)).id))
        await model_versions.record_learned(session, tuned.id, [hers.id, his.id])

    async with database.transaction() as session:
        assert await model_versions.receipts_due(session, tuned.id, BOT + 1) == []
        (due,) = await model_versions.receipts_due(session, tuned.id, BOT)
        assert (due.contributor.user_id, due.correction, due.prediction) == (ANNA, hers, shown)
        await model_versions.mark_receipted(session, tuned.id, [hers.id], NOW)
    async with database.reading() as session:
        assert await model_versions.receipts_due(session, tuned.id, BOT) == []


async def test_a_version_forgotten_at_the_moment_of_its_promotion_does_not_serve_without_weights(
    database: Database, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        made = await correction(session, await prediction(session, keyring, anna))
        root = await version(session)
        tuned = await version(session, b"tuned", root.id)
        await model_versions.record_learned(session, tuned.id, [made.id])

    async def promote() -> None:
        async with database.transaction() as session:
            await model_versions.promote(session, tuned.id, None, NOW)

    async with database.transaction() as session:
        await contributors.forget(session, ANNA, NOW)
        promotion = asyncio.create_task(promote())
        await asyncio.sleep(0.3)  # it has begun before the forgetting is committed, and waits
    with pytest.raises(VersionForgottenError):
        await promotion
