"""Greeting, help and whatever is no photo."""

import asyncio

from tests.bot.person import PATIENCE, Person, says


async def test_start_greets_and_its_sample_is_read(you: Person) -> None:
    greeting = await you.answer_to(await you.send("/start"))
    assert greeting["text"].startswith("Send me a photo of a handwritten digit")

    await you.press(greeting["message_id"], "sample")
    sample = await you.see(lambda seen: "photo" in seen["message"])
    answer = await you.answer_to(sample["message"])
    assert answer["reply_to_message"]["message_id"] == sample["message"]["message_id"]
    assert "%" in answer["text"]


async def test_every_command_of_the_menu_is_answered(you: Person, admin: Person) -> None:
    menus: dict[int, list[str]] = {}
    async with asyncio.timeout(PATIENCE):
        while "retrain" not in menus.get(admin.user_id, ()):  # the bot introduces itself while it serves
            state = (await you.client.get("/localchat/state")).json()
            menus = {chat["id"]: [one["command"] for one in chat["commands"]] for chat in state["chats"]}
    assert "retrain" not in menus[you.user_id]
    assert {"correct", "privacy", "forget_me"} <= set(menus[you.user_id])
    assert {"retrain", "models", "review"} <= set(menus[admin.user_id])
    for command in menus[you.user_id]:
        answer = await you.answer_to(await you.send(f"/{command}"))
        assert not answer["text"].startswith("I do not know that command")


async def test_unknown_input_gets_one_helpful_line(you: Person) -> None:
    for text in "hello", "7", "/nonsense":
        assert "/help" in (await you.answer_to(await you.send(text)))["text"]


async def test_very_much_unknown_input_gets_a_few_lines_and_keeps_nobody_waiting(you: Person) -> None:
    for _ in range(30):
        await you.send("hello")
    await you.send("/id")
    await you.see(says(str(you.user_id)))

    hints = [seen for seen in await you.history() if "/help" in seen["message"]["text"]]
    assert 1 <= len(hints) <= 10


async def test_a_payload_of_a_link_opens_what_it_names(you: Person) -> None:
    assert "What I keep" in (await you.answer_to(await you.send("/start privacy")))["text"]
    assert "Send me a photo" in (await you.answer_to(await you.send("/start nonsense")))["text"]


async def test_id_tells_the_number_for_the_configuration(you: Person) -> None:
    assert str(you.user_id) in (await you.answer_to(await you.send("/id")))["text"]
