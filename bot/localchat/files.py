"""The files in the chats: photos in sizes, documents as they came; the oldest go when there are too many."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from bot.localchat import photos, tables
from bot.localchat.errors import BadRequestError
from bot.localchat.parameters import Upload
from bot.localchat.state import Json, State, Transaction
from bot.localchat.tables import StoredRow

MAXIMUM_UPLOAD = 50 << 20
MAXIMUM_DOWNLOAD = 20 << 20
"""Bytes that a bot may send, and that it may fetch."""

ROOM = 300 << 20
"""Bytes of files that `localchat.db` keeps."""

files = tables.files


@dataclass(frozen=True)
class _Part:
    """One size of a photo, a document, or its small picture."""

    kind: str
    file_name: str
    mime_type: str
    width: int
    height: int
    data: bytes

    @classmethod
    def of(cls, rendition: photos.Rendition, kind: str) -> "_Part":
        return cls(kind, f"{kind}.jpg", "image/jpeg", rendition.width, rendition.height, rendition.data)


async def save_photo(state: State, data: bytes) -> str:
    """Keep a photo in Telegram's sizes and return its photo_id."""
    renditions = await asyncio.to_thread(photos.sizes, data)
    photo_id = state.random_text(16)
    async with state.transaction() as transaction:
        for rendition in renditions:
            await _insert(state, transaction, photo_id, _Part.of(rendition, "photos"))
        await _make_room(transaction, keep=photo_id)
    return photo_id


async def save_document(state: State, upload: Upload) -> str:
    """Keep a file as it is, with a small picture if it is one, and return its file_id."""
    if len(upload.data) > MAXIMUM_UPLOAD:
        raise BadRequestError("file is too big")
    if not upload.data:
        raise BadRequestError("file must be non-empty")
    picture = await asyncio.to_thread(photos.thumbnail, upload.data)
    photo_id = state.random_text(16)
    async with state.transaction() as transaction:
        if picture is not None:
            await _insert(state, transaction, photo_id, _Part.of(picture, "thumbnails"))
        original = _Part("documents", upload.file_name, upload.mime_type, 0, 0, upload.data)
        file_id = await _insert(state, transaction, photo_id, original)
        await _make_room(transaction, keep=photo_id)
    return file_id


async def photo(transaction: Transaction, photo_id: str) -> list[Json]:
    """A photo's sizes as the Bot API describes them, smallest first."""
    return [_photo_size(row) for row in await _parts(transaction, photo_id)]


async def document(transaction: Transaction, file_id: str) -> Json:
    """A file as the Bot API describes it."""
    row = await find(transaction, file_id)
    described = {
        "file_id": row.file_id,
        "file_unique_id": row.file_unique_id,
        "file_name": row.file_name,
        "mime_type": row.mime_type,
        "file_size": row.size,
    }
    small = [part for part in await _parts(transaction, row.photo_id) if part.kind == "thumbnails"]
    if small:
        described["thumbnail"] = _photo_size(small[0])
    return described


async def find(transaction: Transaction, file_id: str) -> StoredRow:
    """The row of a file, without its bytes.

    Raises:
        BadRequestError: there is no such file, or no more.
    """
    columns = [column for column in files.c if column.name != "data"]
    query = select(*columns).where(files.c.file_id == file_id)
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise BadRequestError("wrong file_id or the file is temporarily unavailable")
    return row


async def content(transaction: Transaction, number: int) -> tuple[bytes, str, str] | None:
    """Bytes, MIME type and name of the file with this number."""
    query = select(files.c.data, files.c.mime_type, files.c.file_name).where(files.c.number == number)
    row = (await transaction.connection.execute(query)).one_or_none()
    return None if row is None else (row.data, row.mime_type, row.file_name)


def path(row: StoredRow) -> str:
    """The file_path of a file: folder, number, extension."""
    _, dot, extension = row.file_name.rpartition(".")
    return f"{row.kind}/file_{row.number}{dot}{extension if dot else ''}"


async def _parts(transaction: Transaction, photo_id: str) -> list[StoredRow]:
    columns = [column for column in files.c if column.name != "data"]
    query = select(*columns).where(files.c.photo_id == photo_id).order_by(files.c.width)
    return list(await transaction.connection.execute(query))


def _photo_size(row: StoredRow) -> Json:
    return {
        "file_id": row.file_id,
        "file_unique_id": row.file_unique_id,
        "width": row.width,
        "height": row.height,
        "file_size": row.size,
    }


async def _insert(state: State, transaction: Transaction, photo_id: str, part: _Part) -> str:
    file_id = state.random_text(64)
    await transaction.connection.execute(
        insert(files).values(
            file_id=file_id,
            file_unique_id=state.random_text(16),
            photo_id=photo_id,
            size=len(part.data),
            **vars(part),
        )
    )
    return file_id


async def _make_room(transaction: Transaction, keep: str) -> None:
    """Drop the oldest files until the rest fits; their messages stay, their pictures are gone."""
    total = (await transaction.connection.execute(select(func.sum(files.c.size)))).scalar_one()
    if total <= ROOM:
        return
    rows = await transaction.connection.execute(
        select(files.c.number, files.c.size).where(files.c.photo_id != keep).order_by(files.c.number)
    )
    for number, size in rows.all():
        if total <= ROOM:
            break
        await transaction.connection.execute(delete(files).where(files.c.number == number))
        total -= size
