"""What can go wrong in `bot`, as one tree. What people are told about it is in `bot.handlers.failures`.

BotError
├── ConfigError               a configuration file or variable that cannot be used
├── UnavailableError          a part that is needed is not there: a taken port, a token that Telegram refuses
├── ForgottenError            who sent the update was forgotten while it was handled; nobody is told anything
└── RefusedError              somebody asked for what cannot be done; nothing was changed
    ├── NotAReadingError          the message replied to, or the button pressed, belongs to no reading
    ├── NothingToCorrectError     the person has no reading in this chat
    ├── NothingToUndoError        the person has no correction to take back
    ├── NotYoursError             the reading is somebody else's, and the person no administrator
    ├── NotForYouError            the button was put there for somebody else
    ├── NotAnAdminError           only administrators may do this
    ├── ConsentChangedError       the text that was agreed to is not the present one
    ├── NothingToLearnError       there are no corrections that may train
    ├── NothingToRollBackToError  no such version has served before
    ├── NotReplayableError        a stored reading has no glyphs, or its version no weights, any more
    ├── FileTooLargeError         more bytes than the limits allow, or than Telegram hands out
    └── NotDownloadedError        Telegram did not hand out the file
"""


class BotError(Exception):
    """Anything that `bot` raises on purpose."""


class ConfigError(BotError):
    """A configuration file or variable cannot be used; the message names the key."""


class UnavailableError(BotError):
    """A part that is needed is not there."""


class ForgottenError(BotError):
    """Who sent the update was forgotten while it was handled; nothing of it is stored."""


class RefusedError(BotError):
    """Somebody asked for what cannot be done; nothing was changed."""


class NotAReadingError(RefusedError):
    """The message or button is neither of a photo that was read nor of an answer to one."""


class NothingToCorrectError(RefusedError):
    """The person has no reading in this chat."""


class NothingToUndoError(RefusedError):
    """The person has no correction to take back."""


class NotYoursError(RefusedError):
    """The reading belongs to somebody else, and the person is no administrator."""


class NotForYouError(RefusedError):
    """The button that was pressed was put there for somebody else."""


class NotAnAdminError(RefusedError):
    """Only administrators may do this."""


class ConsentChangedError(RefusedError):
    """The text that was agreed to is not the present one."""


class NothingToLearnError(RefusedError):
    """There are no corrections that may train."""


class NothingToRollBackToError(RefusedError):
    """No such version has served before."""


class NotReplayableError(RefusedError):
    """A stored reading has no glyphs, or its version no weights, any more."""


class FileTooLargeError(RefusedError):
    """More bytes than the limits allow, or than Telegram hands out."""


class NotDownloadedError(RefusedError):
    """Telegram did not hand out the file."""
