"""Pure: why a photo has no digits, in words: abstentions and unreadable photos."""

from bot.decoder import DecoderCrashedError, DecoderTimeoutError
from bot.i18n import Texts
from model.errors import (
    BrokenPhotoError,
    PhotoTooLargeError,
    UnopenedPhotoError,
    UnreadablePhotoError,
    UnsupportedFormatError,
)
from model.reading import Abstention, AbstentionReason


def abstention(texts: Texts, reason: Abstention) -> str:
    """The measured reason, and what to do better."""
    measured = reason.measured
    contrast = f"{measured.get('contrast', 0) * 100:.0f} %"
    marks = int(measured.get("marks", 0))
    match reason.reason:
        case AbstentionReason.NO_INK:
            sentence = texts.gettext(
                "I found no ink in this picture (contrast {contrast}). A darker pen or more light helps."
            )
        case AbstentionReason.TOO_MANY_MARKS:
            sentence = texts.gettext(
                "I see {marks} separate marks, too many to pick out digits. Please send only the digits."
            )
        case AbstentionReason.TOUCHES_EDGE:
            sentence = texts.gettext(
                "The digit touches the edge of the picture. Please leave some room around it."
            )
        case AbstentionReason.TOO_BLURRED:
            sentence = texts.gettext(
                "The picture is too blurred to be sure. Please hold still and go closer."
            )
        case AbstentionReason.TOO_SMALL:
            sentence = texts.gettext("The digit is too small in this picture. Please go closer.")
        case AbstentionReason.ON_ITS_SIDE:
            sentence = texts.gettext("This may lie on its side. Please send it upright.")
        case AbstentionReason.NOT_A_DIGIT:
            sentence = texts.gettext("This does not look like a digit to me.")
    return sentence.format(contrast=contrast, marks=marks)


def unreadable(texts: Texts, error: UnreadablePhotoError) -> str:
    """What is wrong with the bytes, and what to do instead."""
    match error:
        case UnsupportedFormatError():
            sentence = texts.gettext(
                "I cannot read {format} pictures. Please send it as a photo, or as a JPEG or PNG file."
            )
            return sentence.format(format=error.format)
        case UnopenedPhotoError():
            return texts.gettext("I cannot open this file: {reason}.").format(reason=error)
        case PhotoTooLargeError():
            return texts.gettext(
                "This picture is too large for me. Please send it as a photo, or a smaller one."
            )
        case DecoderTimeoutError():
            return texts.gettext("This picture took too long to open, so I stopped. Please send another one.")
        case BrokenPhotoError() | DecoderCrashedError():
            return texts.gettext("This picture is damaged, so I cannot open it. Please send it again.")
        case _:
            return texts.gettext("This is no picture that I can read: JPEG, PNG, WebP, BMP or GIF.")
