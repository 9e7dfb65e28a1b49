"""What administrators do in the chat: review, retrain, decide, go back; and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Model
from bot.services.people import Person as Reviewer
from tests.bot.conftest import Running, button, config_in, consents, running_in, toast
from tests.bot.person import PATIENCE, Person, says
from tests.bot.school import LONG, SMALL

Photos = dict[str, bytes]


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """A bot whose trainings are small, and where no MNIST can be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    async with running_in(
        config_in(tmp_path, model=Model(mnist_dir=Path("/dev/null/mnist"))), SMALL
    ) as running:
        yield running


async def corrected(you: Person, photo: bytes, digit: str) -> None:
    """A photo, and what its sender says that it shows."""
    sent = await you.send_photo(photo)
    answer = await you.answer_to(sent)
    await you.press(answer["message_id"], button(answer, digit))
    await you.see(lambda seen: seen["message"].get("text", "").startswith(f"{digit}   "))


async def test_an_administrator_reviews_retrains_promotes_and_goes_back(
    running: Running, you: Person, admin: Person, photos: Photos
) -> None:
    right, wrong = [digits for digits in photos if len(digits) == 1][:2]
    await corrected(you, photos[wrong], "3")
    await consents(you)
    await corrected(you, photos[right], right)  # the bot was right, and learns that it was
    reviewer = Reviewer(0, admin.user_id, is_admin=True)
    async with asyncio.timeout(PATIENCE):
        while await running.core.services.review.next(reviewer) is None:  # corrections are screened by and by
            await asyncio.sleep(0.1)

    waiting = await admin.answer_to(await admin.send("/review"))
    assert f"Read as {wrong}, said to be 3: the shipped network is sure" in waiting["caption"]
    assert (
        await toast(admin, waiting["message_id"], button(waiting, "Reject")) == "Rejected: it does not train."
    )
    await admin.see(says("No correction waits for a decision."))

    await admin.send("/retrain")
    await admin.send("/retrain")
    await admin.see(says("A training is already under way."))
    card = (await admin.see(says("Version 2, trained on 1 corrected digit"), patience=200))["message"]
    assert card["photo"]
    assert "It passed the gate. Shall it serve?" in card["caption"]

    assert await toast(admin, card["message_id"], button(card, "Promote")) == "Version 2 serves now."
    assert await toast(admin, card["message_id"], button(card, "Reject")) == "Version 2 serves now."
    models = await admin.answer_to(await admin.send("/models"))
    assert models["text"].splitlines()[1].startswith("v2 ")
    assert "serves since" in models["text"].splitlines()[1]
    assert await toast(admin, models["message_id"], button(models, "Serve v1")) == "Version 1 serves now."
    assert running.core.services.champion.current.version_id == 1


async def test_a_decision_on_a_correction_that_was_taken_back_is_refused(
    you: Person, admin: Person, photos: Photos
) -> None:
    await corrected(you, next(photo for digits, photo in photos.items() if len(digits) == 1), "3")
    await you.see(says("May I learn"))
    await you.send("/undo")
    await you.see(says("Taken back"))
    pressed = await admin.answer_to(await admin.send("/id"))

    shown = await toast(admin, pressed["message_id"], "accept:1")

    assert shown == "That correction was taken back, replaced or withdrawn meanwhile; nothing was changed."


async def test_nobody_else_can_cause_anything(running: Running, you: Person) -> None:
    for command in "/retrain", "/models", "/review":
        refusal = await you.answer_to(await you.send(command))
        assert refusal["text"].startswith("Only administrators may do that.")
    for data in "serve:1", "reject:1", "accept:1", "refuse:1":
        assert (await toast(you, refusal["message_id"], data)).startswith("Only administrators may do that.")
    assert (await you.answer_to(await you.send("/cancel")))["text"].startswith("There is nothing under way")


async def test_retrain_without_corrections_says_what_is_missing(admin: Person) -> None:
    answer = await admin.answer_to(await admin.send("/retrain"))

    assert answer["text"].startswith("There are no corrections that may train")


async def test_a_training_that_ends_with_its_bot_says_so_in_its_message(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = config_in(tmp_path, model=Model(mnist_dir=Path("/dev/null/mnist")))
    digit = next(digits for digits in photos if len(digits) == 1)
    async with running_in(config, LONG) as bot:
        await corrected(bot.admin, photos[digit], digit)
        await consents(bot.admin)
        await bot.admin.send("/retrain")
        await bot.admin.see(says("%"))

    async with running_in(config, LONG) as bot:
        last = [seen["message"].get("text", "") for seen in await bot.admin.history()][-1]

    assert last.startswith("The bot was switched off, and the training with it.")
