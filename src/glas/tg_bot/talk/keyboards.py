"""The buttons under messages, and what a press of each carries.

Every button names its `asker`: Telegram's id of the person who may press it, or `ADMINISTRATORS` of the chat.
"""

import zlib
from collections.abc import Iterable

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from glas.clients.nn_service_bodies import OfferedBody
from glas.domain.messages import Score
from glas.domain.people import Locale
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import ADMINISTRATORS, Signer

MARKS = {Score.BAD: "❌", Score.NORMAL: "👌", Score.BEST: "✅"}
_CHOSEN = "●"
_DAY_S = 86_400
_SHORT_LIFE_S = _DAY_S

RATE, RETRY, CONFIRM, FIX, SRT = "r", "t", "c", "f", "s"
INSIST, LEAVE, TAKE_BACK = "y", "n", "u"
CONSENT, FORGET, LANGUAGE, CHAT, MODEL = "k", "d", "l", "g", "m"


def model_number(name: str) -> int:
    """A number that stands for a model in a button, which holds numbers only."""
    return zlib.crc32(name.encode())


class Keyboards:
    """Makes keyboards; the same arguments give the same buttons, so that a repeated edit changes nothing."""

    def __init__(self, signer: Signer, *, rating_days: int) -> None:
        self._signer = signer
        self._rating_s = rating_days * _DAY_S

    def rating(
        self, transcription_id: int, *, asker: int, born_s: int, say: Say, score: Score = Score.NOT_RATED
    ) -> InlineKeyboardMarkup:
        """❌ 👌 ✅ under a text, with a dot at the one that was pressed; ways to correct it and to get subtitles."""
        marks = [
            self._button(
                f"{mark} {_CHOSEN}" if score is value else mark,
                *(RATE, transcription_id, value),
                asker=asker,
                born_s=born_s,
                life_s=self._rating_s,
            )
            for value, mark in MARKS.items()
        ]
        more = [
            self._button(say("button-fix"), FIX, transcription_id, asker=asker, born_s=born_s, life_s=self._rating_s),
            self._button(say("button-srt"), SRT, transcription_id, asker=asker, born_s=born_s, life_s=self._rating_s),
        ]
        return InlineKeyboardMarkup(inline_keyboard=[marks, more])

    def retry(self, attempt: int, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """«Повторить» under a failure; `attempt` is the one that a press begins."""
        button = self._button(say("button-retry"), RETRY, attempt, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S)
        return self._one(button)

    def confirm(self, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """«Распознать», where a confirmation is wanted first."""
        return self._one(self._button(say("button-confirm"), CONFIRM, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S))

    def question(self, transcription_id: int, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Whether words are meant as a correction."""
        row = [
            self._button(text, action, transcription_id, asker=asker, born_s=born_s, life_s=self._rating_s)
            for text, action in ((say("button-insist"), INSIST), (say("button-leave"), LEAVE))
        ]
        return InlineKeyboardMarkup(inline_keyboard=[row])

    def take_back(
        self, transcription_id: int, change_id: int, *, asker: int, born_s: int, say: Say
    ) -> InlineKeyboardMarkup:
        """↩️ under the news of a correction, for a day."""
        values = (TAKE_BACK, transcription_id, change_id)
        return self._one(
            self._button(say("button-take-back"), *values, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S)
        )

    def consent(
        self, *, given: bool, asker: int, born_s: int, say: Say, in_settings: bool = False
    ) -> InlineKeyboardMarkup:
        """Allow training, or withdraw; under /settings the press also has the text above it written anew."""
        text = say("consent-no") if given else say("consent-yes")
        values = (CONSENT, int(not given), int(in_settings))
        return self._one(self._button(text, *values, asker=asker, born_s=born_s, life_s=self._rating_s))

    def forget(self, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """The one question before everything is deleted."""
        return InlineKeyboardMarkup(
            inline_keyboard=[
                [self._button(say("forget-yes"), FORGET, 1, asker=asker, born_s=born_s, life_s=3600)],
                [self._button(say("forget-no"), FORGET, 0, asker=asker, born_s=born_s, life_s=3600)],
            ]
        )

    def language(self, *, asker: int, born_s: int) -> InlineKeyboardMarkup:
        """Languages, each by its own name."""
        names = {Locale.RU: "Русский", Locale.EN: "English"}
        row = [
            self._button(names[locale], LANGUAGE, number, asker=asker, born_s=born_s, life_s=self._rating_s)
            for number, locale in enumerate(Locale)
        ]
        return InlineKeyboardMarkup(inline_keyboard=[row])

    def chat(self, *, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """How the bot behaves in a group; its administrators choose."""
        choices = ((say("button-chat-auto"), 1), (say("button-chat-asked"), 0))
        return InlineKeyboardMarkup(
            inline_keyboard=[
                [self._button(text, CHAT, value, asker=ADMINISTRATORS, born_s=born_s, life_s=self._rating_s)]
                for text, value in choices
            ]
        )

    def models(
        self, offered: Iterable[OfferedBody], *, asker: int, born_s: int, say: Say, locale: Locale
    ) -> InlineKeyboardMarkup:
        """All models but the one that serves, one below the other."""
        rows = []
        for model in offered:
            title = model.title[locale]
            if model.is_on_disk:
                text = say("button-model-use", title=title)
            elif model.size_mb is None:
                text = say("button-model-fetch", title=title)
            else:
                text = say("button-model-fetch-size", title=title, megabytes=round(model.size_mb))
            if not model.is_default:
                number = model_number(model.id)
                rows.append([self._button(text, MODEL, number, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S)])
        return InlineKeyboardMarkup(inline_keyboard=rows)

    def _button(
        self, text: str, action: str, *values: int, asker: int, born_s: int, life_s: int
    ) -> InlineKeyboardButton:
        data = self._signer.sign(action, *values, asker=asker, born_s=born_s, life_s=life_s)
        return InlineKeyboardButton(text=text, callback_data=data)

    def _one(self, button: InlineKeyboardButton) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup(inline_keyboard=[[button]])
