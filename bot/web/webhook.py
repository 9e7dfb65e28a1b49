"""Where Telegram delivers updates when it is not polled: stored first, acknowledged then."""

import hmac
import json

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from bot.web.guard import MeasuredRoute
from bot.web.limits import read_body
from bot.web.services import Webhook

PATH = "/telegram/webhook"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
UPDATE_BYTES = 1 << 20


def webhook_router(webhook: Webhook) -> APIRouter:
    """A route that takes deliveries with the right secret only: a forged update could speak as an admin."""
    router = APIRouter(route_class=MeasuredRoute)

    @router.post(PATH, include_in_schema=False)
    async def deliver(request: Request) -> None:
        offered = request.headers.get(SECRET_HEADER, "")
        if not webhook.secret or not hmac.compare_digest(offered.encode(), webhook.secret.encode()):
            raise HTTPException(403, "wrong secret")
        try:
            update = json.loads(await read_body(request, UPDATE_BYTES))
        except ValueError as exc:
            raise HTTPException(422, "not JSON") from exc
        if not isinstance(update, dict):
            raise HTTPException(422, "not an update")
        await webhook.receive(update)

    return router
