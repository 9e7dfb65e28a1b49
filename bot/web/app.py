"""The one FastAPI application: the HTTP API, the draw page, health, metrics, and what else the bot serves."""

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from bot.config import Config
from bot.web import api, health, pages
from bot.web.access import KEY_HEADER, AccessRule
from bot.web.drawings import SentDrawings
from bot.web.guard import Guard
from bot.web.limits import Places, RateLimiter
from bot.web.metrics import RequestMetrics
from bot.web.services import WebServices
from bot.web.webhook import webhook_router
from storage.errors import DatabaseError

logger = logging.getLogger(__name__)

DESCRIPTION = "Reads handwritten digits with a neural network written in NumPy."
MULTIPART_OVERHEAD = 64 << 10
"""Bytes of a form around the photo in it."""
REQUESTS_AT_ONCE = 8


def create_app(services: WebServices, config: Config, localchat: ASGIApp | None = None) -> FastAPI:
    """The web application over ``services``; with ``localchat``, its page at `/` and its Bot API as well."""
    app = FastAPI(title="digitbot", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.metrics = RequestMetrics()
    app.state.guard = _guard(services, config)
    app.state.sent_drawings = SentDrawings(services.now())
    app.state.classic_json = api.network_json(services.classic)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DatabaseError, _on_refusal)
    app.add_middleware(GZipMiddleware, minimum_size=1 << 10, compresslevel=6)
    if config.web.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.web.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[KEY_HEADER, "Content-Type"],
        )
    app.include_router(api.router)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.mount("/draw", pages.files())
    if services.webhook is not None:
        app.include_router(webhook_router(services.webhook))
    if localchat is not None:
        app.router.default = localchat  # what is no path of ours; a mount would take wrong methods as well
    return app


def _guard(services: WebServices, config: Config) -> Guard:
    photo = config.limits.photo_bytes + MULTIPART_OVERHEAD
    return Guard(
        access=AccessRule(
            keys=[key.get_secret_value() for key in config.web.api_keys if key.get_secret_value()],
            token=services.token,
            trust_loopback=not config.web.public_url,
            now=services.now,
        ),
        rates=RateLimiter(config.limits.requests_per_minute, config.limits.requests_per_minute),
        places=Places(REQUESTS_AT_ONCE),
        body_limits={
            "/predict": api.PREDICT_BYTES,
            "/api/classify": api.CLASSIFY_BYTES,
            "/api/read": photo,
            "/api/drawing": api.DRAWING_BYTES,
            "/api/drawing/send": api.DRAWING_BYTES,
        },
    )


async def _on_invalid(_: Request, exc: Exception) -> Response:
    """422 with a sentence that names the first wrong places; never their values, which may be no JSON."""
    assert isinstance(exc, RequestValidationError)  # registered for it
    errors = exc.errors()
    places = [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in errors[:3]]
    more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
    return JSONResponse({"detail": "; ".join(places) + more}, status_code=422)


async def _on_refusal(_: Request, exc: Exception) -> Response:
    """503 where the database refuses, so that it is tried again: Telegram does so with updates."""
    logger.error("nothing was stored: %s", exc)
    return JSONResponse({"detail": "nothing can be stored at the moment"}, status_code=503)
