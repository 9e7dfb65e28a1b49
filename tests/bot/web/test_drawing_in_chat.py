"""The draw page as the Mini App of the whole bot, opened in its local chat."""

import asyncio
from urllib.parse import parse_qs, urlsplit

from tests.bot.conftest import button
from tests.bot.person import PATIENCE, Json, Person
from tests.bot.web.strokes import drawing_of


async def launch(you: Person, url: str) -> dict[str, str]:
    """The header that the page sends after being opened from this chat."""
    response = await you.client.post("/localchat/launch", json={"user_id": you.user_id, "url": url})
    fragment = urlsplit(response.raise_for_status().json()["path"]).fragment
    return {"Authorization": f"tma {parse_qs(fragment)['tgWebAppData'][0]}"}


async def menu_button(you: Person) -> Json:
    """The button beside the text field, once the bot has introduced itself."""
    async with asyncio.timeout(PATIENCE):
        while True:
            chats = (await you.client.get("/localchat/state")).json()["chats"]
            shown: Json = next(chat["menu_button"] for chat in chats if chat["id"] == you.user_id)
            if shown["type"] == "web_app":
                return shown
            await asyncio.sleep(0.05)


async def test_a_drawing_sent_from_the_menu_button_is_read_in_the_chat_and_corrected(you: Person) -> None:
    opened = await launch(you, (await menu_button(you))["web_app"]["url"])

    sent = await you.client.post("/api/drawing/send", content=drawing_of(3), headers=opened)
    assert sent.status_code == 204
    answer = (await you.see(lambda seen: "reply_to_message" in seen["message"]))["message"]
    assert "photo" in answer["reply_to_message"]
    assert answer["text"].startswith("3")

    await you.press(answer["message_id"], button(answer, "8"))
    await you.see(lambda seen: "8" in seen["message"].get("text", "") and "edit_date" in seen["message"])


async def test_draw_answers_with_a_button_that_opens_the_page(you: Person) -> None:
    answer = await you.answer_to(await you.send("/draw"))

    [[draw]] = answer["reply_markup"]["inline_keyboard"]
    assert urlsplit(draw["web_app"]["url"]).path == "/draw"


async def test_a_replayed_launch_leaves_nothing_in_the_chat(you: Person) -> None:
    opened = await launch(you, (await menu_button(you))["web_app"]["url"])
    await you.client.post("/api/drawing/send", content=drawing_of(3), headers=opened)
    before = await you.see(lambda seen: "reply_to_message" in seen["message"])

    again = await you.client.post("/api/drawing/send", content=drawing_of(4), headers=opened)

    assert again.status_code == 409
    assert (await you.history())[-1]["message"]["message_id"] == before["message"]["message_id"]
