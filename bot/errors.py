"""What can go wrong in `bot`, as one tree. What people are told about it is in `bot.handlers.failures`.

BotError
├── ConfigError             a configuration file or variable that cannot be used
├── RefusedError            the person asked for something that cannot be done; `replies` holds the sentence
│   ├── NotAReadingError        the message replied to was never read
│   ├── NothingToCorrectError   there is no reading of theirs in this chat
│   ├── NotYoursError           a reading of somebody else
│   └── NotAnAdminError         only administrators may
└── UnavailableError        a part that is needed is not there: a taken port, a token that Telegram refuses
"""


class BotError(Exception):
    """Anything that `bot` raises on purpose."""


class ConfigError(BotError):
    """A configuration file or variable cannot be used; the message names the key."""


class RefusedError(BotError):
    """The person asked for something that cannot be done."""


class NotAReadingError(RefusedError):
    """The message that was replied to is neither a photo that was read nor an answer to one."""


class NothingToCorrectError(RefusedError):
    """The person has no reading in this chat."""


class NotYoursError(RefusedError):
    """The reading belongs to somebody else, and the person is no administrator."""


class NotAnAdminError(RefusedError):
    """Only administrators may do this."""


class UnavailableError(BotError):
    """A part that is needed is not there."""
