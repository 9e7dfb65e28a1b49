"""What the chat page sees, over HTTP: its own files, people, chats, history, pictures, live events."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount

from bot.localchat import chats, files, messages
from bot.localchat.deeds import Deeds
from bot.localchat.errors import NotFoundError
from bot.localchat.methods import profile
from bot.localchat.page_texts import page_texts
from bot.localchat.parameters import Parameters
from bot.localchat.routing import PROTECTION, is_visit, route
from bot.localchat.state import State
from bot.web import pages
from bot.web.rendering import localised
from model.learning.camera import SamplePhoto, sample_photos

FILES = Path(__file__).parent / "static"
HEARTBEAT = 15.0
"""Seconds between signs of life on a quiet stream of events."""

PAGE_LENGTH = 60
"""Messages in one answer."""

FILE_HEADERS = {**PROTECTION, "Cache-Control": "no-cache"}
PAGE_HEADERS = {**FILE_HEADERS, "Vary": "Accept-Language"}
STATIC_FILES = {path.name: path for path in (*FILES.iterdir(), pages.STATIC / "texts.js")}

SAMPLES = 12
"""Sample photos in one set."""


class Page:
    """Serves the chat page at `/` and what it asks for under `/localchat/`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._samples: dict[int, asyncio.Task[list[SamplePhoto]]] = {}  # the newest set, by its seed

    def routes(self) -> list[BaseRoute]:
        """What it answers to."""
        api = [
            route("/static/{name}", self._static, guard=is_visit),
            route("/state", self._describe),
            route("/events", self._events),
            route("/files/{file_id}", self._file),
            route("/samples/{seed:signed}/{index:signed}", self._sample),
            route("/chats/{chat_id:signed}/messages", self._history),
        ]
        return [
            route("/", self._index, guard=is_visit),
            Mount("/localchat", routes=[*api, *Deeds(self._state).routes()]),
        ]

    async def _index(self, request: Request) -> Response:
        return HTMLResponse(localised(FILES / "index.html", page_texts, request), headers=PAGE_HEADERS)

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC_FILES:
            raise NotFoundError
        return FileResponse(STATIC_FILES[name], headers=FILE_HEADERS)

    async def _describe(self, _request: Request) -> Response:
        """Who is there and what each person sees of the bot."""
        identity = self._state.identity
        async with self._state.transaction() as transaction:
            all_chats = await chats.all_chats(transaction)
            described = [
                {
                    **chat,
                    "commands": await profile.shown_commands(transaction, chat),
                    "menu_button": await profile.shown_menu_button(transaction, str(chat["id"])),
                    "blocked": await chats.is_blocked(transaction, chat["id"]),
                    "last": await messages.history(transaction, chat["id"], None, 1),
                }
                for chat in all_chats
            ]
            bot = await chats.bot(transaction)
            texts = await profile.texts(transaction)
        users = [{**account.user(), "role": account.role} for account in identity.people]
        return JSONResponse({"bot": {**bot, **texts}, "users": users, "chats": described})

    async def _history(self, request: Request) -> Response:
        before = Parameters(dict(request.query_params)).message_id("before")
        async with self._state.transaction() as transaction:
            chat = await chats.get(transaction, request.path_params["chat_id"])
            found = await messages.history(transaction, chat["id"], before, PAGE_LENGTH)
        return JSONResponse({"messages": found, "complete": len(found) < PAGE_LENGTH})

    async def _file(self, request: Request) -> Response:
        """A picture to show, or any other file to save: never a page that could run scripts here."""
        async with self._state.transaction() as transaction:
            row = await files.find(transaction, request.path_params["file_id"])
            found = await files.content(transaction, row.number)
        if found is None:
            raise NotFoundError
        data, mime_type, _ = found
        headers = {**PROTECTION, "Cache-Control": "private, max-age=86400, immutable"}
        if row.kind == "documents":
            mime_type = "application/octet-stream"
            headers["Content-Disposition"] = "attachment"
        return Response(data, media_type=mime_type, headers=headers)

    async def _sample(self, request: Request) -> Response:
        """One photo of a set of drawn digits, for who has no pen at hand."""
        seed, index = request.path_params["seed"], request.path_params["index"]
        if not (0 <= index < SAMPLES and 0 <= seed < 2**32):
            raise NotFoundError
        if seed not in self._samples:
            drawing = asyncio.to_thread(sample_photos, SAMPLES, seed)
            self._samples = {seed: asyncio.create_task(drawing)}
        samples = await self._samples[seed]
        headers = {**PROTECTION, "Cache-Control": "private, max-age=86400, immutable"}
        return Response(samples[index].jpeg, media_type="image/jpeg", headers=headers)

    async def _events(self, _request: Request) -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        with self._state.bus.subscription() as subscription:
            yield "event: ready\ndata: {}\n\n"
            while True:
                try:
                    event = await subscription.next(HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield f"data: {json.dumps(event)}\n\n"
