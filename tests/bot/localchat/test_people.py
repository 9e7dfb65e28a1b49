"""People in the chat: what they do reaches the bot as Telegram would tell it."""

import io
from pathlib import Path

import pytest
from PIL import Image
from telegram import Bot

from bot.localchat import files
from tests.bot.localchat.conftest import Served, serving
from tests.bot.person import Person


def picture(shade: int = 255) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (120, 80), shade).save(buffer, "PNG")
    return buffer.getvalue()


def group_of(state: dict[str, list[dict[str, object]]]) -> int:
    return next(int(str(chat["id"])) for chat in state["chats"] if chat["type"] == "group")


async def test_identity_history_and_the_queue_last_over_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        first, you = served.chat.identity, served.person()
        await you.send("before")
        answer = await served.call("sendMessage", chat_id=you.user_id, text="kept")
    async with serving(tmp_path) as served:
        updates = (await served.call("getUpdates"))["result"]
        history = await served.person().history()
        again = await served.person().send("after")

        assert served.chat.identity == first
        assert [seen["message"]["text"] for seen in history] == ["before", "kept"]
        assert [update["message"]["text"] for update in updates] == ["before"]
        assert again["message_id"] == answer["result"]["message_id"] + 1


async def test_the_file_with_the_token_is_its_owners_alone(served: Served, tmp_path: Path) -> None:
    assert (tmp_path / "localchat.db").stat().st_mode & 0o077 == 0


async def test_message_ids_repeat_across_chats(served: Served) -> None:
    ids = [(await served.person(role).send("hi"))["message_id"] for role in ("person", "admin")]

    assert ids == [1, 1]


async def test_an_album_is_several_messages_with_the_caption_on_the_first(bot: Bot, you: Person) -> None:
    await you.send_photo(picture(), picture(0), caption="two")

    one, other = [update.message for update in await bot.get_updates()]

    assert one is not None
    assert other is not None
    assert one.media_group_id == other.media_group_id
    assert [one.caption, other.caption] == ["two", None]


async def test_a_file_stays_as_it_is_and_has_a_thumbnail(bot: Bot, you: Person) -> None:
    await you.send_file(picture(), "Seven & eight.png")

    (update,) = await bot.get_updates()

    assert update.message is not None
    document = update.message.document
    assert document is not None
    assert (document.file_name, document.mime_type) == ("Seven & eight.png", "image/png")
    assert document.thumbnail is not None
    assert bytes(await (await document.get_file()).download_as_bytearray()) == picture()


async def test_an_edited_caption_comes_as_an_edited_message(bot: Bot, you: Person) -> None:
    sent = await you.send_photo(picture())
    await you.edit(sent["message_id"], "/correct 7")

    _, edited = await bot.get_updates()

    assert edited.edited_message is not None
    assert edited.edited_message.caption == "/correct 7"
    assert edited.edited_message.edit_date is not None


async def test_in_a_group_the_bot_hears_only_what_is_meant_for_it(
    served: Served, bot: Bot, you: Person
) -> None:
    group = group_of((await served.client.get("/localchat/state")).json())
    name = (await bot.get_me()).username
    spoken = await bot.send_message(group, "hello all")
    await you.send("just chatting", chat_id=group)
    await you.send("/help", chat_id=group)
    await you.send(f"/help@{name}", chat_id=group)
    await you.send("/help@another_bot", chat_id=group)
    await you.send("an answer", reply_to=spoken.message_id, chat_id=group)
    await you.send(f"what is this, @{name}?", chat_id=group)

    heard = [update.message.text for update in await bot.get_updates() if update.message is not None]

    assert heard == ["/help", f"/help@{name}", "an answer", f"what is this, @{name}?"]


async def test_kinds_of_updates_that_the_bot_does_not_want_do_not_come(bot: Bot, you: Person) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    sent = await you.send("hello")
    await you.react(sent["message_id"], "👍")

    assert await bot.get_updates() == ()

    await bot.get_updates(allowed_updates=["message_reaction"])
    await you.react(sent["message_id"], "🔥")
    (update,) = await bot.get_updates()
    assert update.message_reaction is not None
    assert [one.to_dict()["emoji"] for one in update.message_reaction.new_reaction] == ["🔥"]
    assert [one.to_dict()["emoji"] for one in update.message_reaction.old_reaction] == ["👍"]


async def test_a_negative_offset_forgets_all_but_the_newest(bot: Bot, you: Person) -> None:
    for number in range(4):
        await you.send(str(number))

    newest = await bot.get_updates(offset=-2)
    after = await bot.get_updates()

    assert [update.message.text for update in newest if update.message] == ["2", "3"]
    assert [update.update_id for update in after] == [update.update_id for update in newest]


async def test_who_writes_again_after_stopping_the_bot_hears_from_it_again(
    served: Served, you: Person
) -> None:
    await you.block()
    await you.send("/start")

    assert (await served.call("sendMessage", chat_id=you.user_id, text="hello"))["ok"]
    kinds = [set(update) - {"update_id"} for update in (await served.call("getUpdates"))["result"]]
    assert kinds == [{"my_chat_member"}, {"my_chat_member"}, {"message"}]


async def test_a_cleared_chat_keeps_no_message_and_no_picture(served: Served, you: Person) -> None:
    photo = await you.send_photo(picture())
    await you.send_file(picture(), "scan.png")
    other = await served.person("admin").send_photo(picture())

    await served.client.post(f"/localchat/chats/{you.user_id}/clear", json={"user_id": you.user_id})

    assert await you.history() == []
    gone = await served.client.get(f"/localchat/files/{photo['photo'][-1]['file_id']}")
    kept = await served.client.get(f"/localchat/files/{other['photo'][-1]['file_id']}")
    assert (gone.status_code, kept.status_code) == (400, 200)


async def test_the_oldest_files_go_when_there_is_no_more_room(
    served: Served, you: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROOM", 2500)
    sent = [await you.send_file(bytes(1000), f"{number}.bin") for number in range(3)]

    kept = [(await served.call("getFile", file_id=one["document"]["file_id"]))["ok"] for one in sent]

    assert kept == [False, True, True]


async def test_commands_are_shown_by_the_narrowest_scope(served: Served, bot: Bot) -> None:
    admin = served.chat.identity.admin_id
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("retrain", "Learn")], scope={"type": "chat", "chat_id": admin})  # type: ignore[arg-type]

    state = (await served.client.get("/localchat/state")).json()

    shown = {chat["id"]: [one["command"] for one in chat["commands"]] for chat in state["chats"]}
    assert shown.pop(admin) == ["retrain"]
    assert set(map(tuple, shown.values())) == {("help",)}
