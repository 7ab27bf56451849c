"""Make the buttons under messages, and the data that Telegram sends to the bot when a button is pressed.

The data of each button contains an `asker`: the Telegram id of the person who may press the button. If every
administrator of the chat may press the button, `asker` is `ADMINISTRATORS`.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from glas.clients.nn_service_model_bodies import OfferedBody
from glas.domain.messages import Score
from glas.domain.people import Locale
from glas.domain.reviews import Verdict
from glas.domain.vocabulary import VocabularyWord
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import ADMINISTRATORS, Signer

MARKS = {Score.BAD: "❌", Score.NORMAL: "👌", Score.BEST: "✅"}
_CHOSEN = "●"
_NAMES = {Locale.RU: "Русский", Locale.EN: "English"}
_DAY_S = 86_400
_SHORT_LIFE_S = _DAY_S
_DECISION_S = 60 * _DAY_S

RATE, RETRY, CONFIRM, FIX, SRT = "r", "t", "c", "f", "s"
INSIST, LEAVE, TAKE_BACK = "y", "n", "u"
CONSENT, FORGET, LANGUAGE, CHAT, MODEL = "k", "d", "l", "g", "m"
WORD, WORDS, ADD_WORDS, REVIEW = "w", "v", "a", "e"
NEWS, DECIDE, OWN_MODEL = "b", "o", "h"


class Switch(NamedTuple):
    """A setting that is on or off; a press of its button changes the setting.

    Attributes:
        action: name of the button's action, as in the data that Telegram sends.
        turn_on: name of the catalogue's message that labels the button if the setting is off.
        turn_off: name of the catalogue's message that labels the button if the setting is on.
    """

    action: str
    turn_on: str
    turn_off: str


TRAINING = Switch(CONSENT, "consent-yes", "consent-no")
MODEL_NEWS = Switch(NEWS, "button-news-yes", "button-news-no")
_OWN_MODEL = Switch(OWN_MODEL, "button-own-model-on", "button-own-model-off")
_OWN_MODEL_OF_CHAT = Switch(OWN_MODEL, "button-chat-model-on", "button-chat-model-off")

_VERDICTS = (
    (Verdict.ACCEPT, Verdict.CORRECT),
    (Verdict.BAD_AUDIO, Verdict.NOT_SPEECH),
    (Verdict.OTHER_VOICE, Verdict.SKIP),
)


def model_number(name: str) -> int:
    """Return a number that stands for a model in the data of a button, because these data can contain only numbers."""
    return zlib.crc32(name.encode())


class Keyboards:
    """Makes the buttons of messages.

    The same arguments always give the same buttons. So if an edit of a message is repeated, the buttons do not change.
    """

    def __init__(self, signer: Signer, *, rating_days: int) -> None:
        self._signer = signer
        self._rating_s = rating_days * _DAY_S

    def rating(
        self, transcription_id: int, *, asker: int, born_s: int, say: Say, score: Score = Score.NOT_RATED
    ) -> InlineKeyboardMarkup:
        """Make the buttons under a text: for the ratings ❌ 👌 ✅, for a correction, and for subtitles.

        The current rating is marked with a dot.
        """
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

    def retry(self, attempt: int, *, asker: int, born_s: int, say: Say, is_first: bool = False) -> InlineKeyboardMarkup:
        """Make the button that begins an attempt to recognise a recording.

        The button is «Распознать» (recognise) if `is_first` is set, and otherwise «Повторить» (repeat).
        """
        text = say("button-confirm") if is_first else say("button-retry")
        button = self._button(text, RETRY, attempt, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S)
        return self._one(button)

    def confirm(self, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the button «Распознать» (recognise) for a recording whose recognition must be confirmed."""
        return self._one(self._button(say("button-confirm"), CONFIRM, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S))

    def question(self, transcription_id: int, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the buttons for the question whether a reply is a correction."""
        row = [
            self._button(text, action, transcription_id, asker=asker, born_s=born_s, life_s=self._rating_s)
            for text, action in ((say("button-insist"), INSIST), (say("button-leave"), LEAVE))
        ]
        return InlineKeyboardMarkup(inline_keyboard=[row])

    def take_back(
        self, transcription_id: int, change_id: int, *, asker: int, born_s: int, say: Say
    ) -> InlineKeyboardMarkup:
        """Make the button ↩️ under the confirmation of a correction; people can press the button for a day."""
        values = (TAKE_BACK, transcription_id, change_id)
        return self._one(
            self._button(say("button-take-back"), *values, asker=asker, born_s=born_s, life_s=_SHORT_LIFE_S)
        )

    def review(self, transcription_id: int, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the buttons under a recording for review, one for each verdict."""
        number = list(Verdict).index
        rows = [
            [
                self._button(
                    say(f"button-review-{verdict.value}"),
                    *(REVIEW, transcription_id, number(verdict)),
                    asker=asker,
                    born_s=born_s,
                    life_s=_SHORT_LIFE_S,
                )
                for verdict in row
            ]
            for row in _VERDICTS
        ]
        return InlineKeyboardMarkup(inline_keyboard=rows)

    def settings(
        self, *, given: bool, wants_news: bool, uses_own: bool | None, asker: int, born_s: int, say: Say
    ) -> InlineKeyboardMarkup:
        """Make the buttons under /settings; `uses_own` is None for a person without an own model."""
        rows = [
            [self._switch(switch, is_on=is_on, asker=asker, born_s=born_s, say=say, in_settings=True)]
            for switch, is_on in ((TRAINING, given), (MODEL_NEWS, wants_news), (_OWN_MODEL, uses_own))
            if is_on is not None
        ]
        return InlineKeyboardMarkup(inline_keyboard=rows)

    def decision(self, model_id: int, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the buttons under the question whether a candidate should become the default model."""
        row = [
            self._button(say(name), DECIDE, model_id, value, asker=asker, born_s=born_s, life_s=_DECISION_S)
            for name, value in (("button-candidate-yes", 1), ("button-candidate-no", 0))
        ]
        return InlineKeyboardMarkup(inline_keyboard=[row])

    def switch(self, switch: Switch, *, is_on: bool, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the button of a setting for a message other than the answer to /settings."""
        return self._one(self._switch(switch, is_on=is_on, asker=asker, born_s=born_s, say=say))

    def forget(self, *, asker: int, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the buttons under the question whether all data should be deleted: yes and no."""
        return InlineKeyboardMarkup(
            inline_keyboard=[
                [self._button(say("forget-yes"), FORGET, 1, asker=asker, born_s=born_s, life_s=3600)],
                [self._button(say("forget-no"), FORGET, 0, asker=asker, born_s=born_s, life_s=3600)],
            ]
        )

    def language(self, *, asker: int, born_s: int) -> InlineKeyboardMarkup:
        """Make one button for each language, with its name in that language."""
        row = [
            self._button(_NAMES[locale], LANGUAGE, number, asker=asker, born_s=born_s, life_s=self._rating_s)
            for number, locale in enumerate(Locale)
        ]
        return InlineKeyboardMarkup(inline_keyboard=[row])

    def start(
        self, *, given: bool, asker: int, born_s: int, say: Say, others: Iterable[Locale]
    ) -> InlineKeyboardMarkup:
        """Make the buttons under the answer to /start: one for the consent, and one for each language in `others`."""
        consent = self._switch(TRAINING, is_on=given, asker=asker, born_s=born_s, say=say)
        row = [
            self._button(
                _NAMES[locale],
                LANGUAGE,
                list(Locale).index(locale),
                1,
                asker=asker,
                born_s=born_s,
                life_s=self._rating_s,
            )
            for locale in others
        ]
        return InlineKeyboardMarkup(inline_keyboard=[[consent], *([row] if row else [])])

    def chat(self, *, uses_own: bool | None, born_s: int, say: Say) -> InlineKeyboardMarkup:
        """Make the buttons for what the bot does in a group; only administrators of the group may press them.

        `uses_own` is None for a group without an own model.
        """
        choices = ((say("button-chat-auto"), 1), (say("button-chat-asked"), 0))
        rows = [
            [self._button(text, CHAT, value, asker=ADMINISTRATORS, born_s=born_s, life_s=self._rating_s)]
            for text, value in choices
        ]
        if uses_own is not None:
            own = self._switch(
                _OWN_MODEL_OF_CHAT, is_on=uses_own, asker=ADMINISTRATORS, born_s=born_s, say=say, in_settings=True
            )
            rows.append([own])
        return InlineKeyboardMarkup(inline_keyboard=rows)

    def models(
        self, offered: Iterable[OfferedBody], *, asker: int, born_s: int, say: Say, locale: Locale
    ) -> InlineKeyboardMarkup:
        """Make one button for each model except the default model."""
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

    def words(
        self, shown: Sequence[VocabularyWord], *, page: int, n_pages: int, asker: int, born_s: int, say: Say
    ) -> InlineKeyboardMarkup:
        """Make the buttons of a page of the vocabulary.

        For each word there is a button that removes it. Other buttons show another page, or add words.
        """

        def button(text: str, action: str, *values: int) -> InlineKeyboardButton:
            return self._button(text, action, *values, asker=asker, born_s=born_s, life_s=self._rating_s)

        rows = [[button(f"✖️ {one.word}", WORD, one.id, page)] for one in shown]
        rows = [[one for row in rows[at : at + 2] for one in row] for at in range(0, len(rows), 2)]
        turns = [(page - 1, "‹"), (page + 1, "›")]
        rows.append([button(text, WORDS, number) for number, text in turns if 0 <= number < n_pages])
        rows.append([button(say("button-words-add"), ADD_WORDS)])
        return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])

    def _switch(
        self, switch: Switch, *, is_on: bool, asker: int, born_s: int, say: Say, in_settings: bool = False
    ) -> InlineKeyboardButton:
        """Make the button that changes a setting.

        If `in_settings` is set, a press also updates the text of the answer to /settings.
        """
        values = (switch.action, int(not is_on), int(in_settings))
        text = say(switch.turn_off if is_on else switch.turn_on)
        return self._button(text, *values, asker=asker, born_s=born_s, life_s=self._rating_s)

    def _button(
        self, text: str, action: str, *values: int, asker: int, born_s: int, life_s: int
    ) -> InlineKeyboardButton:
        data = self._signer.sign(action, *values, asker=asker, born_s=born_s, life_s=life_s)
        return InlineKeyboardButton(text=text, callback_data=data)

    def _one(self, button: InlineKeyboardButton) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup(inline_keyboard=[[button]])
