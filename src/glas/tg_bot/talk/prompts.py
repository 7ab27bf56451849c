"""Messages of the bot that contain a hidden context: requests for words, questions, confirmations of a correction.

The context is in a link, which is attached to the sign ✏️ in the message. The link contains the database id of the
message about whose text the bot asks, the id of the person who is asked, and the speaker's name. The link is signed in
the same way as the data of buttons. When a person replies to the message, Telegram sends the message together with the
reply, and the bot reads the context from the message. So the bot need not store anything between a request and the
reply, and a crash between them is harmless.
"""

import time
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from aiogram.types import ForceReply, Message
from aiogram.utils.formatting import Code, Text, TextLink

from glas.domain.errors import InvalidParameterError
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import Signer

CORRECTION, REVIEW_WORDS, _WORDS_ACTION = "p", "x", "q"
_TEXT_FIELD, _WORDS_FIELD = "fix", "words"
_PENCIL, _BOOK = "✏️", "📖"
_PAGE = "t.me"
_MAX_HINT_CHARS = 64


class Prompt(NamedTuple):
    """Context of a message of the bot to which a person replies."""

    transcription_id: int
    asker: int
    """The Telegram id of the person who is asked."""
    name: str
    """Name of the speaker, as the answer shows it in a group; empty in private chats."""


class Prompts:
    """Makes messages with a context, and reads the context of a message."""

    def __init__(self, signer: Signer, bot_id: int, *, life_s: int, action: str = CORRECTION) -> None:
        """Set how contexts are signed, and which contexts are accepted.

        Args:
            signer: object that signs and checks contexts.
            bot_id: id of the bot; contexts are read only from messages of this bot.
            life_s: seconds for which a reply is accepted.
            action: kind of the request, which is a part of the signed data; contexts of other kinds are not accepted.
        """
        self._signer = signer
        self._bot_id = bot_id
        self._life_s = life_s
        self._action = action

    def mark(self, prompt: Prompt) -> TextLink:
        """Return the sign ✏️ with the link that contains the context."""
        born_s = int(time.time())
        signed = self._signer.sign(
            self._action, prompt.transcription_id, asker=prompt.asker, born_s=born_s, life_s=self._life_s
        )
        query = f"{_TEXT_FIELD}={quote(signed, safe='')}&name={quote(prompt.name, safe='')}"
        return TextLink(_PENCIL, url=f"https://{_PAGE}/?{query}")

    def request(self, prompt: Prompt, words: str, *, shown: str = "") -> Text:
        """Return a request: the text `words` with the context, and then the text `shown`, which the person can copy."""
        return Text(self.mark(prompt), f" {words}", *(["\n\n", Code(shown)] if shown else []))

    def read(self, message: Message | None) -> Prompt | None:
        """Return the context of a message; None if the message has no valid context, or is too old."""
        for url in _urls(message, self._bot_id, _TEXT_FIELD):
            fields = _fields(url)
            try:
                pressed = self._signer.read(fields[_TEXT_FIELD], now_s=time.time())
            except InvalidParameterError:
                return None
            if pressed.action == self._action:
                return Prompt(pressed.values[0], pressed.asker, fields.get("name", ""))
        return None

    def words_request(self, asker: int, words: str) -> Text:
        """Return a request for words of a vocabulary; the request contains the id of the person who is asked."""
        signed = self._signer.sign(_WORDS_ACTION, asker=asker, born_s=int(time.time()), life_s=self._life_s)
        mark = TextLink(_BOOK, url=f"https://{_PAGE}/?{_WORDS_FIELD}={quote(signed, safe='')}")
        return Text(mark, f" {words}")

    def read_words(self, message: Message | None) -> int | None:
        """Return the id of the person whom a message asks for words of a vocabulary; None for any other message."""
        for url in _urls(message, self._bot_id, _WORDS_FIELD):
            try:
                pressed = self._signer.read(_fields(url)[_WORDS_FIELD], now_s=time.time())
            except InvalidParameterError:
                return None
            if pressed.action == _WORDS_ACTION:
                return pressed.asker
        return None


def forced_reply(say: Say, placeholder: str = "fix-placeholder") -> ForceReply:
    """Return the markup that makes the Telegram app of the person open a reply to the message.

    `placeholder` is the name of the message in the catalogue that the empty input field shows.
    """
    return ForceReply(selective=True, input_field_placeholder=say(placeholder)[:_MAX_HINT_CHARS])


def is_prompt(message: Message | None, bot_id: int) -> bool:
    """Return whether a message seems to contain a context; the signature is not checked here."""
    return bool(_urls(message, bot_id, _TEXT_FIELD))


def _urls(message: Message | None, bot_id: int, field: str) -> list[str]:
    """Return the links of a message that contain a context, which is in the query parameter `field`.

    If the message is not from this bot, return an empty list.
    """
    if message is None or message.from_user is None or message.from_user.id != bot_id:
        return []
    entities = (*(message.entities or ()), *(message.caption_entities or ()))
    return [entity.url for entity in entities if entity.url is not None and field in _fields(entity.url)]


def _fields(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {} if parts.hostname != _PAGE else {name: values[0] for name, values in parse_qs(parts.query).items()}
