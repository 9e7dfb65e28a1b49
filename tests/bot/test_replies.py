"""Texts and buttons are pure: records in, HTML and keyboards out, within Telegram's limits."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import i18n, keyboards, learning_replies, replies
from bot.services.learning import Progress
from bot.services.receipts import Helped
from model.learning.gate import Fault, Reason
from storage.records import Box, GlyphRecord, PredictionRecord, RunState

TEXTS = i18n.texts()
BOX = Box(0, 0, 10, 10)


def glyph(**probabilities: float) -> GlyphRecord:
    row = tuple(probabilities.get(f"p{digit}", 0.0) for digit in range(10))
    return GlyphRecord(1, 1, 0, 0, BOX, row, None)


def prediction(digits: str, *glyphs: GlyphRecord, confidence: float = 0.9) -> PredictionRecord:
    return PredictionRecord(
        id=12,
        bot_id=1,
        chat_id=1,
        message_id=1,
        file_unique_id="x",
        contributor_id=1,
        model_version_id=1,
        preprocessing_version=1,
        digits=digits,
        confidence=confidence,
        glyphs=glyphs,
        created_at=datetime.now(UTC),
        abstention=None,
        measured={},
        environment={},
        answer_message_id=None,
        is_superseded=False,
    )


def test_a_digit_is_answered_with_its_three_best_candidates() -> None:
    text = replies.prediction(TEXTS, prediction("7", glyph(p7=0.931, p1=0.05, p9=0.01)))

    assert text.splitlines() == [
        "<b>7</b>   93 %",
        "<code>7 █████████░ 93 %</code>",
        "<code>1 ░░░░░░░░░░ 5 %</code>",
        "<code>9 ░░░░░░░░░░ 1 %</code>",
        "Wrong? Tap the right one.",
    ]


def test_an_unsure_answer_is_a_question() -> None:
    text = replies.prediction(TEXTS, prediction("3", glyph(p3=0.5, p8=0.45)))

    assert text.startswith("<b>3</b> or <b>8</b>? I am not sure.")


def test_a_number_shows_every_digit_and_names_the_unsure_ones() -> None:
    record = prediction("407", glyph(p4=0.99), glyph(p0=0.55), glyph(p7=0.97), confidence=0.53)

    text = replies.prediction(TEXTS, record)

    assert "<b>407</b>   53 %" in text
    assert "4 99 % · 0 55 % · 7 97 %" in text
    assert "I am not sure of: 0" in text
    assert "/correct 407" in text


def test_an_abstention_says_why() -> None:
    record = replace(prediction(""), abstention="no_ink", measured={"contrast": 0.03})

    assert "contrast 3 %" in replies.prediction(TEXTS, record)


def test_however_many_digits_an_answer_fits_into_a_message() -> None:
    for count in 2, 12, 13, 200, 201, 5000:
        record = prediction("7" * count, *[glyph(p7=0.5)] * count)
        assert len(replies.prediction(TEXTS, record)) <= 4096


@pytest.mark.parametrize(
    ("probability", "text"), [(1.0, "&gt;99 %"), (0.994, "99 %"), (0.5, "50 %"), (0.0, "&lt;1 %")]
)
def test_percentages_are_never_certain(probability: float, text: str) -> None:
    assert replies.percent(probability) == text


@pytest.mark.parametrize("evil", ["<script>", "a & b", "</code>", '"'])
def test_what_people_write_is_escaped(evil: str) -> None:
    for text in (
        replies.correct_usage(TEXTS, evil),
        replies.correction_saved(TEXTS, evil, evil, last=True),
        replies.other_length(TEXTS, 1, evil),
        replies.reply_to_a_photo(TEXTS, evil),
    ):
        assert not re.search(r"<(?!/?(b|code)>)", text.replace("</code>", "", 1))
        assert "a & b" not in text


def test_toasts_are_plain_and_short() -> None:
    assert replies.plain("<b>3</b> &lt; 4") == "3 < 4"
    assert len(replies.plain("x" * 500)) == 200


def test_callback_data_fit_into_64_bytes_and_are_understood() -> None:
    huge = 10**18 - 1
    record = replace(prediction("7", glyph(p7=0.9)), id=huge)
    boards = (
        (keyboards.under(TEXTS, record), (keyboards.FIX, keyboards.WHY)),
        (keyboards.corrected(TEXTS, huge), (keyboards.UNDO, keyboards.WHY)),
        (keyboards.consent(TEXTS, huge, 1), (keyboards.CONSENT,)),
        (
            keyboards.privacy(TEXTS, huge, 1, given=True, receipts=True),
            (keyboards.CONSENT, keyboards.RECEIPTS),
        ),
        (keyboards.forget(TEXTS, huge), (keyboards.FORGET,)),
        (keyboards.decide(TEXTS, huge), (keyboards.SERVE, keyboards.REJECT)),
        (keyboards.review(TEXTS, huge), (keyboards.DECISION,)),
    )
    for board, patterns in boards:
        for button in (one for row in board.inline_keyboard for one in row):
            assert isinstance(button.callback_data, str)
            assert len(button.callback_data.encode()) <= 64
            assert any(pattern.match(button.callback_data) for pattern in patterns)


def test_the_profile_keeps_to_telegrams_limits() -> None:
    assert len(replies.description(TEXTS)) <= 512
    assert len(replies.short_description(TEXTS)) <= 120
    for menu in replies.commands(TEXTS), replies.group_commands(TEXTS), replies.admin_commands(TEXTS):
        assert all(re.fullmatch(r"[a-z0-9_]{1,32}", name) and len(text) <= 256 for name, text in menu)


@pytest.mark.parametrize("fault", Fault)
def test_every_reason_of_the_gate_has_words(fault: Fault) -> None:
    text = learning_replies.reason(TEXTS, Reason(fault, "plain", "shipped", 7, 0.0123))

    assert "{" not in text
    assert fault.value not in text


@pytest.mark.parametrize("state", RunState)
def test_every_state_of_a_training_has_words(state: RunState) -> None:
    at = Progress(1, "command", state, "training", 0.5, 31.0, None, None)

    assert learning_replies.progress(TEXTS, at)


HELPED = Helped(
    correction_id=3,
    user_id=5,
    chat_id=5,
    message_id=1,
    corrected_at=datetime(2026, 11, 17, tzinfo=UTC),
    label=7,
    was=1,
    was_confidence=0.62,
    confidence=0.91,
    version_id=12,
)


def test_a_receipt_tells_what_was_read_then_and_what_is_read_now() -> None:
    assert learning_replies.receipt(TEXTS, [HELPED]) == (
        "Your 7 of 2026-11-17 has helped: I read it as 1 (62 %), and read it as 7 (91 %) since version 12. "
        "Thank you."
    )


def test_a_receipt_of_many_corrections_is_one_short_message() -> None:
    lines = learning_replies.receipt(TEXTS, [HELPED] * 25).splitlines()

    assert lines[0] == "25 of your corrections have helped since version 12. Thank you."
    assert lines[1] == "Your 7 of 2026-11-17: was 1 (62 %), is 7 (91 %)"
    assert lines[-1] == "and 15 more"
    assert len(lines) == 12


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 second left"),
        (89, "about 89 seconds left"),
        (100, "about 2 minutes left"),
        (3650, "61 min"),
    ],
)
def test_the_time_left_is_as_exact_as_a_guess_can_be(seconds: float, words: str) -> None:
    at = Progress(1, "command", RunState.RUNNING, "preparing", 0.1, seconds, None, None)

    assert words in learning_replies.progress(TEXTS, at)


def test_no_digit_that_was_read_as_none_is_confirmed() -> None:
    assert replies.corrected(TEXTS, read="", said="") == "Not a digit: confirmed by you, thank you."
