"""A call's parameters: from the query, a form, or JSON, read as the Bot API reads them."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.localchat.errors import BadRequestError


@dataclass(frozen=True)
class Upload:
    """A file that came with the call."""

    file_name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True)
class Parameters:
    """Values by name; unknown names are nobody's business."""

    values: dict[str, Any]
    uploads: dict[str, Upload] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self.uploads

    def text(self, name: str) -> str:
        """The value as a string; "" where it is missing."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """The value as an integer of 64 bits; the default where it is missing or none."""
        try:
            value = int(self.values.get(name, default))
        except (TypeError, ValueError, OverflowError):
            return default
        return value if -(1 << 63) <= value < 1 << 63 else default

    def message_id(self, name: str) -> int | None:
        """The value as a message's id; None where it is missing or 0.

        Raises:
            BadRequestError: no message can have it.
        """
        number = self.integer(name, default=-1) if self.values.get(name) else 0
        if number < 0:
            raise BadRequestError("message identifier is not specified")
        return number or None

    def boolean(self, name: str) -> bool:
        """Whether the value says yes."""
        return str(self.values.get(name, "")).lower() in {"true", "yes", "1"}

    def json(self, name: str, what: str = "") -> Any:
        """The value as JSON, which forms carry as text; None where it is missing or empty.

        Raises:
            BadRequestError: it is none that can be kept; ``what`` names it as Telegram does.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        return _parsed(value, f"{what or name} JSON object")

    def upload(self, reference: str) -> Upload | None:
        """The file that "attach://name" or a parameter's own name stands for."""
        return self.uploads.get(reference.removeprefix("attach://"))


async def of(request: Request) -> Parameters:
    """All parameters of a request; those of the body win over those of the address."""
    values: dict[str, Any] = dict(request.query_params)
    uploads: dict[str, Upload] = {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        values |= await _json_body(request)
    elif content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form(max_part_size=1 << 20) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    uploads[name] = await _upload(value)
                else:
                    values[name] = value
    return Parameters(values, uploads)


async def _json_body(request: Request) -> dict[str, Any]:
    body = await request.body()
    values = _parsed(body, "JSON object") if body else {}
    if not isinstance(values, dict):
        raise BadRequestError("object expected")
    return values


def _parsed(text: str | bytes, what: str) -> Any:
    """What a JSON text holds, which can be written as JSON again.

    Raises:
        BadRequestError: no JSON, a number that is none, or half of a surrogate pair, which is no character.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as exc:
        raise BadRequestError("strings must be encoded in UTF-8") from exc
    except (ValueError, RecursionError) as exc:
        raise BadRequestError(f"can't parse {what}") from exc
    return value


async def _upload(file: UploadFile) -> Upload:
    mime_type = file.content_type or "application/octet-stream"
    return Upload(file.filename or "file", mime_type, await file.read())
