"""Formatted text becomes plain text with entities, counted in UTF-16 code units."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.localchat.entities import find, finish, parse_html, utf16
from bot.localchat.errors import BadRequestError


def spans(text: str, entities: list[dict[str, object]]) -> list[tuple[str, str]]:
    """Types and the words that they cover, read back as a client reads them."""
    units = text.encode("utf-16-le")
    found = []
    for entity in entities:
        start, length = entity["offset"], entity["length"]
        assert isinstance(start, int)
        assert isinstance(length, int)
        found.append((str(entity["type"]), units[2 * start : 2 * (start + length)].decode("utf-16-le")))
    return found


@pytest.mark.parametrize(
    ("source", "plain", "expected"),
    [
        ("a <b>b</b>", "a b", [("bold", "b")]),
        ("😀 <i>x<b>y</b></i>", "😀 xy", [("italic", "xy"), ("bold", "y")]),
        ("<STRONG>x</STRONG>", "x", [("bold", "x")]),
        ('<a href="https://e.org/?a=1&amp;b=2">l</a>', "l", [("text_link", "l")]),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", "s")]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", "q")]),
        ('<pre><code class="language-py">p</code></pre>', "p", [("pre", "p")]),
        ("1 &lt; 2 &amp;&#38; &quot;3&quot; &nbsp;", '1 < 2 && "3" &nbsp;', []),
        ("<b></b>x", "x", []),
        ('<a href="nonsense">x</a>', "x", []),
    ],
)
def test_html_becomes_text_and_entities(source: str, plain: str, expected: list[tuple[str, str]]) -> None:
    text, entities = parse_html(source)

    assert text == plain
    assert spans(text, entities) == expected


def test_links_and_languages_are_kept() -> None:
    _, (link,) = parse_html('<a href="https://e.org/?a=1&amp;b=2">l</a>')
    _, (block,) = parse_html('<pre><code class="language-py">p</code></pre>')

    assert link["url"] == "https://e.org/?a=1&b=2"
    assert block["language"] == "py"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("ü <", 'Unsupported start tag "" at byte offset 3'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_bad_html_is_refused_with_the_place(source: str, complaint: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        parse_html(source)

    assert str(refusal.value) == f"Bad Request: can't parse entities: {complaint}"


@given(st.text())
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    plain, entities = parse_html(f"<b>{html.escape(text)}</b>")

    assert plain == text.replace("'", "'")
    assert spans(plain, entities) == ([("bold", text)] if text else [])


@given(st.text(alphabet="ab <>/&;=\"'bipre", max_size=40))
def test_any_text_is_parsed_or_refused(source: str) -> None:
    try:
        plain, entities = parse_html(source)
    except BadRequestError:
        return
    assert all(entity["offset"] + entity["length"] <= utf16(plain) for entity in entities)


def test_blanks_around_a_text_go_and_its_entities_move_along() -> None:
    text, entities = finish(*parse_html(" \n <b> x </b> "))

    assert text == "x"
    assert spans(text, entities) == [("bold", "x")]


def test_commands_mentions_hashtags_and_links_are_found() -> None:
    text = "😀 /correct@my_bot 7, ask @somebody about #seven at https://e.org/x?y=1. Not a/b or e@mail"

    assert spans(text, find(text)) == [
        ("bot_command", "/correct@my_bot"),
        ("mention", "@somebody"),
        ("hashtag", "#seven"),
        ("url", "https://e.org/x?y=1"),
    ]


def test_nothing_is_found_in_code() -> None:
    text, entities = finish(*parse_html("<code>/correct 7</code> /help"))

    assert spans(text, entities) == [("code", "/correct 7"), ("bot_command", "/help")]
