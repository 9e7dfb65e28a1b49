"""A bot that sends too fast is told how long to wait; one that waits loses nothing."""

from datetime import timedelta
from pathlib import Path

from tests.bot.localchat.conftest import serving


async def test_a_person_gets_a_short_burst_and_then_one_message_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path, flood_limits=True) as served:
        chat_id = served.person().user_id
        burst = [await served.call("sendMessage", chat_id=chat_id, text="hi") for _ in range(5)]
        another = await served.call("sendMessage", chat_id=served.chat.identity.admin_id, text="hi")
        served.clock.move(timedelta(seconds=1))
        later = await served.call("sendMessage", chat_id=chat_id, text="hi")

    assert [answer["ok"] for answer in burst] == [True] * 4 + [False]
    assert burst[-1] == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
    assert another["ok"]
    assert later["ok"]


async def test_what_is_no_message_is_not_counted(tmp_path: Path) -> None:
    async with serving(tmp_path, flood_limits=True) as served:
        chat_id = served.person().user_id
        actions = [await served.call("sendChatAction", chat_id=chat_id, action="typing") for _ in range(9)]

    assert all(answer["ok"] for answer in actions)
