"""What the Bot API answers instead of a result, in Telegram's own words.

ApiError
├── BadRequestError       400: a parameter or the state of the chat does not allow the call
├── UnauthorizedError     401: the token is nobody's
├── ForbiddenError        403: the person does not want to hear from the bot
├── NotFoundError         404: no such method or file
├── ConflictError         409: somebody else polls, or a webhook is set
└── TooManyRequestsError  429: slow down; says for how many seconds
"""

from typing import Any, ClassVar


class ApiError(Exception):
    """An answer with ``ok: false``; ``detail`` is what stands behind the colon of Telegram's description."""

    code: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.title}: {detail}" if detail else self.title)

    def answer(self) -> dict[str, Any]:
        """The body that a client gets."""
        return {"ok": False, "error_code": self.code, "description": str(self)}


class BadRequestError(ApiError):
    """A parameter or the state of the chat does not allow the call."""

    code = 400
    title = "Bad Request"


class UnauthorizedError(ApiError):
    """The token is nobody's."""

    code = 401
    title = "Unauthorized"


class ForbiddenError(ApiError):
    """The person does not want to hear from the bot."""

    code = 403
    title = "Forbidden"


class NotFoundError(ApiError):
    """There is no such method or file."""

    code = 404
    title = "Not Found"


class ConflictError(ApiError):
    """Somebody else polls, or a webhook is set."""

    code = 409
    title = "Conflict"


class TooManyRequestsError(ApiError):
    """The bot sends faster than Telegram lets it.

    Attributes:
        retry_after: seconds until the next call may succeed.
    """

    code = 429
    title = "Too Many Requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after}")
        self.retry_after = retry_after

    def answer(self) -> dict[str, Any]:
        """The body that a client gets, with the pause as a number."""
        return {**super().answer(), "parameters": {"retry_after": self.retry_after}}
