"""Learning from corrections end to end: real database, real training processes, small trainings."""

import asyncio
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot import i18n, learning_replies
from bot.config import Learning
from bot.errors import NothingToLearnError, NothingToRollBackToError
from bot.services.champion import Champion
from bot.services.learning import LEASE, Progress
from bot.services.receipts import ReceiptService
from bot.services.replays import ReplayService
from model.learning import handwriting, mnist
from model.learning.styles import Style
from model.nn import checkpoint
from storage import contributors, labelled_glyphs, runs
from storage.engine import Database
from storage.errors import (
    DatabaseUnavailableError,
    RunInProgressError,
    VersionForgottenError,
    VersionUnconsentedError,
)
from storage.records import CorrectionState, NewTrainingRun, RunState, TrainingRunRecord, VersionState
from tests.bot.conftest import config_in, in_background, running_in
from tests.bot.person import PATIENCE, says
from tests.bot.school import BOT, LONG, Clock, School, found

ADMIN = 1


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Renderings that all trainings of a test run share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def misread() -> list[tuple[NDArray[np.uint8], int]]:
    """Glyphs with their digits that the shipped network reads as another digit, and is not sure of."""
    network = checkpoint.shipped("reader").network
    rng = np.random.default_rng(3)
    found: list[tuple[NDArray[np.uint8], int]] = []
    for seed in range(5_000):
        digit = seed % 10
        style = Style.random(np.random.default_rng(seed), strength=1.3)
        glyph = style.write(handwriting.draw([digit], rng)[0], digit)
        probabilities = network.probabilities(glyph.reshape(1, 784).astype(np.float32) / np.float32(255))[0]
        if probabilities.argmax() != digit and probabilities.max() < 0.7:
            found.append((glyph, digit))
        if len(found) == 3:
            break
    return found


@pytest.fixture
async def school(tmp_path: Path, cache: Path) -> AsyncIterator[School]:
    async with found(tmp_path, cache) as school:
        yield school


async def taught_version(school: School) -> int:
    """Train to the end; the candidate's number."""
    done = await school.finish(await school.learning.retrain(ADMIN))
    assert done.state is RunState.FINISHED, done.error
    assert done.version_id is not None
    return done.version_id


async def test_a_correction_is_learned_promoted_rolled_back_and_forgotten(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    """The whole loop of one person: read wrong, corrected, read right, rolled back, forgotten."""
    glyph, digit = misread[0]
    person = await school.person(5)
    prediction = await school.read(person, [glyph])
    await school.correct(prediction, str(digit), person)
    assert school.says(glyph) != digit

    version_id = await taught_version(school)
    assert school.says(glyph) != digit, "nothing changes before a promotion"
    version = await school.learning.version(version_id)
    assert version.verdict is not None
    assert version.verdict.passed, version.verdict.reasons
    assert version.card is not None
    assert (version.card.trained.champion, version.card.trained.candidate) == (0, 1)

    await school.learning.promote(version_id, ADMIN)
    assert school.says(glyph) == digit

    shipped = await school.learning.roll_back(ADMIN)
    assert school.says(glyph) != digit
    assert [service.how for service in shipped.services] == ["rollback", "start"]
    await school.learning.roll_back(ADMIN, version_id)
    assert school.says(glyph) == digit

    await school.forget(person)
    async with in_background(school.learning.attend()), asyncio.timeout(PATIENCE):
        while school.champion.current.version_id == version_id:
            await asyncio.sleep(0.1)
    assert school.says(glyph) != digit
    with pytest.raises(VersionForgottenError):
        await school.learning.promote(version_id, ADMIN)
    assert not (await school.learning.version(version_id)).record.has_checkpoint


async def test_an_update_takes_the_place_of_what_was_shipped_before_until_somebody_goes_back(
    school: School, tmp_path: Path
) -> None:
    """The same network three times, each as another digitbot would ship it."""

    async def start(name: str) -> int:
        file = tmp_path / name
        file.write_bytes(
            checkpoint.save(school.champion.shipped.recognizer.network, {**metadata, "of": name})
        )
        champion = Champion(school.database, file, school.now)
        await champion.start()
        return champion.current.version_id

    shipped = await asyncio.to_thread(checkpoint.load_file, checkpoint.SHIPPED / "reader.safetensors")
    metadata = shipped.metadata
    first = school.champion.current.version_id
    second = await start("second")
    assert second != first
    assert await start("second") == second

    await school.learning.roll_back(ADMIN, first)
    assert await start("second") == first
    assert await start("third") not in {first, second}


async def test_without_consent_nothing_is_learned(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    await school.teach(*misread[0], by=await school.person(5, consents=False))

    with pytest.raises(NothingToLearnError):
        await school.learning.retrain(ADMIN)


async def test_a_training_fails_when_the_owner_of_a_photo_withdraws_consent_meanwhile(
    tmp_path: Path, cache: Path, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    """It is the owner's consent that counts, also where an administrator made the correction."""
    glyph, digit = misread[0]
    async with found(tmp_path, cache, settings=Learning(promote_automatically=True)) as school:
        owner, admin = await school.person(5), await school.person(ADMIN)
        await school.correct(await school.read(owner, [glyph]), str(digit), admin, is_admin=True)
        run_id = await school.learning.retrain(ADMIN)
        await wait_for_child()  # what it learns is chosen by now
        await school.withdraw(owner)

        done = await school.finish(run_id)

        assert (done.state, done.version_id) == (RunState.FAILED, None)
        assert done.error == "somebody whose photos it learned from has withdrawn consent meanwhile"
        assert [version.id for version in await school.learning.versions()] == [1]
        assert school.says(glyph) != digit


async def test_a_candidate_waits_in_vain_while_consent_to_what_it_learned_is_withdrawn(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    glyph, digit = misread[0]
    owner = await school.person(5)
    await school.teach(glyph, digit, by=owner)
    version_id = await taught_version(school)
    await school.withdraw(owner)

    with pytest.raises(VersionUnconsentedError, match="has withdrawn their consent"):
        await school.learning.promote(version_id, ADMIN)

    version = await school.learning.version(version_id)
    assert not version.can_serve
    assert "has withdrawn their consent" in learning_replies.models(i18n.texts(), [version])
    assert school.says(glyph) != digit
    await school.person(5)  # agrees again
    assert (await school.learning.promote(version_id, ADMIN)).is_serving


async def test_after_somebody_left_the_weights_are_those_of_a_database_that_never_knew_them(
    school: School, misread: list[tuple[NDArray[np.uint8], int]], tmp_path: Path, cache: Path
) -> None:
    (tmp_path / "other").mkdir()
    leaver, stayer = await school.person(5), await school.person(6)
    await school.teach(*misread[0], by=leaver)
    await school.teach(*misread[1], by=stayer)
    await school.teach(*misread[2], by=leaver)
    await school.lessons.make()  # screens and selects with them, and stores what came of it
    await school.forget(leaver)
    without_them = (await school.learning.version(await taught_version(school))).record.sha256

    async with found(tmp_path / "other", cache) as never_knew:
        never_knew.messages = 1  # the same photo, which came in the same message of the same chat
        await never_knew.person(99)
        assert await never_knew.person(6) == stayer
        await never_knew.teach(*misread[1], by=stayer)
        fresh = (await never_knew.learning.version(await taught_version(never_knew))).record.sha256

    assert without_them == fresh


async def test_who_has_left_is_unlearned_also_after_a_clock_that_was_ahead_was_put_right(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    """A first attempt failed while it was a year ahead; the second comes ten minutes after a failure."""
    leaver = await school.person(5)
    await school.teach(*misread[0], by=leaver)
    await school.learning.promote(await taught_version(school), ADMIN)
    await school.forget(leaver)
    ahead = school.now() + timedelta(days=365)
    async with school.database.transaction() as session:
        wanted = NewTrainingRun("forgetting", ahead)
        failed = await runs.start(session, wanted, "holder", ahead, LEASE)
        await runs.end(session, failed.id, "holder", ahead, RunState.FAILED)

    async with in_background(school.learning.attend()), asyncio.timeout(PATIENCE):
        latest: TrainingRunRecord | None = failed
        while latest is None or latest.id == failed.id:
            await asyncio.sleep(0.1)
            async with school.database.reading() as session:
                latest = await runs.latest(session)
    assert latest.trigger == "forgetting"


async def test_one_training_runs_at_a_time_in_all_processes(
    misread: list[tuple[NDArray[np.uint8], int]], tmp_path: Path, cache: Path
) -> None:
    async with (
        found(tmp_path, cache, effort=LONG) as one_process,
        found(tmp_path, cache) as other_process,
    ):
        await one_process.teach(*misread[0], by=await one_process.person(5))
        run_id = await one_process.learning.retrain(ADMIN)

        with pytest.raises(RunInProgressError):
            await one_process.learning.retrain(ADMIN)
        with pytest.raises(RunInProgressError):
            await other_process.learning.retrain(ADMIN)

        assert await other_process.learning.cancel()
        assert (await other_process.finish(run_id)).state is RunState.CANCELLED
        assert not await other_process.learning.cancel()


async def wait_for_child() -> psutil.Process:
    """The training process of this test, once it is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for child in psutil.Process().children():
                if "bot.trainer" in child.cmdline():
                    return child
            await asyncio.sleep(0.02)


async def test_a_killed_training_is_marked_and_the_next_one_gives_a_candidate_that_can_be_rejected(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    await school.teach(*misread[0], by=await school.person(5))
    run_id = await school.learning.retrain(ADMIN)
    os.kill((await wait_for_child()).pid, signal.SIGKILL)

    done = await school.finish(run_id)

    assert done.state is RunState.FAILED
    assert done.error is not None
    assert "signal 9" in done.error
    version_id = await taught_version(school)
    rejected = await school.learning.reject(version_id)
    assert rejected.record.state is VersionState.REJECTED
    assert [version.id for version in await school.learning.versions()] == [version_id, 1]
    with pytest.raises(NothingToRollBackToError, match=f"version {version_id} has never served"):
        await school.learning.roll_back(ADMIN, version_id)


async def test_the_training_process_sees_no_secret_and_gives_way(
    school: School, misread: list[tuple[NDArray[np.uint8], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITBOT_STORAGE__KEY", "a secret")
    await school.teach(*misread[0], by=await school.person(5))
    run_id = await school.learning.retrain(ADMIN)

    child = await wait_for_child()

    assert not [name for name in child.environ() if name.startswith("DIGITBOT")]
    assert child.cmdline()[1:] == ["-m", "bot.trainer"]
    async with asyncio.timeout(PATIENCE):
        while child.nice() < 2:
            await asyncio.sleep(0.05)
    await school.learning.cancel()
    await school.finish(run_id)
    assert not child.is_running()


async def test_a_run_whose_process_died_is_marked_and_releases_the_lock(
    school: School, misread: list[tuple[NDArray[np.uint8], int]], tmp_path: Path, cache: Path
) -> None:
    """As after a `kill -9` of the bot: its row still says that it runs, and nobody renews the lease."""
    await school.teach(*misread[0], by=await school.person(5))
    long_ago = school.now() - timedelta(minutes=2)
    async with school.database.transaction() as session:
        dead = await runs.start(
            session, NewTrainingRun("command", long_ago), "gone", long_ago, timedelta(seconds=30)
        )

    run_id = await school.learning.retrain(ADMIN)

    assert (await school.finish(dead.id)).state is RunState.FAILED
    await school.learning.cancel()
    await school.finish(run_id)


async def test_a_training_is_watched_while_another_process_holds_the_database(school: School) -> None:
    assert school.database.path is not None
    async with school.database.transaction() as session:
        run = await runs.request(session, NewTrainingRun("command", school.now()))
    with closing(sqlite3.connect(school.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(5):
            assert not (await anext(school.learning.watch(run.id))).is_over


async def test_who_watches_a_training_sees_its_end_although_the_database_was_away_meanwhile(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()

    def is_away(_: Database) -> AbstractAsyncContextManager[AsyncSession]:
        looked.set()
        raise DatabaseUnavailableError("no connection")

    wanted = NewTrainingRun("command", school.now())
    async with school.database.transaction() as session:
        run = await runs.start(session, wanted, "holder", school.now(), LEASE)
    watching = asyncio.create_task(school.finish(run.id))
    with monkeypatch.context() as patch:
        patch.setattr(Database, "reading", is_away)
        await looked.wait()
    async with school.database.transaction() as session:
        await runs.end(session, run.id, "holder", school.now(), RunState.FINISHED)

    assert (await watching).state is RunState.FINISHED


async def test_a_crashed_training_is_marked_and_told_of_without_anybody_asking(school: School) -> None:
    long_ago = school.now() - timedelta(minutes=2)
    async with school.database.transaction() as session:
        dead = await runs.start(
            session, NewTrainingRun("command", long_ago), "gone", long_ago, timedelta(seconds=30)
        )
    heard: list[Progress] = []

    async def listen(progress: Progress) -> None:
        heard.append(progress)

    school.learning.subscribe(listen)
    async with in_background(school.learning.attend()), asyncio.timeout(PATIENCE):
        while not heard:
            await asyncio.sleep(0.05)

    (told,) = heard
    assert (told.run_id, told.state, told.has_crashed) == (dead.id, RunState.FAILED, True)


async def test_what_the_shipped_network_is_sure_of_otherwise_waits_for_review_unless_an_admin_says_it(
    school: School,
) -> None:
    four = handwriting.draw([4], np.random.default_rng(8))[0]
    person, admin = await school.person(5), await school.person(ADMIN)
    doubted = await school.teach(four, 9, by=person)
    said_by_admin = await school.teach(four[:, ::-1].copy(), 9, by=admin, is_admin=True)

    await school.lessons.screen()

    first, second = await school.correction(doubted), await school.correction(said_by_admin)
    assert (first.state, first.reason) == (CorrectionState.QUARANTINED, "model_is_sure")
    assert (second.state, second.reason) == (CorrectionState.ACCEPTED, None)


async def test_screening_goes_by_how_often_the_shipped_network_is_right_in_unusual_hands(
    school: School,
) -> None:
    """What it is 96 % sure of by MNIST's measure is not enough to hold a correction back."""
    person, shipped = await school.person(5), school.champion.shipped
    four = handwriting.draw([4], np.random.default_rng(8))[0]
    await school.teach(four, 9, by=person)

    await school.lessons.screen()

    async with school.database.reading() as session:
        (glyph,) = await labelled_glyphs.draw(session, seed=1, maximum=10)
    pixels = four.reshape(1, 784).astype(np.float32) / np.float32(255)
    confidence = float(shipped.recognizer.classify(pixels)[0].max())
    assert glyph.screened_confidence == shipped.sureness.of(confidence)
    assert glyph.screened_confidence < confidence
    assert shipped.sureness.of(0.96) < 0.95


async def test_a_number_labels_each_of_its_glyphs_and_another_length_none(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    person = await school.person(5)
    two = await school.read(person, [misread[0][0], misread[1][0]])
    await school.correct(two, f"{misread[0][1]}{misread[1][1]}", person)
    await school.correct(await school.read(person, [misread[2][0]]), "123", person)

    lesson = await school.lessons.make()

    assert sorted(lesson.trained.labels.tolist()) == sorted([misread[0][1], misread[1][1]])
    assert len(lesson.correction_ids) == 1


async def test_the_schedule_trains_once_when_enough_was_taught(
    tmp_path: Path, cache: Path, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    clock = Clock(datetime(2026, 3, 2, 2, 59).astimezone(UTC))
    settings = Learning(schedule="03:00", minimum_new_corrections=1, promote_automatically=True)
    heard: list[str] = []

    async def listen(progress: object) -> None:
        heard.append(str(getattr(progress, "trigger", "")))

    async with (
        found(tmp_path, cache, now=clock, settings=settings) as school,
        found(tmp_path, cache, now=clock, settings=settings) as twin,
    ):
        await school.teach(*misread[0], by=await school.person(5))
        school.learning.subscribe(listen)
        twin.learning.subscribe(listen)
        async with in_background(school.learning.attend()), in_background(twin.learning.attend()):
            await asyncio.sleep(0.5)
            async with school.database.reading() as session:
                assert await runs.latest(session) is None
            clock.time += timedelta(minutes=2)
            async with asyncio.timeout(PATIENCE):
                while not heard:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(2.5)  # a second one would be heard of now

        assert heard == ["schedule"]
        await school.champion.refresh()
        assert school.says(misread[0][0]) == misread[0][1], "promoted automatically, as the settings say"


async def test_the_schedule_trains_also_after_a_clock_that_was_ahead_was_put_right(
    tmp_path: Path, cache: Path, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    """The last training was done while it was a year ahead, so all that was taught looks older than that."""
    clock = Clock(datetime(2026, 3, 2, 3, 1).astimezone(UTC))
    settings = Learning(schedule="03:00", minimum_new_corrections=1)
    async with found(tmp_path, cache, now=clock, settings=settings) as school:
        ahead = clock() + timedelta(days=365)
        async with school.database.transaction() as session:
            last = await runs.start(session, NewTrainingRun("schedule", ahead), "holder", ahead, LEASE)
            await runs.end(session, last.id, "holder", ahead, RunState.FINISHED)
        await school.teach(*misread[0], by=await school.person(5))

        async with in_background(school.learning.attend()), asyncio.timeout(PATIENCE):
            while True:
                async with school.database.reading() as session:
                    if await runs.is_taken(session, f"{clock().astimezone():%Y-%m-%d}T03:00"):
                        break
                await asyncio.sleep(0.1)


async def test_looking_whether_it_is_time_to_train_holds_up_nobody_who_writes(
    tmp_path: Path, cache: Path
) -> None:
    clock = Clock(datetime(2026, 3, 2, 3, 1).astimezone(UTC))
    begun: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    async with found(tmp_path, cache, now=clock, settings=Learning(schedule="03:00")) as school:
        event.listen(school.database.engine.sync_engine, "before_cursor_execute", note)
        async with in_background(school.learning.attend()):
            await asyncio.sleep(0.5)

    assert set(begun) == {"BEGIN"}, "which only reads; BEGIN IMMEDIATE would write"


async def test_a_refused_candidate_cannot_be_promoted_and_says_why(
    tmp_path: Path, cache: Path, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    from bot.config import Margins  # noqa: PLC0415 - only this test has a gate that nothing passes

    settings = Learning(margins=Margins(slowdown=1e-6))
    async with found(tmp_path, cache, settings=settings) as school:
        await school.teach(*misread[0], by=await school.person(5))

        version = await school.learning.version(await taught_version(school))

    assert version.record.state is VersionState.REFUSED
    assert version.record.reason == "too_slow"
    assert not version.can_serve


async def test_who_asked_for_it_is_told_once_that_their_correction_helped(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    person = await school.person(5)
    async with school.database.transaction() as session:
        await contributors.set_receipts(session, person, wanted=True)
    glyph, digit = misread[0]
    was = school.says(glyph)
    await school.teach(glyph, digit, by=person)
    await school.learning.promote(await taught_version(school), ADMIN)
    receipts = ReceiptService(school.database, school.keyring, school.champion, school.now)

    (helped,) = await receipts.due(BOT)

    assert (helped.user_id, helped.was, helped.label) == (5, was, digit)
    assert helped.was_confidence < 0.7
    assert await receipts.due(BOT) == []
    await school.teach(*misread[1], by=await school.person(6))
    await school.learning.promote(await taught_version(school), ADMIN)
    assert await receipts.due(BOT) == []


async def test_a_receipt_that_fell_due_while_the_bot_was_off_goes_out_at_its_start(
    tmp_path: Path, cache: Path, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    async with found(tmp_path, cache) as school:
        person = await school.person(5)
        async with school.database.transaction() as session:
            await contributors.set_receipts(session, person, wanted=True)
        for glyph, digit in misread[:2]:
            await school.teach(glyph, digit, by=person)
        await school.learning.promote(await taught_version(school), ADMIN)
        async with running_in(config_in(tmp_path)) as bot:
            chat, ours = bot.you.user_id, (await bot.client.get("/localchat/state")).json()["bot"]["id"]
        async with school.database.transaction() as session:
            await session.execute(text(f"UPDATE contributors SET bot_id = {ours}, user_id = {chat}"))
            await session.execute(text(f"UPDATE predictions SET bot_id = {ours}, chat_id = {chat}"))

    async with running_in(config_in(tmp_path)) as bot:
        told = await bot.you.see(says("2 of your corrections have helped since version 2"))

    assert told["message"]["chat"]["id"] == chat


async def test_another_bot_that_shares_the_database_takes_nobodys_receipt_away(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    person = await school.person(5)
    async with school.database.transaction() as session:
        await contributors.set_receipts(session, person, wanted=True)
    await school.teach(*misread[0], by=person)
    await school.learning.promote(await taught_version(school), ADMIN)
    receipts = ReceiptService(school.database, school.keyring, school.champion, school.now)

    assert await receipts.due(BOT + 1) == []
    assert [helped.user_id for helped in await receipts.due(BOT)] == [5]


async def test_a_reading_is_repeated_to_the_bit(
    school: School, misread: list[tuple[NDArray[np.uint8], int]]
) -> None:
    prediction = await school.read(await school.person(5), [glyph for glyph, _ in misread])

    repeated = await ReplayService(school.database, school.keyring).replay(prediction.id)

    assert repeated.is_exact
    assert len(repeated.computed) == len(misread)


async def test_the_export_loads_as_mnist_does(
    school: School,
    misread: list[tuple[NDArray[np.uint8], int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, silent = await school.person(5), await school.person(6, consents=False)
    for glyph, digit in misread[:2]:
        await school.teach(glyph, digit, by=person)
    await school.teach(*misread[2], by=silent)
    await school.lessons.screen()

    count = await ReplayService(school.database, school.keyring).export(tmp_path / "out")

    import hashlib  # noqa: PLC0415

    files = {
        name: tmp_path / "out" / f"corrections-{name}.gz"
        for name in ("images-idx3-ubyte", "labels-idx1-ubyte")
    }
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files.values()}
    monkeypatch.setattr(mnist, "SHA256", sums)
    images, labels = (mnist._read(file) for file in files.values())
    assert count == len(labels) == 2
    taught = {(glyph.tobytes(), digit) for glyph, digit in misread[:2]}
    assert {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)} == taught
    assert len((tmp_path / "out" / "corrections.csv").read_text().splitlines()) == 3


async def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(
    school: School, misread: list[tuple[NDArray[np.uint8], int]], tmp_path: Path
) -> None:
    """A limit on the size of files stands in for a full disk."""
    replays, folder = ReplayService(school.database, school.keyring), tmp_path / "out"
    await school.teach(*misread[0], by=await school.person(5))
    await school.lessons.screen()
    await replays.export(folder)
    earlier = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(earlier) == 3
    await school.teach(*misread[1], by=await school.person(6))
    await school.lessons.screen()

    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, unlimited[1]))
    try:
        with pytest.raises(OSError, match="large"):
            await replays.export(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == earlier
