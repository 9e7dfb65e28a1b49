"""The chat page's HTTP: its files at `/`, what people do under `/localchat/`, and live events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from bot.localchat import chats, files, messages, parameters, people
from bot.localchat.errors import ApiError, BadRequestError, ForbiddenError, NotFoundError
from bot.localchat.keyboards import LOOPBACK
from bot.localchat.methods import profile
from bot.localchat.parameters import Parameters
from bot.localchat.state import Account, State
from bot.web.access import is_own_page
from bot.web.init_data import sign
from model.learning.camera import SamplePhoto, sample_photos

FILES = Path(__file__).parent / "static"
HEARTBEAT = 15.0
"""Seconds between signs of life on a quiet stream of events."""

PAGE_LENGTH = 60
"""Messages in one answer."""

PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; frame-src 'self' https:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

PAGE_HEADERS = {**PROTECTION, "Cache-Control": "no-cache"}
STATIC_NAMES = frozenset(path.name for path in FILES.iterdir())

SAMPLES = 12
"""Sample photos in one set."""

WEB_APP_VERSION = "9.1"


class SignedConvertor(Convertor[int]):
    """Ids in paths: those of groups are negative."""

    regex = r"-?\d{1,18}"

    def convert(self, value: str) -> int:
        """The number that a path names."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The number as a path names it."""
        return str(value)


register_url_convertor("signed", SignedConvertor())

Handler = Callable[[Request], Awaitable[Response]]
Guard = Callable[[Request], bool]


class Page:
    """Answers the chat page's requests; only pages of this very server on this very machine may ask."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._samples: dict[int, asyncio.Task[list[SamplePhoto]]] = {}  # the newest set, by its seed

    def routes(self) -> list[BaseRoute]:
        """What it answers to."""
        chat, message = "/chats/{chat_id:signed}", "/chats/{chat_id:signed}/messages/{message_id:int}"
        api = [
            _route("/static/{name}", self._static, guard=_is_visit),
            _route("/state", self._describe),
            _route("/events", self._events),
            _route("/files/{file_id}", self._file),
            _route("/samples/{seed:int}/{index:int}", self._sample),
            _route("/launch", self._launch, "POST"),
            _route(f"{chat}/messages", self._history),
            _route(f"{chat}/messages", self._send_text, "POST"),
            _route(f"{chat}/photos", self._send_photos, "POST"),
            _route(f"{chat}/documents", self._send_documents, "POST"),
            _route(f"{chat}/clear", self._clear, "POST"),
            _route(message, self._edit, "POST"),
            _route(f"{message}/press", self._press, "POST"),
            _route(f"{message}/reaction", self._react, "POST"),
            _route("/block", self._block, "POST"),
        ]
        return [
            _route("/", self._index, guard=_is_visit),
            Mount("/localchat", routes=api),
        ]

    async def _index(self, _request: Request) -> Response:
        return FileResponse(FILES / "index.html", headers=PAGE_HEADERS)

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC_NAMES:
            raise NotFoundError
        return FileResponse(FILES / name, headers=PAGE_HEADERS)

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
                    "last": await messages.history(transaction, chat["id"], 0, 1),
                }
                for chat in all_chats
            ]
            bot = await chats.bot(transaction)
            texts = await profile.texts(transaction)
        users = [{**account.user(), "role": account.role} for account in identity.people]
        return JSONResponse({"bot": {**bot, **texts}, "users": users, "chats": described})

    async def _history(self, request: Request) -> Response:
        before = Parameters(dict(request.query_params)).integer("before")
        async with self._state.transaction() as transaction:
            found = await messages.history(transaction, request.path_params["chat_id"], before, PAGE_LENGTH)
        return JSONResponse({"messages": found, "complete": len(found) < PAGE_LENGTH})

    async def _send_text(self, request: Request) -> Response:
        asked = await parameters.of(request)
        return JSONResponse(await people.send_text(self._state, self._post(request, asked)))

    async def _send_photos(self, request: Request) -> Response:
        asked = await parameters.of(request)
        pictures = [upload.data for upload in asked.uploads.values()]
        if not 1 <= len(pictures) <= 10:
            raise BadRequestError("an album has 1 to 10 photos")
        return JSONResponse(await people.send_photos(self._state, self._post(request, asked), pictures))

    async def _send_documents(self, request: Request) -> Response:
        asked = await parameters.of(request)
        uploads = list(asked.uploads.values())
        if not 1 <= len(uploads) <= 10:
            raise BadRequestError("an album has 1 to 10 files")
        return JSONResponse(await people.send_documents(self._state, self._post(request, asked), uploads))

    async def _edit(self, request: Request) -> Response:
        asked = await parameters.of(request)
        path = request.path_params
        edited = await people.edit(
            self._state, self._sender(asked), path["chat_id"], path["message_id"], asked.text("text")
        )
        return JSONResponse(edited)

    async def _press(self, request: Request) -> Response:
        asked = await parameters.of(request)
        path = request.path_params
        query_id = await people.press(
            self._state, self._sender(asked), path["chat_id"], path["message_id"], asked.text("data")
        )
        return JSONResponse({"query_id": query_id})

    async def _react(self, request: Request) -> Response:
        asked = await parameters.of(request)
        path = request.path_params
        await people.react(
            self._state, self._sender(asked), path["chat_id"], path["message_id"], asked.text("emoji")
        )
        return JSONResponse({})

    async def _clear(self, request: Request) -> Response:
        await people.clear(self._state, request.path_params["chat_id"])
        return JSONResponse({})

    async def _block(self, request: Request) -> Response:
        asked = await parameters.of(request)
        await people.block(self._state, self._sender(asked), asked.boolean("blocked"))
        return JSONResponse({})

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
        if index >= SAMPLES or seed >= 2**32:
            raise NotFoundError
        if seed not in self._samples:
            drawing = asyncio.to_thread(sample_photos, SAMPLES, seed)
            self._samples = {seed: asyncio.create_task(drawing)}
        samples = await self._samples[seed]
        headers = {**PROTECTION, "Cache-Control": "private, max-age=86400, immutable"}
        return Response(samples[index].jpeg, media_type="image/jpeg", headers=headers)

    async def _launch(self, request: Request) -> Response:
        """Where a Web App opens for this user: on this server, with init data signed by the local token."""
        asked = await parameters.of(request)
        url = urlsplit(asked.text("url"))
        if url.hostname not in LOOPBACK:
            raise BadRequestError("Web Apps of this machine only")
        user = self._sender(asked).user()
        fragment = {
            "tgWebAppData": sign(user, self._state.identity.token, self._state.time()),
            "tgWebAppVersion": WEB_APP_VERSION,
            "tgWebAppPlatform": "localchat",
            "tgWebAppThemeParams": json.dumps({"bg_color": asked.text("background")}),
        }
        return JSONResponse({"path": f"{url.path}?{url.query}#{urlencode(fragment)}"})

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

    def _post(self, request: Request, asked: Parameters) -> people.Post:
        reply_to = asked.integer("reply_to") or None
        text = asked.text("text")
        return people.Post(self._sender(asked), request.path_params["chat_id"], text, reply_to)

    def _sender(self, asked: Parameters) -> Account:
        account = self._state.identity.account(asked.integer("user_id"))
        if account is None:
            raise BadRequestError("user not found")
        return account


def _route(path: str, handler: Handler, method: str = "GET", guard: Guard = is_own_page) -> Route:
    async def answer(request: Request) -> Response:
        try:
            if not guard(request):
                raise ForbiddenError("the local chat answers its own page on this machine only")
            return await handler(request)
        except ApiError as error:
            return JSONResponse(error.answer(), status_code=error.code)

    return Route(path, answer, methods=[method], include_in_schema=False)


def _is_visit(request: Request) -> bool:
    """Whether somebody opens the page by a name of this machine, not by one that was made to point here."""
    return urlsplit(f"//{request.headers.get('host', '')}").hostname in LOOPBACK
