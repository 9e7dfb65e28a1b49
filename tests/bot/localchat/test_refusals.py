"""What Telegram refuses, the local chat refuses, in the same words: or the bot would work at home only."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from tests.bot.localchat.conftest import Served, serving
from tests.bot.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one chat for all: a refusal leaves nothing behind

BUTTON = "Bad Request: inline keyboard button"


def picture(width: int = 60, height: int = 40, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, kind)
    return buffer.getvalue()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("chat")) as served:
        yield served


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": "hi", "chat_id": ""}, "Bad Request: chat_id is empty"),
        ({"text": "hi", "chat_id": 1}, "Bad Request: chat not found"),
        ({"text": "hi", "chat_id": "@nobody"}, "Bad Request: chat not found"),
        ({}, "Bad Request: message text is empty"),
        ({"text": " \n "}, "Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "Bad Request: message is too long"),
        ({"text": "😀" * 2049}, "Bad Request: message is too long"),
        ({"text": "hi", "parse_mode": "Markup"}, "Bad Request: unsupported parse_mode"),
        (
            {"text": "<b>hi", "parse_mode": "HTML"},
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            {"text": "7 < 8", "parse_mode": "HTML"},
            'Bad Request: can\'t parse entities: Unsupported start tag "" at byte offset 2',
        ),
        (
            {"text": "hi", "reply_parameters": {"message_id": 77}},
            "Bad Request: message to be replied not found",
        ),
        ({"text": "hi", "reply_parameters": "{"}, "Bad Request: can't parse reply parameters JSON object"),
        ({"text": "hi", "reply_markup": "{"}, "Bad Request: can't parse reply keyboard markup JSON object"),
        ({"text": "hi", "reply_markup": [1]}, "Bad Request: object expected as reply markup"),
    ],
)
async def test_a_message_that_telegram_refuses(
    served: Served, you: Person, parameters: dict[str, Any], description: str
) -> None:
    assert await served.refusal("sendMessage", **{"chat_id": you.user_id, **parameters}) == description


@pytest.mark.parametrize(
    ("button", "description"),
    [
        ({"text": "x", "callback_data": "ü" * 33}, "Bad Request: BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "Bad Request: BUTTON_DATA_INVALID"),
        (
            {"text": "x", "web_app": {"url": "http://example.org"}},
            f"{BUTTON} Web App URL 'http://example.org' is invalid: Only HTTPS links are allowed",
        ),
        (
            {"text": "x", "url": "javascript:alert(1)"},
            f"{BUTTON} URL 'javascript:alert(1)' is invalid: Unsupported URL protocol",
        ),
        ({"text": "x", "copy_text": {"text": "x" * 257}}, "Bad Request: BUTTON_COPY_TEXT_INVALID"),
        ({"text": "x"}, "Bad Request: text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "callback_data": "x", "style": "pink"}, "Bad Request: BUTTON_STYLE_INVALID"),
    ],
)
async def test_a_button_that_telegram_refuses(
    served: Served, you: Person, button: dict[str, object], description: str
) -> None:
    markup = {"inline_keyboard": [[button]]}

    assert (
        await served.refusal("sendMessage", chat_id=you.user_id, text="?", reply_markup=markup) == description
    )


@pytest.mark.parametrize("rows", [[9], [8] * 13])
async def test_a_keyboard_has_at_most_a_hundred_buttons_eight_in_a_row(
    served: Served, you: Person, rows: list[int]
) -> None:
    keyboard = [[{"text": "x", "callback_data": "x"}] * count for count in rows]

    refusal = await served.refusal(
        "sendMessage", chat_id=you.user_id, text="?", reply_markup={"inline_keyboard": keyboard}
    )

    assert refusal == "Bad Request: reply markup is too long"


async def test_sixty_four_bytes_of_callback_data_pass(served: Served, you: Person) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "x" * 64}]]}

    answer = await served.call("sendMessage", chat_id=you.user_id, text="?", reply_markup=markup)

    assert answer["result"]["reply_markup"] == markup


async def test_a_reply_to_what_is_gone_goes_without_it_where_the_call_allows(
    served: Served, you: Person
) -> None:
    reply = {"message_id": 77, "allow_sending_without_reply": True}

    answer = await served.call("sendMessage", chat_id=you.user_id, text="hi", reply_parameters=reply)

    assert "reply_to_message" not in answer["result"]


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"no picture", "Bad Request: IMAGE_PROCESS_FAILED"),
        (picture()[:200], "Bad Request: IMAGE_PROCESS_FAILED"),
        (picture(900, 40), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (picture(9000, 1001, "PNG"), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (bytes((10 << 20) + 1), "Bad Request: file is too big"),
    ],
)
async def test_a_photo_that_telegram_refuses(
    served: Served, you: Person, data: bytes, description: str
) -> None:
    assert await served.refusal("sendPhoto", {"photo": data}, chat_id=you.user_id) == description


async def test_photos_and_captions_have_their_rules(served: Served, you: Person) -> None:
    chat = you.user_id
    document = (await you.send_file(b"text", "notes.txt"))["document"]["file_id"]

    assert await served.refusal("sendPhoto", chat_id=chat) == "Bad Request: there is no photo in the request"
    long = await served.refusal("sendPhoto", {"photo": picture()}, chat_id=chat, caption="x" * 1025)
    assert long == "Bad Request: message caption is too long"
    wrong = await served.refusal("sendPhoto", chat_id=chat, photo=document)
    assert wrong == "Bad Request: can't use file of type Document as Photo"
    remote = await served.refusal("sendPhoto", chat_id=chat, photo="https://example.org/7.jpg")
    assert remote == "Bad Request: failed to get HTTP URL content"
    one = [{"type": "photo", "media": "attach://a"}]
    album = await served.refusal("sendMediaGroup", {"a": picture()}, chat_id=chat, media=one)
    assert album == "Bad Request: group send failed: an album has 2 to 10 items"


async def test_files_over_twenty_megabytes_cannot_be_fetched(served: Served, you: Person) -> None:
    large = await you.send_file(bytes((20 << 20) + 1), "large.bin")

    refusal = await served.refusal("getFile", file_id=large["document"]["file_id"])
    unknown = await served.refusal("getFile", file_id="nothing")

    assert refusal == "Bad Request: file is too big"
    assert unknown == "Bad Request: wrong file_id or the file is temporarily unavailable"


async def test_an_edit_that_changes_nothing_is_refused(served: Served, you: Person) -> None:
    markup = {"inline_keyboard": [[{"text": "7", "callback_data": "7"}]]}
    message = await served.call("sendMessage", chat_id=you.user_id, text="hi", reply_markup=markup)
    same = {"chat_id": you.user_id, "message_id": message["result"]["message_id"], "text": "hi"}

    refusal = await served.refusal("editMessageText", **same, reply_markup=markup)
    without_keyboard = await served.call("editMessageText", **same)

    assert refusal.startswith("Bad Request: message is not modified: ")
    assert "reply_markup" not in without_keyboard["result"], "an edit that forgets the keyboard removes it"


async def test_only_own_and_existing_messages_of_the_right_kind_are_edited(
    served: Served, you: Person
) -> None:
    chat = you.user_id
    theirs = (await you.send("mine"))["message_id"]
    photo = (await served.call("sendPhoto", {"photo": picture()}, chat_id=chat))["result"]["message_id"]
    text = (await served.call("sendMessage", chat_id=chat, text="hi"))["result"]["message_id"]

    async def refusal(method: str, message_id: int) -> str:
        return await served.refusal(method, chat_id=chat, message_id=message_id, text="x", caption="x")

    assert await refusal("editMessageText", theirs) == "Bad Request: message can't be edited"
    assert await refusal("editMessageText", 99) == "Bad Request: message to edit not found"
    assert await refusal("editMessageText", 0) == "Bad Request: message identifier is not specified"
    assert await refusal("editMessageText", photo) == "Bad Request: there is no text in the message to edit"
    assert (
        await refusal("editMessageCaption", text) == "Bad Request: there is no caption in the message to edit"
    )
    assert await refusal("deleteMessage", 99) == "Bad Request: message to delete not found"


async def test_reactions_are_one_of_telegrams_list(served: Served, you: Person) -> None:
    message_id = (await you.send("hi"))["message_id"]
    where = {"chat_id": you.user_id, "message_id": message_id}

    def emoji(*ones: str) -> list[dict[str, str]]:
        return [{"type": "emoji", "emoji": one} for one in ones]

    assert (
        await served.refusal("setMessageReaction", **where, reaction=emoji("🧮"))
        == "Bad Request: REACTION_INVALID"
    )
    many = await served.refusal("setMessageReaction", **where, reaction=emoji("👀", "👍"))
    assert many == "Bad Request: REACTIONS_TOO_MANY"
    lost = await served.refusal(
        "setMessageReaction", chat_id=you.user_id, message_id=99, reaction=emoji("👀")
    )
    assert lost == "Bad Request: message to react not found"


async def test_a_press_must_be_answered_in_time(served: Served, you: Person) -> None:
    message = await served.call("sendMessage", chat_id=you.user_id, text="?")
    early = await you.press(message["result"]["message_id"], "x")
    assert (await served.call("answerCallbackQuery", callback_query_id=early))["ok"]
    late = await you.press(message["result"]["message_id"], "x")
    served.clock.move(timedelta(seconds=16))

    refusal = await served.refusal("answerCallbackQuery", callback_query_id=late)

    assert refusal == ("Bad Request: query is too old and response timeout expired or query ID is invalid")


async def test_messages_older_than_two_days_stay(served: Served, you: Person) -> None:
    message = await served.call("sendMessage", chat_id=you.user_id, text="?")
    served.clock.move(timedelta(hours=49))

    refusal = await served.refusal(
        "deleteMessage", chat_id=you.user_id, message_id=message["result"]["message_id"]
    )

    assert refusal == "Bad Request: message can't be deleted for everyone"


async def test_commands_and_texts_of_the_profile_have_their_rules(served: Served, you: Person) -> None:
    def commands(name: str, description: str) -> dict[str, Any]:
        return {"commands": [{"command": name, "description": description}]}

    assert (
        await served.refusal("setMyCommands", **commands("Start", "x")) == "Bad Request: BOT_COMMAND_INVALID"
    )
    assert await served.refusal("setMyCommands", **commands("start", "")) == (
        "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"
    )
    elsewhere = {"type": "chat", "chat_id": 1}
    assert await served.refusal("setMyCommands", **commands("start", "x"), scope=elsewhere) == (
        "Bad Request: chat not found"
    )
    assert await served.refusal("setMyDescription", description="x" * 513) == (
        "Bad Request: description is too long"
    )


async def test_unknown_methods_tokens_and_paths_are_not_found(served: Served) -> None:
    token = served.chat.identity.token
    paths = f"/bot{token}/sendSticker", "/bot1:wrong/getMe", f"/file/bot{token}/photos/file_9.jpg"

    answers = [await served.client.get(path) for path in paths]

    assert [(one.status_code, one.json()["description"]) for one in answers] == [
        (404, "Not Found"),
        (401, "Unauthorized"),
        (404, "Not Found"),
    ]


async def test_method_names_are_read_in_any_case_and_unknown_parameters_ignored(
    served: Served, you: Person
) -> None:
    answer = await served.call("SENDmessage", chat_id=you.user_id, text="hi", moon_phase="full")

    assert answer["ok"]


async def test_parameters_come_in_the_address_a_form_or_json(served: Served, you: Person) -> None:
    address = f"/bot{served.chat.identity.token}/sendMessage"
    fields = {"chat_id": str(you.user_id), "text": "hi"}

    answers = [
        await served.client.get(address, params=fields),
        await served.client.post(address, data=fields),
        await served.client.post(address, files={name: (None, value) for name, value in fields.items()}),
        await served.client.post(address, json={"chat_id": you.user_id, "text": "hi"}),
    ]

    assert [answer.json()["result"]["text"] for answer in answers] == ["hi"] * 4


@pytest.mark.parametrize("chat_id", ["one", "--5", "²", 2**63, -(2**63) - 1, "9" * 5000, [], 1e400])
@pytest.mark.parametrize("method", ["sendMessage", "deleteMessage", "getChat", "setChatMenuButton"])
async def test_a_chat_that_cannot_be_is_not_found(
    served: Served, method: str, chat_id: str | float | list[int]
) -> None:
    refusal = await served.refusal(method, chat_id=chat_id, text="hi", message_id=1)

    assert refusal == "Bad Request: chat not found"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("sendMessage", {"reply_markup": "9" * 5000}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [[{"text": "x", "url": "http://["}]]}}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [[{"text": "x", "web_app": {"url": "//["}}]]}}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [[{"text": "\ud83d", "callback_data": "x"}]]}}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [[{"text": 1e400, "callback_data": "x"}]]}}),
        ("sendMessage", {"reply_parameters": "9" * 5000}),
        ("setMyCommands", {"commands": [], "scope": {"type": "chat", "chat_id": 10**30}}),
        ("setChatMenuButton", {"menu_button": {"type": []}}),
        ("setChatMenuButton", {"menu_button": {"type": "web_app", "web_app": "x"}}),
        ("setChatMenuButton", {"menu_button": {"type": "web_app", "web_app": {"url": "http://["}}}),
        ("sendMediaGroup", {"media": [{"type": []}, {"type": []}]}),
    ],
)
async def test_parameters_that_cannot_be_are_refused_and_leave_nothing_behind(
    served: Served, you: Person, method: str, parameters: dict[str, Any]
) -> None:
    refusal = await served.refusal(method, chat_id=you.user_id, text="hi", **parameters)

    assert refusal.startswith("Bad Request: ")
    assert (await served.client.get("/localchat/state")).status_code == 200
    assert (await served.client.get(f"/localchat/chats/{you.user_id}/messages")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "hello", "user_id": Infinity}',
        b'{"text": "hello", "user_id": 1e400}',
        b'{"text": "hello", "reply_to": 99999999999999999999}',
        b'{"text": "half of a pair: \\ud83d"}',
        b"[" * 100_000,
    ],
)
async def test_what_no_page_sends_is_refused_or_read_as_nothing_and_breaks_nothing(
    served: Served, you: Person, body: bytes
) -> None:
    complete = body.replace(b"{", b'{"user_id": %d, ' % you.user_id, 1) if b"user_id" not in body else body
    path = f"/localchat/chats/{you.user_id}/messages"
    answer = await you.client.post(path, content=complete, headers={"Content-Type": "application/json"})

    assert answer.status_code in {200, 400, 403, 404}
