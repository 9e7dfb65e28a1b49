import asyncio

import pytest
from starlette.exceptions import HTTPException

from bot.web.limits import Places, RateLimiter


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    limiter = RateLimiter(per_minute=60, burst=3)

    assert [limiter.wait_for("ada", 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert limiter.wait_for("ada", 1.0) == 0
    assert limiter.wait_for("ada", 1.0) == 1


def test_callers_do_not_use_up_each_others_rate() -> None:
    limiter = RateLimiter(per_minute=1, burst=1)

    assert [limiter.wait_for(caller, 0.0) for caller in ("ada", "bob", "ada")] == [0, 0, 60]


def test_the_limiter_forgets_the_callers_that_were_quiet_longest() -> None:
    limiter = RateLimiter(per_minute=1, burst=1)
    for caller in range(10_001):
        limiter.wait_for(str(caller), 0.0)

    assert limiter.wait_for("10000", 0.0) == 60
    assert limiter.wait_for("0", 0.0) == 0


async def test_who_finds_no_place_in_time_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.limits.WAIT_SECONDS", 0.01)
    places = Places(1)

    async with places.one():
        with pytest.raises(HTTPException) as refused:
            async with places.one():
                pass
    assert refused.value.status_code == 503


async def test_a_place_is_given_back_also_after_a_failure() -> None:
    places = Places(1)

    with pytest.raises(RuntimeError):
        async with places.one():
            raise RuntimeError

    async with asyncio.timeout(1), places.one():
        pass
