"""The page's HTTP: for this machine's own page only, and nothing in it runs what others sent."""

import json
import re
from gettext import NullTranslations
from pathlib import Path

import pytest

from bot import i18n
from bot.localchat import page
from bot.localchat.page_texts import page_texts
from bot.web.rendering import rendered
from tests.bot.localchat.conftest import Served
from tests.bot.person import Person

STATIC = Path(page.__file__).parent / "static"
MODULES = "".join(file.read_text(encoding="utf-8") for file in STATIC.glob("*.js"))
KEYS = {"Enter", "Escape", "Tab", "Files"}
"""Names of the browser's own in the page's modules."""


class Quoted(NullTranslations):
    """A language in which every sentence stands in quotes."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "digits.example.org"},
        {"Host": "192.168.1.7:8080"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"X-Forwarded-For": "10.1.2.3"},
    ],
)
async def test_only_the_own_page_on_this_machine_is_answered(
    served: Served, you: Person, headers: dict[str, str]
) -> None:
    message = {"user_id": you.user_id, "text": "hi"}

    answer = await served.client.post(
        f"/localchat/chats/{you.user_id}/messages", json=message, headers=headers
    )

    assert answer.status_code == 403
    assert await you.history() == []


async def test_a_page_of_another_site_cannot_look(served: Served) -> None:
    headers = {"Origin": "", "Sec-Fetch-Site": "cross-site"}

    assert (await served.client.get("/localchat/state", headers=headers)).status_code == 403


async def test_a_name_made_to_point_here_gets_no_page(served: Served) -> None:
    for host in "rebound.example.org", "[":
        assert (await served.client.get("/", headers={"Host": host})).status_code == 403
    assert (await served.client.get("/")).status_code == 200


async def test_the_page_needs_nothing_from_elsewhere(served: Served) -> None:
    sources = [path for path in STATIC.iterdir() if path.suffix in {".html", ".css", ".js"}]

    for path in sources:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
        assert "innerHTML" not in text, path.name
        answer = await served.client.get(f"/localchat/static/{path.name}")
        assert answer.status_code == 200
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 100_000


async def test_the_page_is_served_with_its_sentences(served: Served) -> None:
    answer = await served.client.get("/", headers={"Accept-Language": "xx-YY,en;q=0.8"})

    block = re.search(r'<script type="application/json" id="texts">(.*?)</script>', answer.text, re.DOTALL)
    assert block is not None
    assert json.loads(block[1]) == page_texts(i18n.texts("en"))
    assert '<html lang="en">' in answer.text
    assert answer.headers["vary"] == "Accept-Language"


def test_all_that_the_page_says_comes_from_the_catalogue() -> None:
    html = rendered(STATIC / "index.html", page_texts, Quoted())
    shown = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)

    spoken = re.findall(r'(?:aria-label|placeholder|title)="([^"]+)"', shown)
    written = [text.strip() for text in re.findall(r">([^<]+)<", shown) if text.strip()]

    assert [text for text in spoken + written if not re.search("«.+»", text)] == ["digitbot", "digitbot"]


def test_all_that_its_modules_say_comes_from_the_catalogue() -> None:
    literals = re.findall(r'["`]([A-Z][a-z]+(?: [^"`]*)?)["`]', MODULES)

    assert set(literals) <= KEYS
    assert "…" not in MODULES
    assert set(re.findall(r'say\("(\w+)"', MODULES)) <= page_texts(i18n.texts()).keys()


@pytest.mark.parametrize("language", i18n.languages())
def test_no_sentence_of_the_page_means_something_in_html(language: str) -> None:
    for sentence in page_texts(i18n.texts(language)).values():
        assert not re.search('[<&"]', sentence), sentence


async def test_the_policy_lets_no_foreign_script_run(served: Served) -> None:
    policy = (await served.client.get("/")).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


async def test_a_document_is_saved_never_shown(served: Served, you: Person) -> None:
    sent = await you.send_file(b"<script>alert(1)</script>", "page.html")

    answer = await served.client.get(f"/localchat/files/{sent['document']['file_id']}")

    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_web_app_opens_on_this_machine_only(served: Served, you: Person) -> None:
    async def launch(url: str) -> int:
        body = {"user_id": you.user_id, "url": url}
        return (await served.client.post("/localchat/launch", json=body)).status_code

    assert await launch("http://127.0.0.1:8080/draw") == 200
    assert await launch("https://example.org/draw") == 400
    assert await launch("http://127.0.0.1//example.org/draw") == 400


async def test_a_page_hears_of_messages_edits_reactions_actions_and_answers(
    served: Served, you: Person
) -> None:
    chat = you.user_id
    events: list[dict[str, object]] = []
    async with served.client.stream("GET", "/localchat/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "event: ready"
        sent = await you.send("hi")
        await served.call("sendChatAction", chat_id=chat, action="typing")
        message = (await served.call("sendMessage", chat_id=chat, text="7?"))["result"]["message_id"]
        await served.call("editMessageText", chat_id=chat, message_id=message, text="7!")
        reaction = [{"type": "emoji", "emoji": "👀"}]
        await served.call(
            "setMessageReaction", chat_id=chat, message_id=sent["message_id"], reaction=reaction
        )
        query = await you.press(message, "x")
        await served.call("answerCallbackQuery", callback_query_id=query, text="thanks")
        await served.call("deleteMessage", chat_id=chat, message_id=message)
        async for line in lines:
            if line.startswith('data: {"'):
                events.append(json.loads(line.removeprefix("data: ")))
            if events and events[-1]["type"] == "delete":
                break

    kinds = [event["type"] for event in events]
    assert kinds == ["message", "action", "message", "edit", "reactions", "answer", "delete"]
    assert {event["chat_id"] for event in events} == {chat}
    assert events[5]["text"] == "thanks"
    assert events[4]["reactions"] == [{"user_id": served.chat.identity.bot_id, "emoji": "👀"}]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"chats/{'9' * 30}/messages"),
        ("GET", "chats/one/messages"),
        ("GET", "chats/404/messages"),
        ("GET", "chats/{you}/messages?before=one"),
        ("GET", f"chats/{{you}}/messages?before={2**64}"),
        ("POST", f"chats/{{you}}/messages/{2**64}"),
        ("POST", f"chats/{{you}}/messages/{'9' * 5000}/press"),
        ("POST", "chats/404/clear"),
        ("POST", "chats/{you}/messages/404"),
        ("POST", "chats/{you}/messages/-1/reaction"),
        ("GET", f"samples/{'9' * 5000}/1"),
        ("GET", "samples/1/-1"),
        ("GET", "files/%2e%2e%2f%2e%2e"),
        ("GET", "static/..%2fpage.py"),
        ("GET", "nothing"),
    ],
)
async def test_addresses_of_nothing_are_refused_in_words(
    served: Served, you: Person, method: str, path: str
) -> None:
    asked = {"user_id": you.user_id, "text": "x", "data": "x", "emoji": "👍"}
    address = f"/localchat/{path.format(you=you.user_id)}"

    answer = await served.client.request(method, address, json=asked if method == "POST" else None)

    assert answer.status_code in {400, 404}
    assert answer.text


@pytest.mark.parametrize("reply_to", ["one", -1, 2**64, "9" * 5000, 404])
async def test_what_would_answer_a_message_that_cannot_be_is_not_sent(
    served: Served, you: Person, reply_to: str | int
) -> None:
    asked = {"user_id": you.user_id, "text": "x", "reply_to": reply_to}

    answer = await served.client.post(f"/localchat/chats/{you.user_id}/messages", json=asked)

    assert answer.status_code == 400
    assert answer.json()["description"].startswith("Bad Request: message")
    assert await you.history() == []


@pytest.mark.parametrize(
    "url", ["", "http://[", "http://[::1", "https://example.org/draw", "//", "http://127.0.0.1//x"]
)
async def test_no_web_app_opens_at_an_address_elsewhere_or_at_none(
    served: Served, you: Person, url: str
) -> None:
    answer = await served.client.post("/localchat/launch", json={"user_id": you.user_id, "url": url})

    assert answer.status_code == 400


async def test_sample_photos_are_pictures_and_the_same_each_time(served: Served) -> None:
    first = await served.client.get("/localchat/samples/5/0")
    again = await served.client.get("/localchat/samples/5/0")
    beyond = await served.client.get("/localchat/samples/5/12")

    assert first.headers["content-type"] == "image/jpeg"
    assert first.content == again.content
    assert beyond.status_code == 404


async def test_older_history_comes_in_pieces(served: Served, you: Person) -> None:
    for number in range(page.PAGE_LENGTH + 2):
        await served.call("sendMessage", chat_id=you.user_id, text=str(number))

    newest = (await served.client.get(f"/localchat/chats/{you.user_id}/messages")).json()
    oldest = newest["messages"][0]["message"]["message_id"]
    rest = (await served.client.get(f"/localchat/chats/{you.user_id}/messages?before={oldest}")).json()

    assert [seen["message"]["text"] for seen in rest["messages"]] == ["0", "1"]
    assert (newest["complete"], rest["complete"]) == (False, True)
