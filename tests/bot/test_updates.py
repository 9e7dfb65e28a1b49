"""Updates in forms that the library does not know harm nobody."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import Bot, Message, Update, User

from bot.updates import parsed

SENT = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
ANN = {"id": 5, "is_bot": False, "first_name": "Ann"}
POLL = {"id": "1", "question": "secret?", "options": [{"text": "yes", "voter_count": 0}]}
"""Without what the library requires of polls and their options."""
MESSAGE = {"message_id": 3, "date": SENT, "chat": {"id": 5, "type": "private"}, "from": ANN, "poll": POLL}


def update(**kinds: Any) -> Update:
    bot = Bot("77:token")
    bot._bot_user = User(77, "digitbot", is_bot=True)
    return parsed({"update_id": 8, **kinds}, bot)


def test_of_a_message_that_is_not_understood_it_is_known_who_sent_it() -> None:
    found = update(message=MESSAGE)

    assert isinstance(found.message, Message)
    assert found.effective_user is not None
    assert (found.update_id, found.message.id, found.effective_user.id) == (8, 3, 5)


def test_what_only_stands_in_a_topic_of_a_forum_is_no_reply() -> None:
    said = {**MESSAGE, "message_id": 4, "poll": None, "text": "/correct 7"}
    began = {**said, "message_id": 3, "forum_topic_created": {"name": "digits", "icon_color": 7322096}}

    in_topic, reply = (update(message={**said, "reply_to_message": to}).message for to in (began, said))

    assert in_topic is not None
    assert reply is not None
    assert in_topic.text == "/correct 7"
    assert in_topic.reply_to_message is None
    assert reply.reply_to_message is not None


@pytest.mark.parametrize(
    "content", [None, 7, "text", [], {"message_id": 3}, {**MESSAGE, "chat": {"id": "five"}, "date": "now"}]
)
def test_of_what_makes_no_sense_the_number_is_known(content: object) -> None:
    assert update(message=content).update_id == 8


def test_what_was_in_it_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        update(message=MESSAGE)

    assert "update 8 is not understood" in caplog.text
    assert "secret" not in caplog.text
    assert "Ann" not in caplog.text
