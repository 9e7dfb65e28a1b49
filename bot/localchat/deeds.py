"""What people do, over HTTP: the page posts it under `/localchat/`."""

import json
from urllib.parse import SplitResult, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.localchat import parameters, people
from bot.localchat.errors import BadRequestError
from bot.localchat.keyboards import LOOPBACK, parts_of
from bot.localchat.parameters import Parameters, Upload
from bot.localchat.routing import route
from bot.localchat.state import Account, State
from bot.web.init_data import sign

LARGEST_ALBUM = 10
WEB_APP_VERSION = "9.1"


class Deeds:
    """Turns posts of the page into deeds of its people."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """What it answers to, below `/localchat`."""
        chat, message = "/chats/{chat_id:signed}", "/chats/{chat_id:signed}/messages/{message_id:signed}"
        return [
            route(f"{chat}/messages", self._send_text, "POST"),
            route(f"{chat}/photos", self._send_photos, "POST"),
            route(f"{chat}/documents", self._send_documents, "POST"),
            route(f"{chat}/clear", self._clear, "POST"),
            route(message, self._edit, "POST"),
            route(f"{message}/press", self._press, "POST"),
            route(f"{message}/reaction", self._react, "POST"),
            route("/block", self._block, "POST"),
            route("/launch", self._launch, "POST"),
        ]

    async def _send_text(self, request: Request) -> Response:
        asked = await parameters.of(request)
        return JSONResponse(await people.send_text(self._state, self._post(request, asked)))

    async def _send_photos(self, request: Request) -> Response:
        asked = await parameters.of(request)
        pictures = [upload.data for upload in _uploads(asked)]
        return JSONResponse(await people.send_photos(self._state, self._post(request, asked), pictures))

    async def _send_documents(self, request: Request) -> Response:
        asked = await parameters.of(request)
        sent = await people.send_documents(self._state, self._post(request, asked), _uploads(asked))
        return JSONResponse(sent)

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

    async def _launch(self, request: Request) -> Response:
        """Where a Web App opens for this user: on this server, with init data signed by the local token."""
        asked = await parameters.of(request)
        url = _own_address(asked.text("url"))
        user = self._sender(asked).user()
        fragment = {
            "tgWebAppData": sign(user, self._state.identity.token, self._state.time()),
            "tgWebAppVersion": WEB_APP_VERSION,
            "tgWebAppPlatform": "localchat",
            "tgWebAppThemeParams": json.dumps({"bg_color": asked.text("background")}),
        }
        return JSONResponse({"path": f"{url.path}?{url.query}#{urlencode(fragment)}"})

    def _post(self, request: Request, asked: Parameters) -> people.Post:
        chat_id, text = request.path_params["chat_id"], asked.text("text")
        return people.Post(self._sender(asked), chat_id, text, asked.message_id("reply_to"))

    def _sender(self, asked: Parameters) -> Account:
        account = self._state.identity.account(asked.integer("user_id"))
        if account is None:
            raise BadRequestError("user not found")
        return account


def _own_address(text: str) -> SplitResult:
    """An address on this server. Raises `BadRequestError` for any other."""
    url = parts_of(text)
    if url.hostname not in LOOPBACK or url.path.startswith("//"):
        raise BadRequestError("Web Apps of this server only")
    return url


def _uploads(asked: Parameters) -> list[Upload]:
    uploads = list(asked.uploads.values())
    if not 1 <= len(uploads) <= LARGEST_ALBUM:
        raise BadRequestError(f"1 to {LARGEST_ALBUM} files at once")
    return uploads
