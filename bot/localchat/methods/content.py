"""What a message says and shows, from a call's parameters."""

from collections.abc import Mapping
from typing import Any

from bot.localchat import entities, files
from bot.localchat.errors import BadRequestError
from bot.localchat.parameters import Parameters, Upload
from bot.localchat.state import Json, State

MEDIA = ("photo", "document")


def text(parameters: Parameters) -> Json:
    """The fields `text` and `entities` of a message.

    Raises:
        BadRequestError: nothing to say, too much of it, or formatted wrongly.
    """
    plain, found = _formatted(parameters, "text", "entities")
    if not plain:
        raise BadRequestError("message text is empty")
    if entities.utf16(plain) > entities.MAXIMUM_TEXT:
        raise BadRequestError("message is too long")
    return {"text": plain, **({"entities": found} if found else {})}


def caption(parameters: Parameters) -> Json:
    """The fields `caption` and `caption_entities` of a message; none of them for no caption."""
    plain, found = _formatted(parameters, "caption", "caption_entities")
    if entities.utf16(plain) > entities.MAXIMUM_CAPTION:
        raise BadRequestError("message caption is too long")
    return {
        **({"caption": plain} if plain else {}),
        **({"caption_entities": found} if found else {}),
    }


async def photo(state: State, parameters: Parameters, name: str = "photo") -> Json:
    """The field `photo` of a message: uploaded, or one that was in a chat before."""
    reference = parameters.text(name)
    upload = parameters.upload(reference or name)
    if upload is None and not reference:
        raise BadRequestError("there is no photo in the request")
    if upload is not None:
        photo_id = await files.save_photo(state, upload.data)
    async with state.transaction() as transaction:
        if upload is None:
            row = await files.find(transaction, _file_id(reference))
            if row.kind != "photos":
                raise BadRequestError("can't use file of type Document as Photo")
            photo_id = row.photo_id
        return {"photo": await files.photo(transaction, photo_id)}


async def document(state: State, parameters: Parameters, name: str = "document") -> Json:
    """The field `document` of a message: uploaded, or one that was in a chat before."""
    reference = parameters.text(name)
    upload = parameters.upload(reference or name)
    if upload is None and not reference:
        raise BadRequestError("there is no document in the request")
    file_id = _file_id(reference) if upload is None else await files.save_document(state, upload)
    async with state.transaction() as transaction:
        return {"document": await files.document(transaction, file_id)}


async def media(state: State, item: Any, uploads: Mapping[str, Upload]) -> Json:
    """A message's fields for an InputMedia: its photo or document, and its caption."""
    if not isinstance(item, dict) or item.get("type") not in MEDIA:
        raise BadRequestError("can't parse InputMedia: expected a photo or a document")
    parameters = Parameters({**item, item["type"]: item.get("media")}, dict(uploads))
    shown = photo if item["type"] == "photo" else document
    return {**await shown(state, parameters), **caption(parameters)}


def _file_id(reference: str) -> str:
    if reference.startswith(("http://", "https://")):
        raise BadRequestError("failed to get HTTP URL content")
    if reference.startswith("attach://"):
        raise BadRequestError("wrong file identifier/HTTP URL specified")
    return reference


def _formatted(parameters: Parameters, name: str, entities_name: str) -> tuple[str, list[Json]]:
    source = parameters.text(name)
    mode = parameters.text("parse_mode").lower()
    if mode == "html":
        return entities.finish(*entities.parse_html(source))
    if mode:
        raise BadRequestError("unsupported parse_mode")
    given = parameters.json(entities_name, "entities") or []
    if not isinstance(given, list) or not all(_is_entity(entity) for entity in given):
        raise BadRequestError("can't parse entities JSON object")
    return entities.finish(source, given)


def _is_entity(entity: Any) -> bool:
    return (
        isinstance(entity, dict)
        and isinstance(entity.get("type"), str)
        and isinstance(entity.get("offset"), int)
        and isinstance(entity.get("length"), int)
    )
