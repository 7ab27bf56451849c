"""The methods of the db_assist client for corrections."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.correction_bodies import (
    AttachedMessage,
    Correction,
    CorrectionReference,
    CorrectionResult,
    TextToShow,
)
from glas.domain.corrections import CorrectionChange, Sound
from glas.domain.messages import MessageKind, Transcription

_changes = TypeAdapter(tuple[CorrectionChange, ...])
_attached = TypeAdapter(tuple[AttachedMessage, ...])
_texts = TypeAdapter(tuple[TextToShow, ...])


class CorrectionCalls(ABC):
    """Correct texts, undo corrections, read their history, and store which Telegram messages show a text."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def correct(
        self,
        transcription_id: int,
        tg_id: int,
        reference: str,
        *,
        is_confirmed: bool = False,
        sound: Sound = Sound.UNKNOWN,
        lets_bot_show: bool = False,
    ) -> CorrectionResult:
        """Store the words that were said, according to the author of a message, in place of an earlier correction.

        The history keeps all corrections. If the words were probably not said, the correction is doubtful. A doubtful
        correction is stored, but it is not paid and does not become a reference. A doubtful correction replaces the
        text only if the author confirms it.

        Args:
            transcription_id: id of the message.
            tg_id: Telegram id of the author of the message, that is, of the person who sent the recording.
            reference: the words that were said, according to the author.
            is_confirmed: whether the author confirms a doubtful correction.
            sound: how well the words fit the sound, according to an engine.
            lets_bot_show: whether the bot must be told to update its Telegram messages that show the text. The web
                pages set this to True, because they cannot change messages in Telegram.

        Raises:
            ImplausibleCorrectionError: the correction contains no word.
            NotFoundError: the message or the person does not exist.
            ForbiddenError: the message belongs to another person, or the person is banned.
            ConflictError: the message has no text.
        """
        body = Correction.model_construct(
            tg_id=tg_id, reference=reference, is_confirmed=is_confirmed, sound=sound, lets_bot_show=lets_bot_show
        )
        return await self._corrected("PUT", transcription_id, "", body)

    async def take_back(
        self, transcription_id: int, tg_id: int, change_id: int, *, lets_bot_show: bool = False
    ) -> CorrectionResult:
        """Undo a correction: restore the words that a change replaced.

        Only the author of the message may restore words, and only those that the last change replaced.

        `lets_bot_show` has the same meaning as for `correct`.

        Raises:
            ConflictError: there is a later change.
            NotFoundError: the message, the person or the change does not exist.
            ForbiddenError: the message belongs to another person, or the person is banned.
        """
        body = CorrectionReference.model_construct(tg_id=tg_id, change_id=change_id, lets_bot_show=lets_bot_show)
        return await self._corrected("POST", transcription_id, "/take-back", body)

    async def texts_to_show(self, bot_id: int) -> tuple[TextToShow, ...]:
        """Return texts that were corrected on the web pages; the bot must update its messages that show these texts."""
        return _texts.validate_python(await self._call("GET", "/texts-to-show", params={"bot_id": bot_id}))

    async def text_taken_up(self, transcription_id: int, change_id: int) -> None:
        """Store that the bot has enqueued the update of a text, so that `texts_to_show` no longer returns this text.

        If the text was changed again after the change `change_id`, `texts_to_show` still returns the text.
        """
        await self._call("DELETE", f"/texts-to-show/{transcription_id}", params={"change_id": change_id})

    async def correction_history(self, transcription_id: int) -> tuple[CorrectionChange, ...]:
        """Return all changes of a message's words, the oldest first."""
        path = f"/transcriptions/{transcription_id}/correction/history"
        return _changes.validate_python(await self._call("GET", path))

    async def attach(self, transcription_id: int, kind: MessageKind, chat_id: int, message_id: int) -> None:
        """Store that a Telegram message of the bot shows a recognised text; a correction must update this message.

        Raises:
            NotFoundError: no message has the id `transcription_id`.
        """
        body = AttachedMessage.model_construct(kind=kind, chat_id=chat_id, message_id=message_id)
        await self._call("PUT", f"/transcriptions/{transcription_id}/messages", body)

    async def detach(self, transcription_id: int, chat_id: int, message_id: int) -> None:
        """Store that a message of the bot does not show the text any more: delete the entry that `attach` stored."""
        params = {"chat_id": chat_id, "message_id": message_id}
        await self._call("DELETE", f"/transcriptions/{transcription_id}/messages", params=params)

    async def attached(self, transcription_id: int) -> tuple[AttachedMessage, ...]:
        """Return the bot's Telegram messages that show a recognised text, except the bot's answer; the oldest first."""
        return _attached.validate_python(await self._call("GET", f"/transcriptions/{transcription_id}/messages"))

    async def by_recording(self, bot_id: int, chat_id: int, message_id: int) -> Transcription:
        """Find a message by the Telegram message that contains its recording.

        If the bot tried to recognise the recording several times, return the message of the last attempt.

        Raises:
            NotFoundError: there is no such message.
        """
        params = {"bot_id": bot_id, "chat_id": chat_id, "message_id": message_id}
        return Transcription.model_validate(await self._call("GET", "/transcriptions/by-recording", params=params))

    async def _corrected(self, method: str, transcription_id: int, what: str, body: BaseModel) -> CorrectionResult:
        path = f"/transcriptions/{transcription_id}/correction{what}"
        return CorrectionResult.model_validate(await self._call(method, path, body))
