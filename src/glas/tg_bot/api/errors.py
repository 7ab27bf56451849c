"""Define the errors of calls to Telegram, convert aiogram's errors into these, and decide which are temporary."""

from typing import Any

from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from glas.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    GlasError,
    InvalidParameterError,
    OverloadedError,
    ServiceFaultError,
    ServiceTimeoutError,
    ServiceUnreachableError,
)

# These errors differ only in Telegram's text.
_GONE_MESSAGE = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")
_GONE_PERSON = ("chat not found", "PEER_ID_INVALID", "user is deactivated")
_FORBIDDEN = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "CHAT_SEND_",
    "CHAT_WRITE_FORBIDDEN",
    "CHAT_RESTRICTED",
    "TOPIC_CLOSED",
)


class TelegramAwayError(ServiceUnreachableError):
    """Telegram cannot be reached, or answers with an internal error."""

    code = "telegram_unreachable"


class PersonGoneError(ForbiddenError):
    """The bot cannot send messages to a chat: the person blocked the bot, or the bot was removed from the chat."""

    code = "person_gone"


class ChatForbidsError(PersonGoneError):
    """The chat does not permit this kind of message (for example files); another kind may be permitted."""

    code = "chat_forbids"


class UnreadableAnswerError(GlasError):
    """Telegram has carried out the call, but the format of its answer is not known."""

    code = "telegram_answer_unreadable"

    def __init__(self, message: str, *, body: Any = None, **options: Any) -> None:
        super().__init__(message, **options)
        self.body = body


class MessageGoneError(InvalidParameterError):
    """The message to edit was deleted, or it is too old to be edited."""

    code = "message_gone"


class DownloadError(InvalidParameterError):
    """Telegram does not provide the file."""

    code = "download_failed"


def translated(error: TelegramAPIError) -> GlasError:
    """Convert an exception of aiogram into an exception of Glas."""
    name = type(error).__name__
    if isinstance(error, TelegramBadRequest):
        return _of_bad_request(error.message)
    made: GlasError = ServiceFaultError(f"Telegram answered {name}")
    match error:
        case TelegramRetryAfter():
            made = OverloadedError("Telegram asks for a pause", retry_after_s=error.retry_after)
        case TelegramNetworkError() | TelegramServerError():
            made = TelegramAwayError(f"Telegram cannot be reached ({name})")
        case TelegramUnauthorizedError() | TelegramNotFound():
            made = ConfigurationError("Telegram does not know this token; ask @BotFather for a new one")
        case TelegramConflictError():
            made = ConfigurationError(error.message)
        case TelegramForbiddenError():
            made = PersonGoneError(error.message)
        case TelegramMigrateToChat():
            made = MessageGoneError("it was written before the group became a supergroup")
    return made


def error_of_answer(body: Any) -> GlasError:
    """Return the error for an answer of Telegram that cannot be parsed.

    If the answer contains `"ok": true`, Telegram has carried out the call. Then the error is an UnreadableAnswerError.

    For any other answer, such as an HTML page of a proxy, it is not known whether Telegram has carried out the call.
    Then the error is a TelegramAwayError, after which the call is repeated.
    """
    if isinstance(body, dict) and body.get("ok") is True:
        return UnreadableAnswerError("Telegram's answer is not understood", body=body)
    return TelegramAwayError("something between here and Telegram answered in its place")


def _of_bad_request(text: str) -> GlasError:
    if any(sign in text for sign in _GONE_MESSAGE):
        return MessageGoneError(text)
    if any(sign in text for sign in _GONE_PERSON):
        return PersonGoneError(text)
    if any(sign in text for sign in _FORBIDDEN):
        return ChatForbidsError(text)
    return InvalidParameterError(text)


def is_not_modified(error: InvalidParameterError) -> bool:
    """Return whether an edit failed because the message already has the new content; this counts as success."""
    return "message is not modified" in error.message


class RetryRule:
    """Decide after which errors a call is repeated, and how long the pause before the repetition is.

    Temporary errors are: a service or Telegram is unavailable, or a queue is full. The cause of an internal error of a
    service may be a bug, which a repetition does not remove. So after an internal error, the call is repeated only a
    few times.
    """

    def __init__(self, *, max_faults: int = 8) -> None:
        self._faults_left = max_faults

    def pause_s(self, error: Exception) -> float | None:
        """Return the least number of seconds to wait before another attempt; None if another attempt cannot succeed."""
        match error:
            case OverloadedError():
                return error.retry_after_s or 1.0
            case ServiceUnreachableError() | ServiceTimeoutError():
                return 0.0
            case ServiceFaultError() if self._faults_left > 0:
                self._faults_left -= 1
                return 0.0
            case _:
                return None
