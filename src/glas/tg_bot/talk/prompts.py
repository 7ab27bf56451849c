"""Messages of the bot that themselves say what they are about: requests for words, questions, news of a correction.

Telegram gives a reply together with the message to which it replies. So these carry, behind a pencil, a link with the
number of the text, of the person who is asked and the name that the answer shows, signed as buttons are. Nothing has to
be remembered between a request and its reply, and no crash can come between them.
"""

import time
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from aiogram.types import ForceReply, Message
from aiogram.utils.formatting import Code, Text, TextLink

from glas.domain.errors import InvalidParameterError
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import Signer

_ACTION = "p"
_PENCIL = "✏️"
_PAGE = "t.me"
_MAX_HINT_CHARS = 64


class Prompt(NamedTuple):
    """What such a message is about."""

    transcription_id: int
    asker: int
    """Telegram's id of the person who is asked."""
    name: str
    """Whose words the text holds, as its answer shows it in a group; empty in private chats."""


class Prompts:
    """Makes such messages and reads them."""

    def __init__(self, signer: Signer, bot_id: int, *, life_s: int) -> None:
        """Prepare it.

        Args:
            signer: signs what they carry.
            bot_id: of the bot, whose messages alone are read.
            life_s: how long a reply is taken, seconds.
        """
        self._signer = signer
        self._bot_id = bot_id
        self._life_s = life_s

    def mark(self, prompt: Prompt) -> TextLink:
        """The pencil that carries what a message is about."""
        born_s = int(time.time())
        signed = self._signer.sign(
            _ACTION, prompt.transcription_id, asker=prompt.asker, born_s=born_s, life_s=self._life_s
        )
        query = f"fix={quote(signed, safe='')}&name={quote(prompt.name, safe='')}"
        return TextLink(_PENCIL, url=f"https://{_PAGE}/?{query}")

    def request(self, prompt: Prompt, words: str, *, shown: str = "") -> Text:
        """A request for words; those that stand now follow, ready to be copied."""
        return Text(self.mark(prompt), f" {words}", *(["\n\n", Code(shown)] if shown else []))

    def read(self, message: Message | None) -> Prompt | None:
        """What a message is about; None where it is none of these, or one of long ago."""
        for url in _urls(message, self._bot_id):
            fields = _fields(url)
            try:
                pressed = self._signer.read(fields["fix"], now_s=time.time())
            except InvalidParameterError:
                return None
            if pressed.action == _ACTION:
                return Prompt(pressed.values[0], pressed.asker, fields.get("name", ""))
        return None


def forced_reply(say: Say) -> ForceReply:
    """Let the application of the one who is asked open its reply by itself."""
    return ForceReply(selective=True, input_field_placeholder=say("fix-placeholder")[:_MAX_HINT_CHARS])


def is_prompt(message: Message | None, bot_id: int) -> bool:
    """Whether a message looks like one of these; its signature is checked when it is read."""
    return bool(_urls(message, bot_id))


def _urls(message: Message | None, bot_id: int) -> list[str]:
    """Links of a message of the bot's that carry something."""
    if message is None or message.from_user is None or message.from_user.id != bot_id:
        return []
    entities = (*(message.entities or ()), *(message.caption_entities or ()))
    return [entity.url for entity in entities if entity.url is not None and "fix" in _fields(entity.url)]


def _fields(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {} if parts.hostname != _PAGE else {name: values[0] for name, values in parse_qs(parts.query).items()}
