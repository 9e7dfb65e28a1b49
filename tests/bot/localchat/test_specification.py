"""Every method and every field of the local chat is one of the Bot API's, as Telegram documents it."""

import io
from typing import Any

import pytest
from PIL import Image

from bot.localchat import bot_api
from bot.localchat.methods import METHODS
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import State
from tests import data
from tests.bot.localchat.conftest import Served
from tests.bot.localchat.specification import Specification
from tests.bot.person import Person

Json = dict[str, Any]
BUTTONS = {
    "inline_keyboard": [
        [
            {"text": "7", "callback_data": "fix:1:7", "style": "success"},
            {"text": "copy", "copy_text": {"text": "7"}},
            {"text": "link", "url": "https://example.org"},
            {"text": "draw", "web_app": {"url": "https://example.org/draw"}},
        ]
    ]
}


@pytest.fixture(params=["api.json", "api-10.2.json"])
def specification(request: pytest.FixtureRequest) -> Specification:
    return Specification.load(data.folder("telegram-bot-api") / request.param)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).save(buffer, "JPEG")
    return buffer.getvalue()


class Caller:
    """Calls methods as a bot and remembers what came back."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.results: list[tuple[str, Any]] = []

    async def __call__(self, method: str, files: dict[str, bytes] | None = None, **parameters: Any) -> Any:
        answer = await self._served.call(method, files, **parameters)
        assert answer["ok"], (method, answer)
        self.results.append((method, answer["result"]))
        return answer["result"]


async def converse(call: Caller, you: Person) -> None:
    """A conversation in which every method is called and every kind of update comes."""
    chat = you.user_id
    await call("deleteWebhook", drop_pending_updates=True)
    await call(
        "getUpdates", allowed_updates=["message", "edited_message", "callback_query", "message_reaction"]
    )
    photo = await you.send_photo(picture(), caption="a #digit for @somebody, see https://example.org")
    await you.edit(photo["message_id"], "a seven")
    await you.send("/correct 7", reply_to=photo["message_id"])
    await you.send_file(picture(), "scan.png")
    await call("getFile", file_id=photo["photo"][-1]["file_id"])
    await call("sendChatAction", chat_id=chat, action="typing")
    text = await call(
        "sendMessage",
        chat_id=chat,
        text="<b>bold</b> <i>i</i> <u>u</u> <s>s</s> <tg-spoiler>x</tg-spoiler> <code>c</code> "
        '<pre><code class="language-python">p</code></pre> <a href="https://example.org">l</a> /help '
        "<blockquote expandable>q</blockquote>",
        parse_mode="HTML",
        reply_parameters={"message_id": photo["message_id"]},
        reply_markup=BUTTONS,
    )
    await you.press(text["message_id"], "fix:1:7")
    updates = await call("getUpdates")
    (query,) = [update["callback_query"] for update in updates if "callback_query" in update]
    await call("answerCallbackQuery", callback_query_id=query["id"], text="ok")
    await call(
        "editMessageText", chat_id=chat, message_id=text["message_id"], text="other", reply_markup=BUTTONS
    )
    await call("editMessageReplyMarkup", chat_id=chat, message_id=text["message_id"])
    shown = await call("sendPhoto", chat_id=chat, caption="what I saw", files={"photo": picture()})
    await call("editMessageCaption", chat_id=chat, message_id=shown["message_id"], caption="seen")
    await call(
        "editMessageMedia",
        chat_id=chat,
        message_id=shown["message_id"],
        media={"type": "photo", "media": "attach://new", "caption": "better"},
        files={"new": picture()},
    )
    document = await call("sendDocument", chat_id=chat, files={"document": picture()})
    pair = [{"type": "photo", "media": f"attach://{name}"} for name in "ab"]
    await call("sendMediaGroup", chat_id=chat, media=pair, files={"a": picture(), "b": picture()})
    await call(
        "setMessageReaction",
        chat_id=chat,
        message_id=photo["message_id"],
        reaction=[{"type": "emoji", "emoji": "👀"}],
    )
    await call("deleteMessage", chat_id=chat, message_id=document["message_id"])
    await you.react(shown["message_id"], "👍")
    await call("getUpdates", allowed_updates=[])
    await you.block()
    await call("getUpdates")


async def introduce(call: Caller, you: Person) -> None:
    """The bot says what it is, and asks what it may ask."""
    scope = {"type": "chat", "chat_id": you.user_id}
    await call("setMyCommands", commands=[{"command": "start", "description": "Hello"}], scope=scope)
    await call("getMyCommands", scope=scope)
    await call("deleteMyCommands", scope=scope)
    await call("setMyName", name="Digits")
    await call("setMyDescription", description="Reads digits.")
    await call("setMyShortDescription", short_description="Digits.")
    for text in ("Name", "Description", "ShortDescription"):
        await call(f"getMy{text}")
    await call("getMe")
    button = {"type": "web_app", "text": "Draw", "web_app": {"url": "https://example.org"}}
    await call("setChatMenuButton", chat_id=you.user_id, menu_button=button)
    await call("getChatMenuButton", chat_id=you.user_id)
    await call("getChatMenuButton")
    await call("getChat", chat_id=you.user_id)
    await call("getChatMember", chat_id=you.user_id, user_id=you.user_id)
    await call("setWebhook", url="https://example.org/hook", secret_token="s", allowed_updates=["message"])
    await call("getWebhookInfo")
    await call("deleteWebhook")
    await call("getWebhookInfo")
    await call("logOut")
    await call("close")


def test_every_method_is_one_of_the_bot_api(specification: Specification) -> None:
    assert METHODS.keys() <= specification.methods.keys()


async def test_every_result_is_of_the_documented_type(
    served: Served, you: Person, specification: Specification
) -> None:
    call = Caller(served)
    await introduce(call, you)
    await converse(call, you)

    faults = [
        fault for method, result in call.results for fault in specification.faults_of_result(method, result)
    ]

    assert faults == []
    assert {method for method, _ in call.results} == METHODS.keys(), "every method was called"


async def test_every_kind_of_update_is_of_the_documented_type(served: Served, you: Person) -> None:
    call = Caller(served)
    await converse(call, you)

    kinds = {
        kind
        for method, result in call.results
        if method == "getUpdates"
        for update in result
        for kind in update
    }

    assert kinds == {
        "update_id",
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
        "my_chat_member",
    }


async def test_only_documented_parameters_are_read(
    served: Served, you: Person, specification: Specification, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = record_parameters(monkeypatch)
    call = Caller(served)
    await introduce(call, you)
    await converse(call, you)

    undocumented = {
        method: names
        - specification.parameters(method)
        - {"reply_to_message_id", "allow_sending_without_reply"}
        for method, names in read.items()
    }
    ignored = {method: specification.required(method) - names for method, names in read.items()}

    assert not any(undocumented.values()), undocumented
    assert not any(ignored.values()), ignored


class Watched(dict[str, Any]):
    """Remembers which names were asked for."""

    def __init__(self, values: dict[str, Any], names: set[str]) -> None:
        super().__init__(values)
        self._names = names

    def get(self, key: str, default: Any = None, /) -> Any:
        self._names.add(key)
        return super().get(key, default)


def record_parameters(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Watch which parameters each method reads."""
    read: dict[str, set[str]] = {name: set() for name in METHODS}

    def watched(method: Method, names: set[str]) -> Method:
        async def call(state: State, parameters: Parameters) -> Any:
            names.update(parameters.uploads.keys() & {"photo", "document"})  # others are attached
            return await method(state, Parameters(Watched(parameters.values, names), parameters.uploads))

        return call

    for name, method in METHODS.items():
        monkeypatch.setitem(bot_api.BY_LOWER_NAME, name.lower(), (name, watched(method, read[name])))
    return read
