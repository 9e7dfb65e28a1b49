"""The HTTP API: the seed's `/predict`, readings of photos and drawings, probabilities, weights."""

import asyncio
import hashlib
import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import APIKeyHeader
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from bot import i18n
from bot.reading_answer import ReadingAnswer
from bot.web.access import KEY_HEADER, Caller
from bot.web.drawings import SentDrawings
from bot.web.guard import GuardedRoute
from bot.web.metrics import CONTENT_TYPE
from bot.web.schemas import (
    Activations,
    Classes,
    ClassifyBody,
    DrawingAnswer,
    LayerAnswer,
    NetworkAnswer,
    PredictBody,
    Problem,
)
from bot.web.services import WebServices
from model.errors import UnreadablePhotoError
from model.nn.network import Network
from model.reading import Reading

PREDICT_BYTES = 128 << 10
CLASSIFY_BYTES = 20 << 20
DRAWING_BYTES = 1 << 20

_key = APIKeyHeader(name=KEY_HEADER, scheme_name="API key", auto_error=False)
_init_data = APIKeyHeader(
    name="Authorization",
    scheme_name="Mini App",
    description="`tma` and the init data that Telegram signed",
    auto_error=False,
)

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No key, no valid init data, and no page of this server"},
    408: {"model": Problem, "description": "The body did not arrive in time"},
    413: {"model": Problem, "description": "The body is too large"},
    422: {"model": Problem, "description": "The body is not what it should be"},
    429: {"model": Problem, "description": "Too many requests; `Retry-After` says when again"},
    503: {"model": Problem, "description": "Too many requests at once"},
}

router = APIRouter(
    route_class=GuardedRoute,
    responses=_REFUSALS,
    dependencies=[Security(_key), Security(_init_data)],
)
"""Who calls and how much is the guard's business; the security schemes here are their description."""


def _services(request: Request) -> WebServices:
    services: WebServices = request.app.state.services
    return services


Services = Annotated[WebServices, Depends(_services)]


@router.post(
    "/predict",
    response_model=Activations,
    responses={400: {"model": Problem, "description": "Not 784 pixels"}},
    summary="Classify 784 pixels with the classic network",
)
async def predict(body: PredictBody, services: Services) -> Activations:
    """The digit and all activations, in the seed's form."""
    if len(body.pixels) != 784:
        raise HTTPException(400, f"expected 784 pixels, got {len(body.pixels)}")
    x = np.asarray([body.pixels], np.float32)  # (1, 784)
    return Activations.from_layers(await asyncio.to_thread(services.classic.activations, x))


@router.post("/api/classify", summary="Probabilities of the ten digits, for one vector of pixels or many")
async def classify(body: ClassifyBody, services: Services) -> Classes:
    """The calibrated probabilities of the network that serves."""
    many = isinstance(body.pixels[0], list)
    x = np.asarray(body.pixels if many else [body.pixels], np.float32)  # (N, 784)
    probabilities = await services.classify(x)  # (N, 10)
    digits = probabilities.argmax(axis=1).tolist()
    rows = np.clip(probabilities.astype(np.float64), 0, 1).round(6).tolist()
    if many:
        return Classes(predicted_digit=digits, probabilities=rows)
    return Classes(predicted_digit=digits[0], probabilities=rows[0])


_PHOTO = {"type": "string", "format": "binary"}
_PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/gif")
_PHOTO_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": _PHOTO},
                    "required": ["file"],
                    "additionalProperties": False,
                },
                "encoding": {"file": {"contentType": ", ".join(_PHOTO_TYPES)}},
            },
            **{media_type: {"schema": _PHOTO} for media_type in _PHOTO_TYPES},
        },
    }
}
_DRAWING_BODY = {"requestBody": {"required": True, "content": {"image/png": {"schema": _PHOTO}}}}


@router.post("/api/read", openapi_extra=_PHOTO_BODY, summary="Read the digits in a photo")
async def read(request: Request, services: Services) -> ReadingAnswer:
    """The reading as `digitbot read --json` prints it; the photo is a form's file or the body itself.

    What cannot be read is a reading without digits, with its reason.
    """
    name, photo = await _photo(request)
    start = time.perf_counter()
    outcome: Reading | UnreadablePhotoError
    try:
        outcome = await services.read(photo)
    except UnreadablePhotoError as exc:
        outcome = exc
    return ReadingAnswer.from_outcome(outcome, name, time.perf_counter() - start, i18n.texts())


@router.post(
    "/api/drawing", openapi_extra=_DRAWING_BODY, summary="Read a drawing and show what the networks see"
)
async def read_drawing(request: Request, services: Services) -> DrawingAnswer:
    """A reading, taken as of any photo, with each glyph's 28 × 28 pixels and the classic's activations."""
    start = time.perf_counter()
    _, reading = await _read_drawing(request, services)
    x = (
        np.asarray([glyph.pixels.ravel() for glyph in reading.glyphs], np.float32).reshape(-1, 784) / 255
    )  # (N, 784)
    layers = await asyncio.to_thread(services.classic.activations, x)
    return DrawingAnswer.from_reading(reading, layers, time.perf_counter() - start)


@router.post(
    "/api/drawing/send",
    openapi_extra=_DRAWING_BODY,
    status_code=204,
    responses={
        403: {"model": Problem, "description": "Only the Mini App has a chat to send to"},
        409: {"model": Problem, "description": "This launch of the Mini App has sent its drawing already"},
    },
    summary="Send a drawing to the chat that the Mini App was opened in",
)
async def send_drawing(request: Request, services: Services) -> None:
    """The bot posts the drawing to the user's chat and answers it there like any photo."""
    caller: Caller = request.state.caller
    sent: SentDrawings = request.app.state.sent_drawings
    if caller.launch is None or services.send_drawing is None:
        raise HTTPException(403, "only the Mini App has a chat to send to")
    drawing, _ = await _read_drawing(
        request, services
    )  # what cannot be read is refused here, not in the chat
    with sent.once(caller.launch, services.now()):
        await services.send_drawing(caller.launch, drawing)


@router.get(
    "/api/networks/classic",
    response_model=NetworkAnswer,
    responses={304: {"description": "As the client has it already"}},
    summary="The weights of the classic network",
)
async def classic(request: Request) -> Response:
    """All weights and biases; they change only with the network, which the ETag names."""
    body, etag = request.app.state.classic_json
    headers = {"ETag": etag, "Cache-Control": "private, max-age=3600"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Figures for Prometheus",
)
async def metrics(request: Request, services: Services) -> Response:
    """Counts and times of requests, and the bot's own figures."""
    gauges = dict(services.figures())
    if (last_poll := services.last_poll()) is not None:
        gauges["last_poll_timestamp_seconds"] = last_poll.timestamp()
    return Response(request.app.state.metrics.render(gauges), headers={"Content-Type": CONTENT_TYPE})


def network_json(network: Network) -> tuple[bytes, str]:
    """The classic network as the API answers it, and its ETag. Weights keep the precision of float32."""
    parameters = network.parameters()
    indices = sorted({int(name.split(".")[0]) for name in parameters})
    layers = [
        LayerAnswer(
            name=name,
            weight=_shortest(parameters[f"{index}.weight"]),
            bias=_shortest(parameters[f"{index}.bias"]),
        )
        for name, index in zip(("h1", "h2", "o"), indices, strict=True)
    ]
    body = NetworkAnswer(architecture=network.architecture, layers=layers).model_dump_json().encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _shortest(array: np.ndarray[Any, Any]) -> Any:
    """Nested lists with the fewest digits that still name each float32."""
    return np.asarray([float(str(value)) for value in array.ravel()]).reshape(array.shape).tolist()


async def _photo(request: Request) -> tuple[str, bytes]:
    """The name and the bytes of the photo in the request; 422 where there is none."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return "", await _body(request)
    try:
        async with request.form(max_files=1, max_fields=0) as form:
            file = form.get("file")
            if isinstance(file, UploadFile):
                return file.filename or "", await file.read()
    except (HTTPException, MultiPartException) as exc:
        raise HTTPException(422, f"expected a form with one file named file: {exc}") from exc
    raise HTTPException(422, "expected a form with one file named file")


async def _body(request: Request) -> bytes:
    """The body; 422 where it is empty."""
    if body := await request.body():
        return body
    raise HTTPException(422, "expected a photo, got nothing")


async def _read_drawing(request: Request, services: WebServices) -> tuple[bytes, Reading]:
    """The drawing in the request and its reading; 422 where the bytes are no picture that we read."""
    drawing = await _body(request)
    try:
        return drawing, await services.read(drawing)
    except UnreadablePhotoError as exc:
        raise HTTPException(422, str(exc)) from exc
