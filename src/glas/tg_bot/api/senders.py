"""Determine who wrote a message: a person, or a chat (for messages of anonymous administrators and of channels).

For messages of anonymous administrators and of channels, Telegram states as the sender an account that is the same for
all such messages (a shared account). Then the field `sender_chat` contains the real sender. A shared account must never
be treated as a person.
"""

from aiogram.enums import ChatType
from aiogram.types import (
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    User,
)

from glas.domain.people import SHARED_ACCOUNTS

# Prefix of the first sender's name in a forwarded recording.
_FORWARDED = "↪️"


def person_in(message: Message) -> User | None:
    """Return the person who wrote a message; None for an anonymous administrator, a channel, or a post of a channel."""
    sender = message.from_user
    if sender is None or message.sender_chat is not None or sender.id in SHARED_ACCOUNTS:
        return None
    return sender


def party_in(message: Message) -> int:
    """Return the id of the party of a message; limits are counted separately for each party.

    The party is the person who sent the message, or the chat if no person is known.
    """
    person = person_in(message)
    return message.chat.id if person is None else person.id


def name_in(message: Message) -> str:
    """Return the speaker's name to show in a group.

    If the recording was forwarded, this is the name of its first sender.

    In a channel the name is empty, because all messages come from the channel itself.
    """
    origin = message.forward_origin
    sender = _sender_name(message)
    if origin is None or message.is_automatic_forward:
        return sender
    match origin:
        case MessageOriginUser():
            first = origin.sender_user.full_name
        case MessageOriginHiddenUser():
            first = origin.sender_user_name
        case MessageOriginChat():
            first = origin.sender_chat.title or ""
        case MessageOriginChannel():
            first = origin.chat.title or ""
    return f"{_FORWARDED} {first}" if first and first != sender else sender


def _sender_name(message: Message) -> str:
    person = person_in(message)
    if person is not None:
        return person.full_name
    if message.chat.type == ChatType.CHANNEL:
        return ""
    chat = message.sender_chat or message.chat
    return chat.title or ""
