"""Pure: the buttons under messages, and the data that their presses bring back.

Callback data are plain strings of at most 64 bytes, so that old buttons work after a restart. A client can
send any data: the patterns take only what these functions could have made, the services check who presses.
"""

import re
from collections.abc import Sequence

from telegram import InlineKeyboardButton as Button
from telegram import InlineKeyboardMarkup as Keyboard
from telegram import WebAppInfo
from telegram.constants import KeyboardButtonStyle

from bot import learning_replies, replies
from bot.i18n import Texts
from storage.records import PredictionRecord

NOT_A_DIGIT = "x"
FIX = re.compile(r"fix:([0-9]{1,18}):([0-9x])\Z")
UNDO = re.compile(r"undo:([0-9]{1,18})\Z")
WHY = re.compile(r"why:([0-9]{1,18})\Z")
SAMPLE = re.compile(r"sample\Z")
CONSENT = re.compile(r"consent:(yes|no):([0-9]{1,9}):([0-9]{1,18})\Z")
RECEIPTS = re.compile(r"receipts:(on|off):([0-9]{1,18})\Z")
SERVE = re.compile(r"serve:([0-9]{1,18})\Z")
REJECT = re.compile(r"reject:([0-9]{1,18})\Z")
DECISION = re.compile(r"(accept|refuse):([0-9]{1,18})\Z")
FORGET = re.compile(r"forget:(yes|no):([0-9]{1,18})\Z")


def start(texts: Texts, draw_url: str | None) -> Keyboard:
    """Under the greeting: a sample, and the draw page where it can be opened."""
    rows = [[Button(replies.sample_button(texts), callback_data="sample")]]
    if draw_url is not None:
        rows.append([Button(replies.draw_button(texts), web_app=WebAppInfo(draw_url))])
    return Keyboard(rows)


def draw(texts: Texts, url: str) -> Keyboard:
    """The button that opens the draw page."""
    return Keyboard([[Button(replies.draw_button(texts), web_app=WebAppInfo(url))]])


def under(texts: Texts, record: PredictionRecord) -> Keyboard:
    """Under an answer: ten digits in two rows for a single digit, the one that was read in green."""
    why = _why(texts, record.id)
    if len(record.glyphs) != 1:
        return Keyboard([[why]])
    read = record.glyphs[0].digit if record.digits else None
    digits = [
        Button(
            str(digit),
            callback_data=f"fix:{record.id}:{digit}",
            style=KeyboardButtonStyle.SUCCESS if digit == read else None,
        )
        for digit in range(10)
    ]
    other = Button(replies.not_a_digit_button(texts), callback_data=f"fix:{record.id}:{NOT_A_DIGIT}")
    return Keyboard([digits[:5], digits[5:], [other, why]])


def corrected(texts: Texts, prediction_id: int) -> Keyboard:
    """Under an answer that was corrected."""
    undo = Button(replies.undo_button(texts), callback_data=f"undo:{prediction_id}")
    return Keyboard([[undo, _why(texts, prediction_id)]])


def consent(texts: Texts, user_id: int, version: int) -> Keyboard:
    """Under the question after the first correction."""
    refuse = Button(replies.consent_no_button(texts), callback_data=f"consent:no:{version}:{user_id}")
    return Keyboard([[_consent_yes(texts, user_id, version)], [refuse]])


def privacy(texts: Texts, user_id: int, version: int, *, given: bool, receipts: bool) -> Keyboard:
    """Under the policy: change the choice, and whether to be told."""
    if not given:
        return Keyboard([[_consent_yes(texts, user_id, version)]])
    withdraw = Button(replies.withdraw_button(texts), callback_data=f"consent:no:{version}:{user_id}")
    label = replies.receipts_off_button(texts) if receipts else replies.receipts_on_button(texts)
    told = Button(label, callback_data=f"receipts:{'off' if receipts else 'on'}:{user_id}")
    return Keyboard([[withdraw], [told]])


def forget(texts: Texts, user_id: int) -> Keyboard:
    """Under the question before everything of a person is deleted."""
    delete = Button(
        replies.forget_yes_button(texts),
        callback_data=f"forget:yes:{user_id}",
        style=KeyboardButtonStyle.DANGER,
    )
    keep = Button(replies.keep_button(texts), callback_data=f"forget:no:{user_id}")
    return Keyboard([[delete], [keep]])


def decide(texts: Texts, version_id: int) -> Keyboard:
    """Under the report card of a candidate that passed."""
    promote = Button(
        learning_replies.promote_button(texts),
        callback_data=f"serve:{version_id}",
        style=KeyboardButtonStyle.SUCCESS,
    )
    reject = Button(learning_replies.reject_button(texts), callback_data=f"reject:{version_id}")
    return Keyboard([[promote, reject]])


def serve(texts: Texts, version_ids: Sequence[int]) -> Keyboard | None:
    """Under the timeline: what could serve; nothing where nothing could."""
    buttons = [
        Button(learning_replies.serve_button(texts, version_id), callback_data=f"serve:{version_id}")
        for version_id in version_ids
    ]
    return Keyboard([buttons[index : index + 3] for index in range(0, len(buttons), 3)]) if buttons else None


def review(texts: Texts, correction_id: int) -> Keyboard:
    """Under a correction that waits for a decision."""
    accept = Button(learning_replies.accept_button(texts), callback_data=f"accept:{correction_id}")
    reject = Button(learning_replies.reject_button(texts), callback_data=f"refuse:{correction_id}")
    return Keyboard([[accept, reject]])


def _why(texts: Texts, prediction_id: int) -> Button:
    return Button(replies.why_button(texts), callback_data=f"why:{prediction_id}")


def _consent_yes(texts: Texts, user_id: int, version: int) -> Button:
    return Button(
        replies.consent_yes_button(texts),
        callback_data=f"consent:yes:{version}:{user_id}",
        style=KeyboardButtonStyle.SUCCESS,
    )
