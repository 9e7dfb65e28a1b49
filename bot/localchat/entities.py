"""Formatted text: HTML to plain text with entities, and the entities that Telegram finds by itself.

Offsets and lengths count UTF-16 code units, as everywhere in the Bot API
(https://core.telegram.org/bots/api#formatting-options).
"""

import html
import re
from dataclasses import dataclass
from typing import NoReturn

from bot.localchat.errors import BadRequestError
from bot.localchat.state import Json

MAXIMUM_TEXT = 4096
MAXIMUM_CAPTION = 1024
MAXIMUM_ENTITIES = 100

TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
TAG = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*>"
)
ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,:;!?)\]])"
    r"|(?<![\w/@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<![\w/@])(?P<mention>@[A-Za-z][A-Za-z0-9_]{2,31})(?![\w/])"
    r"|(?<![\w/#])(?P<hashtag>#\w*[^\W\d]\w*)"
)


def utf16(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class _OpenTag:
    name: str
    attributes: dict[str, str]
    offset: int  # UTF-16 code units


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Plain text and entities of a text in Telegram's HTML.

    Raises:
        BadRequestError: "can't parse entities: ...", as Telegram says it.
    """
    plain: list[str] = []
    length = 0
    opened: list[_OpenTag] = []
    entities: list[Json] = []
    position = 0
    while position < len(source):
        if source[position] == "<":
            tag = _tag(source, position)
            if tag[1]:
                entities += _close(opened, tag[2].lower(), length, _bytes(source, position))
            else:
                opened.append(_OpenTag(tag[2].lower(), _attributes(tag[3]), length))
            position = tag.end()
            continue
        end = source.find("<", position)
        end = len(source) if end < 0 else end
        piece = REFERENCE.sub(lambda reference: html.unescape(reference[0]), source[position:end])
        plain.append(piece)
        length += utf16(piece)
        position = end
    if opened:
        _fail(f'Can\'t find end tag corresponding to start tag "{opened[-1].name}"')
    return "".join(plain), _nested(entities)


def finish(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Text without blanks around it, its entities, and those that Telegram finds by itself."""
    leading = utf16(text) - utf16(text.lstrip())
    trimmed = text.strip()
    total = utf16(trimmed)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - leading)
        end = min(total, entity["offset"] + entity["length"] - leading)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    taken = [entity for entity in kept if entity["type"] in {"code", "pre", "text_link"}]
    found = [entity for entity in find(trimmed) if not any(_overlap(entity, other) for other in taken)]
    return trimmed, _nested(kept + found)[:MAXIMUM_ENTITIES]


def find(text: str) -> list[Json]:
    """Commands, mentions, hashtags and links in a plain text."""
    return [
        {
            "type": match.lastgroup,
            "offset": utf16(text[: match.start()]),
            "length": utf16(match[0]),
        }
        for match in FOUND.finditer(text)
    ]


def _tag(source: str, position: int) -> re.Match[str]:
    name = re.split(r"[\s>]", source[position + 1 :], maxsplit=1)[0].removeprefix("/").lower()
    offset = _bytes(source, position)
    closing = source.startswith("</", position)
    tag = TAG.match(source, position)
    if not closing and name not in TYPES:
        _fail(f'Unsupported start tag "{name}" at byte offset {offset}')
    if tag is None:
        _fail(f"Unclosed {'end' if closing else 'start'} tag at byte offset {offset}")
    if not closing and name == "span" and _attributes(tag[3]).get("class") != "tg-spoiler":
        _fail(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    return tag


def _attributes(text: str) -> dict[str, str]:
    return {
        match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "")
        for match in ATTRIBUTE.finditer(text)
    }


def _close(opened: list[_OpenTag], name: str, end: int, byte_offset: int) -> list[Json]:
    if not opened:
        _fail(f"Unexpected end tag at byte offset {byte_offset}")
    tag = opened.pop()
    if tag.name != name:
        _fail(f'Unmatched end tag at byte offset {byte_offset}, expected "</{tag.name}>", found "</{name}>"')
    if end == tag.offset:
        return []
    entity: Json = {"type": TYPES[name], "offset": tag.offset, "length": end - tag.offset}
    if name == "a":
        if not tag.attributes.get("href", "").startswith(("http://", "https://", "tg://", "mailto:")):
            return []
        entity["url"] = tag.attributes["href"]
    if name == "blockquote" and "expandable" in tag.attributes:
        entity["type"] = "expandable_blockquote"
    language = tag.attributes.get("class", "").removeprefix("language-")
    if name == "code" and language and opened and opened[-1].name == "pre":
        opened[-1].attributes["language"] = language
        return []
    if name == "pre" and "language" in tag.attributes:
        entity["language"] = tag.attributes["language"]
    return [entity]


def _nested(entities: list[Json]) -> list[Json]:
    """Outer entities before inner ones."""
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _overlap(one: Json, other: Json) -> bool:
    ends = one["offset"] + one["length"], other["offset"] + other["length"]
    return bool(one["offset"] < ends[1] and other["offset"] < ends[0])


def _bytes(source: str, position: int) -> int:
    return len(source[:position].encode())


def _fail(detail: str) -> NoReturn:
    raise BadRequestError(f"can't parse entities: {detail}")
