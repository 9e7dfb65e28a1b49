"""Liveness: that the server answers at all, and when the bot last heard from Telegram. Needs no key."""

from fastapi import APIRouter, Request

from bot.web.guard import MeasuredRoute
from bot.web.schemas import Health
from bot.web.services import WebServices

STALE_SECONDS = 120
"""Polls wait up to 50 s for updates, so two of them are missing."""

router = APIRouter(route_class=MeasuredRoute)


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Whether the server lives, and when updates were last fetched")
async def health(request: Request) -> Health:
    """Always 200, as no restart brings Telegram back; `status` is `ok`, or `stale` where polls fail."""
    services: WebServices = request.app.state.services
    last_poll = services.last_poll()
    if last_poll is None:
        return Health(status="ok", last_poll=None, seconds_since_last_poll=None)
    age = max(0.0, (services.now() - last_poll).total_seconds())
    status = "stale" if age > STALE_SECONDS else "ok"
    return Health(status=status, last_poll=last_poll.isoformat(), seconds_since_last_poll=round(age, 1))
