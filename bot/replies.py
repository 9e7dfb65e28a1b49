"""Pure: records -> HTML texts for a chat; sentences come from the catalogue, numbers are formatted here."""

import re
from collections.abc import Sequence
from html import escape, unescape

from bot import reasons
from bot.i18n import Texts
from model.errors import UnreadablePhotoError
from model.reading import Abstention, AbstentionReason
from storage.records import GlyphRecord, PredictionRecord

UNSURE_BELOW = 0.6
"""Under this confidence the answer is a question: "3 or 8?"."""

_BAR = 10
_TOAST_LIMIT = 200
_ANSWERED_DIGITS = 200
"""More digits than this are counted, not listed: Telegram's messages end at 4,096 characters."""


def start(texts: Texts) -> str:
    """The greeting: what to send, and what happens then."""
    return texts.gettext(
        "Send me a photo of a handwritten digit, or of a whole number, and I read it.\n"
        "If I am wrong, tell me: tap the right digit or reply <code>/correct 7</code>. "
        "With your consent I learn from that."
    )


def sample_button(texts: Texts) -> str:
    """The label of the button under the greeting."""
    return texts.gettext("Show me with a sample")


def draw_button(texts: Texts) -> str:
    """The label of the button that opens the draw page."""
    return texts.gettext("Draw a digit")


def help_(texts: Texts, *, admin: bool) -> str:
    """What can be sent, and what happens to it."""
    everybody = texts.gettext(
        "<b>Reading</b>\n"
        "Send a photo (or an image as a file) of one handwritten digit, or of a number. "
        "In a group, reply /read to a photo, or mention me in its caption: "
        "Telegram shows me nothing else there.\n\n"
        "<b>Correcting</b>\n"
        "Tap the right digit, or reply <code>/correct 7</code> to the photo or to my answer; "
        "<code>/correct 407</code> for a number. Without a reply I take your last photo.\n"
        "/undo takes your last correction back.\n\n"
        "<b>More</b>\n"
        "/why shows what I saw in a photo\n"
        "/draw lets you draw a digit\n"
        "/privacy says what I keep, and lets you choose\n"
        "/forget_me deletes everything of yours\n"
        "/id shows your number and this chat's\n"
        "/cancel stops what is under way"
    )
    return f"{everybody}\n\n{_admin_help(texts)}" if admin else everybody


def _admin_help(texts: Texts) -> str:
    return texts.gettext(
        "<b>For administrators</b>\n"
        "/retrain trains on the accepted corrections\n"
        "/models shows what served when, and goes back\n"
        "/review shows corrections that wait for a decision"
    )


def prediction(texts: Texts, record: PredictionRecord) -> str:
    """The answer to a photo: the digits, how sure, the other candidates; or why there are none."""
    if record.abstention is not None:
        return _abstention(texts, record)
    if len(record.glyphs) == 1:
        return _one_digit(texts, record.glyphs[0])
    return _number(texts, record)


def _abstention(texts: Texts, record: PredictionRecord) -> str:
    assert record.abstention is not None  # the caller looked
    return reasons.abstention(texts, Abstention(AbstentionReason(record.abstention), dict(record.measured)))


def _one_digit(texts: Texts, glyph: GlyphRecord) -> str:
    best = sorted(range(10), key=glyph.probabilities.__getitem__, reverse=True)[:3]
    bars = "\n".join(f"<code>{digit} {bar(glyph.probabilities[digit])}</code>" for digit in best)
    if glyph.confidence < UNSURE_BELOW:
        head = texts.gettext("<b>{first}</b> or <b>{second}</b>? I am not sure.").format(
            first=best[0], second=best[1]
        )
    else:
        head = f"<b>{best[0]}</b>   {percent(glyph.confidence)}"
    return f"{head}\n{bars}\n{texts.gettext('Wrong? Tap the right one.')}"


def _number(texts: Texts, record: PredictionRecord) -> str:
    if len(record.glyphs) > _ANSWERED_DIGITS:
        return texts.ngettext(
            "I see {count} digit: too many for one answer. Please send a part of it.",
            "I see {count} digits: too many for one answer. Please send a part of it.",
            len(record.glyphs),
        ).format(count=len(record.glyphs))
    lines = [f"<b>{record.digits}</b>   {percent(record.confidence)}"]
    if len(record.glyphs) <= 12:
        each = " · ".join(f"{glyph.digit} {percent(glyph.confidence)}" for glyph in record.glyphs)
        lines.append(f"<code>{each}</code>")
    unsure = [str(glyph.digit) for glyph in record.glyphs if glyph.confidence < UNSURE_BELOW]
    if unsure:
        lines.append(texts.gettext("I am not sure of: {digits}").format(digits=", ".join(unsure[:12])))
    lines.append(
        texts.gettext("Wrong? Reply <code>/correct {example}</code> with the right digits.").format(
            example=in_one_line(record.digits)
        )
    )
    return "\n".join(lines)


def in_one_line(digits: str) -> str:
    """`40` over `7` -> `40 7`."""
    return digits.replace("\n", " ")


def bar(probability: float) -> str:
    """`███████░░░  72 %`."""
    filled = round(probability * _BAR)
    return f"{'█' * filled}{'░' * (_BAR - filled)} {percent(probability)}"


def percent(probability: float) -> str:
    """0.931 -> `93 %`; never a certain `100 %`."""
    if probability >= 0.995:
        return "&gt;99 %"
    return "&lt;1 %" if probability < 0.005 else f"{probability:.0%}".replace("%", " %")


def unreadable(texts: Texts, error: UnreadablePhotoError) -> str:
    """Why the bytes are no photo that can be read."""
    return reasons.unreadable(texts, error)


def album(texts: Texts, answers: Sequence[str]) -> str:
    """One answer for the pictures of an album, in order; `answers` are lines of `album_line`."""
    lines = [f"{number}. {answer}" for number, answer in enumerate(answers, start=1)]
    lines.append(texts.gettext("Wrong? Reply <code>/correct 7</code> to the picture itself."))
    return "\n".join(lines)


def album_line(texts: Texts, record: PredictionRecord) -> str:
    """What one picture of an album was read as."""
    if record.abstention is not None:
        return _abstention(texts, record)
    return f"<b>{in_one_line(record.digits)[:_ANSWERED_DIGITS]}</b>   {percent(record.confidence)}"


def plain(text: str) -> str:
    """HTML -> the plain text of a toast, which Telegram cuts at 200 characters."""
    return unescape(re.sub(r"<[^>]+>", "", text))[:_TOAST_LIMIT]


# ------------------------------------------------------------------------------------------- corrections


def corrected(texts: Texts, read: str, said: str) -> str:
    """The answer to a photo after it was corrected."""
    if not said and not read:
        return texts.gettext("Not a digit: confirmed by you, thank you.")
    if not said:
        return texts.gettext("Noted: this is not a digit. (I had read <b>{read}</b>.)").format(read=read)
    if said == read:
        return texts.gettext("<b>{said}</b>   confirmed by you, thank you.").format(said=said)
    if not read:
        return texts.gettext("<b>{said}</b>   as you say. (I had read nothing.)").format(said=said)
    return texts.gettext("<b>{said}</b>   as you say. (I had read {read}.)").format(said=said, read=read)


def saved(texts: Texts, said: str) -> str:
    """The toast after a press on the keypad."""
    if not said:
        return texts.gettext("Saved: not a digit")
    return texts.gettext("Saved: {said}").format(said=said)


def correction_saved(texts: Texts, read: str, said: str, *, last: bool) -> str:
    """The reply to /correct; `last`: no message was replied to, so that it says which photo was meant."""
    text = texts.gettext("Saved: this is <b>{said}</b>.").format(said=escape(said))
    if last:
        text += " " + texts.gettext("(Your last photo here, which I read as {read}.)").format(
            read=escape(in_one_line(read)) or texts.gettext("nothing")
        )
    return text


def other_length(texts: Texts, found: int, said: str, counting: str | None = None) -> str:
    """The reply to /correct with more or fewer digits than were found; `counting` was said before."""
    text = texts.ngettext(
        "I found {found} digit there, so I keep “{said}” as a note on how I cut "
        "the photo; it trains nothing. "
        "If you meant what I found, correct it with {found} digit.",
        "I found {found} digits there, so I keep “{said}” as a note on how I cut "
        "the photo; it trains nothing. "
        "If you meant what I found, correct it with {found} digits.",
        found,
    ).format(found=found, said=escape(said))
    return text if counting is None else f"{text} {_counts(texts, counting)}"


def _counts(texts: Texts, said: str) -> str:
    return texts.gettext("“{said}” counts.").format(said=_quotable(texts, said))


def _quotable(texts: Texts, said: str) -> str:
    return escape(in_one_line(said)) or texts.gettext("not a digit")


def correct_usage(texts: Texts, said: str = "") -> str:
    """The reply to /correct without digits."""
    if said:
        return texts.gettext(
            "“{said}” is no number. Write digits only, like <code>/correct 7</code> or "
            "<code>/correct 407</code>."
        ).format(said=escape(said[:64]))
    return texts.gettext(
        "Say which digit it is: <code>/correct 7</code>, as a reply to the photo or to my answer. "
        "<code>/correct 407</code> for a number."
    )


def not_a_reading(texts: Texts) -> str:
    """The reply to /correct on a message that was never read."""
    return texts.gettext(
        "That message is no photo that I read. Reply to a photo of yours or to my answer to it."
    )


def nothing_to_correct(texts: Texts) -> str:
    """The reply to /correct or /undo where the person has sent nothing."""
    return texts.gettext("I have read nothing of yours here yet. Send me a photo of a digit first.")


def not_yours(texts: Texts) -> str:
    """The reply to correcting somebody else's photo."""
    return texts.gettext("Only the person whose photo it is, or an administrator, may correct it.")


def not_for_you(texts: Texts) -> str:
    """The toast for a button that was put there for somebody else."""
    return texts.gettext("That button is for somebody else.")


def undone(texts: Texts, said: str, counting: str | None = None) -> str:
    """The reply to /undo; `counting` was said before."""
    text = texts.gettext("Taken back: “{said}”.").format(said=_quotable(texts, said))
    return text if counting is None else f"{text} {_counts(texts, counting)}"


def nothing_to_undo(texts: Texts) -> str:
    """The reply to /undo without a correction."""
    return texts.gettext("There is no correction of yours to take back.")


def undo_button(texts: Texts) -> str:
    """The label of the button that takes a correction back."""
    return texts.gettext("Undo")


def not_a_digit_button(texts: Texts) -> str:
    """The label of the button below the keypad."""
    return texts.gettext("Not a digit")


def why_button(texts: Texts) -> str:
    """The label of the button that shows what was seen."""
    return texts.gettext("What I saw")


def expired(texts: Texts) -> str:
    """The toast for a button whose reading is gone or that nobody could have made."""
    return texts.gettext("This button is too old: I no longer have that reading.")


# ----------------------------------------------------------------------------------- consent and privacy


def ask_consent(texts: Texts) -> str:
    """The question after the first correction."""
    return texts.gettext(
        "May I learn from your corrections? I would keep the 28×28 pixels of each digit and what you say it "
        "is, encrypted and for as long as you agree, to train the network that reads for everybody; never "
        "the photo, your name or a text. You can take it back at any time with /privacy, and /forget_me "
        "deletes it."
    )


def consent_yes_button(texts: Texts) -> str:
    """The label that gives consent."""
    return texts.gettext("Yes, learn from my corrections")


def consent_no_button(texts: Texts) -> str:
    """The label that refuses or withdraws it."""
    return texts.gettext("No, do not")


def consent_given(texts: Texts) -> str:
    """After a yes."""
    return texts.gettext("Thank you: your corrections help to train. /privacy takes it back at any time.")


def consent_refused(texts: Texts) -> str:
    """After a no, or a withdrawal."""
    return texts.gettext("All right: your corrections train nothing. /privacy lets you change your mind.")


def consent_changed(texts: Texts) -> str:
    """The toast where the text of the consent is a newer one by now."""
    return texts.gettext("The text has changed since. Please read the new one with /privacy.")


def privacy(texts: Texts, *, given: bool, receipts: bool, retention_days: int, copy_days: int) -> str:
    """The policy, and the present choice."""
    policy = texts.ngettext(
        "<b>What I keep</b>\n"
        "Your numeric Telegram id, what I read, the 28×28 pixels of each digit in your own photos, "
        "encrypted, and what you corrected. Never the photo itself, your name or the text of a message. "
        "Without your consent it is deleted after {days} day, all but your id and a no that you said.\n\n",
        "<b>What I keep</b>\n"
        "Your numeric Telegram id, what I read, the 28×28 pixels of each digit in your own photos, "
        "encrypted, and what you corrected. Never the photo itself, your name or the text of a message. "
        "Without your consent it is deleted after {days} days, all but your id and a no that you said.\n\n",
        retention_days,
    ).format(days=retention_days)
    learning = texts.gettext(
        "<b>Learning</b>\n"
        "Only with your consent, the pixels of digits that you corrected and what you said they are train "
        "the network. You can withdraw at any time: the next network is then trained without them, exactly "
        "as if they had never been there.\n"
        "/forget_me deletes everything of yours. Only a copy that was made before an upgrade of mine still "
        "has it, for {days} days at most.\n\n"
    ).format(days=copy_days)
    choice = (
        texts.gettext("<b>Your choice now:</b> I may learn from your corrections.")
        if given
        else texts.gettext("<b>Your choice now:</b> I may not learn from your corrections.")
    )
    told = texts.gettext("I tell you when a correction of yours has helped.") if receipts else ""
    return f"{policy}{learning}{choice} {told}".strip()


def withdraw_button(texts: Texts) -> str:
    """The label that withdraws consent."""
    return texts.gettext("Stop learning from me")


def receipts_on_button(texts: Texts) -> str:
    """The label that asks for receipts."""
    return texts.gettext("Tell me when my corrections help")


def receipts_off_button(texts: Texts) -> str:
    """The label that stops receipts."""
    return texts.gettext("Do not tell me when they help")


def forget_question(texts: Texts) -> str:
    """The question before everything of a person is deleted."""
    return texts.gettext(
        "This deletes everything that I have of you: readings, corrections, your choices. "
        "Networks that learned from you are replaced by ones that did not. It cannot be undone. Shall I?"
    )


def forget_yes_button(texts: Texts) -> str:
    """The label that deletes."""
    return texts.gettext("Delete everything of mine")


def keep_button(texts: Texts) -> str:
    """The label that leaves things as they are."""
    return texts.gettext("Keep it")


def forgotten(texts: Texts, predictions: int) -> str:
    """After everything of a person was deleted."""
    return texts.ngettext(
        "Done: I have forgotten you, and {count} reading with you.",
        "Done: I have forgotten you, and {count} readings with you.",
        predictions,
    ).format(count=predictions)


def kept(texts: Texts) -> str:
    """After a deletion was called off."""
    return texts.gettext("Nothing was changed.")


# ---------------------------------------------------------------------------------------- everything else


def photo_wanted(texts: Texts) -> str:
    """The one helpful line for what is no photo and no command."""
    return texts.gettext("I read handwritten digits: send me a photo of one. /help says what else I can do.")


def unknown_command(texts: Texts) -> str:
    """The reply to a command that does not exist."""
    return texts.gettext("I do not know that command. /help lists the ones I know.")


def file_too_large(texts: Texts, limit: int) -> str:
    """The reply to a file that is not even downloaded."""
    return texts.gettext("That file is too large: I can read up to {megabytes} MB.").format(
        megabytes=limit >> 20
    )


def too_fast(texts: Texts, seconds: float) -> str:
    """The reply to more photos than the limits allow."""
    return texts.ngettext(
        "That is faster than I can read. Please wait {seconds} second and send it again.",
        "That is faster than I can read. Please wait {seconds} seconds and send them again.",
        max(1, round(seconds)),
    ).format(seconds=max(1, round(seconds)))


def not_downloaded(texts: Texts) -> str:
    """The reply to a file that Telegram would not hand out whole."""
    return texts.gettext("Telegram did not give me the whole file. Please send it again.")


def reply_to_a_photo(texts: Texts, command: str) -> str:
    """The reply to a command that needs a photo to look at."""
    return texts.gettext("Use {command} as a reply to a photo.").format(command=escape(command))


def saw(texts: Texts) -> str:
    """The caption of the picture that shows what was seen."""
    return texts.gettext("The photo, the ink that I found in it, and what the network was shown.")


def why_usage(texts: Texts) -> str:
    """The reply to /why without a photo."""
    return texts.gettext("Reply /why to a photo, or press “What I saw” under my answer.")


def draw(texts: Texts) -> str:
    """What stands above the button of the draw page."""
    return texts.gettext("Draw a digit with your finger, and watch me read it while you draw.")


def draw_in_private(texts: Texts) -> str:
    """The reply to /draw in a group, where Telegram opens no pages."""
    return texts.gettext("The draw page opens in a private chat with me: send me /draw there.")


def draw_unavailable(texts: Texts) -> str:
    """The reply to /draw where Telegram cannot open the page."""
    return texts.gettext(
        "The draw page needs a public https address, and I have none. "
        "Send me a photo of something drawn instead."
    )


def ids(texts: Texts, user_id: int, chat_id: int) -> str:
    """The reply to /id."""
    return texts.gettext("You are <code>{user}</code>, this chat is <code>{chat}</code>.").format(
        user=user_id, chat=chat_id
    )


def nothing_to_cancel(texts: Texts) -> str:
    """The reply to /cancel where nothing is under way."""
    return texts.gettext("There is nothing under way that could be cancelled.")


def admins_only(texts: Texts) -> str:
    """The reply to what only administrators may do."""
    return texts.gettext("Only administrators may do that. /id shows your number for the configuration.")


def failed(texts: Texts, error_id: str) -> str:
    """What a person is told of an error of ours; the log has the rest under the same id."""
    return texts.gettext("Something went wrong on my side (error {id}). Please try again.").format(
        id=error_id
    )


def cannot_store(texts: Texts) -> str:
    """What a person is told where the database refuses what they sent."""
    return texts.gettext(
        "I cannot store anything at the moment, so nothing has changed. Please try again later."
    )


def storage_refuses(texts: Texts, reason: str) -> str:
    """What administrators are told where nothing that comes in can be stored."""
    return texts.gettext(
        "<b>I cannot store anything</b>, so I answer nobody: {reason}.\n"
        "What people send waits at Telegram for a day. I try again every half minute."
    ).format(reason=escape(reason))


def storage_works(texts: Texts) -> str:
    """What administrators are told when that is over."""
    return texts.gettext("I can store again, and answer what has waited.")


def unconfirmed(texts: Texts) -> str:
    """Where Telegram left unclear whether an answer went out."""
    return texts.gettext("Telegram did not confirm my answer. If you do not see it, please send that again.")


# ------------------------------------------------------------------------------------ the bot's own profile


def commands(texts: Texts) -> list[tuple[str, str]]:
    """The command menu for everybody."""
    return [
        ("start", texts.gettext("what I do")),
        ("help", texts.gettext("all commands")),
        ("correct", texts.gettext("tell me the right digits")),
        ("undo", texts.gettext("take my last correction back")),
        ("why", texts.gettext("what I saw in a photo")),
        ("draw", texts.gettext("draw a digit")),
        ("privacy", texts.gettext("what is kept, and my choice")),
        ("forget_me", texts.gettext("delete everything of mine")),
        ("id", texts.gettext("my number and this chat's")),
        ("cancel", texts.gettext("stop what is under way")),
    ]


def group_commands(texts: Texts) -> list[tuple[str, str]]:
    """The command menu in groups."""
    return [("read", texts.gettext("read the photo that I reply to")), *commands(texts)[1:5]]


def admin_commands(texts: Texts) -> list[tuple[str, str]]:
    """The command menu in the private chat of an administrator."""
    return [
        *commands(texts),
        ("retrain", texts.gettext("train on the accepted corrections")),
        ("models", texts.gettext("what served when, and go back")),
        ("review", texts.gettext("corrections that wait for a decision")),
    ]


def description(texts: Texts) -> str:
    """What an empty chat shows; at most 512 characters."""
    return texts.gettext(
        "I read handwritten digits from photos, with a neural network that learns from your corrections, "
        "if you let it. Send me a photo."
    )


def short_description(texts: Texts) -> str:
    """What the bot's profile shows; at most 120 characters."""
    return texts.gettext("Reads handwritten digits from photos, and learns from corrections.")
