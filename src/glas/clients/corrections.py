"""The calls about corrections, a part of the client of db_assist."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.correction_bodies import (
    AttachedMessage,
    Correction,
    CorrectionReference,
    CorrectionResult,
)
from glas.domain.corrections import CorrectionChange, Sound
from glas.domain.messages import MessageKind, Transcription

_changes = TypeAdapter(tuple[CorrectionChange, ...])
_attached = TypeAdapter(tuple[AttachedMessage, ...])


class CorrectionCalls(ABC):
    """Correct messages, take corrections back, read their history, and remember which messages show a text."""

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
    ) -> CorrectionResult:
        """Say what was really said; a later correction replaces an earlier one, and all stand in the history.

        Words that can hardly be what was said are doubtful: they are kept, are not paid, and are no reference. They
        replace the text only when the author insists.

        Args:
            transcription_id: the message.
            tg_id: who says so; its author.
            reference: the words.
            is_confirmed: the author insists.
            sound: what an engine says of the words, given the sound.

        Raises:
            ImplausibleCorrectionError: there is no word in it.
            NotFoundError: no such message or person.
            ForbiddenError: the message is another person's, or this one is banned.
            ConflictError: there is no text yet.
        """
        body = Correction.model_construct(tg_id=tg_id, reference=reference, is_confirmed=is_confirmed, sound=sound)
        return await self._corrected("PUT", transcription_id, "", body)

    async def take_back(self, transcription_id: int, tg_id: int, change_id: int) -> CorrectionResult:
        """Let the words stand again that stood before a change; the author may, while it is the last one.

        Raises:
            ConflictError: another change has come since.
            NotFoundError: no such message, person or change.
            ForbiddenError: the message is another person's, or this one is banned.
        """
        body = CorrectionReference.model_construct(tg_id=tg_id, change_id=change_id)
        return await self._corrected("POST", transcription_id, "/take-back", body)

    async def confirm_correction(self, transcription_id: int, tg_id: int, change_id: int) -> CorrectionResult:
        """Let the words of a change stand as a reviewer's, doubtful ones too.

        Raises:
            ForbiddenError: this person is neither reviewer nor administrator.
            NotFoundError: no such message, person or change.
        """
        body = CorrectionReference.model_construct(tg_id=tg_id, change_id=change_id)
        return await self._corrected("POST", transcription_id, "/confirm", body)

    async def correction_history(self, transcription_id: int) -> tuple[CorrectionChange, ...]:
        """All changes of a message's words, oldest first."""
        path = f"/transcriptions/{transcription_id}/correction/history"
        return _changes.validate_python(await self._call("GET", path))

    async def attach(self, transcription_id: int, kind: MessageKind, chat_id: int, message_id: int) -> None:
        """Remember a message of the bot that shows a text; a message that is gone meanwhile is no error.

        Raises:
            NotFoundError: no such transcription.
        """
        body = AttachedMessage.model_construct(kind=kind, chat_id=chat_id, message_id=message_id)
        await self._call("PUT", f"/transcriptions/{transcription_id}/messages", body)

    async def detach(self, transcription_id: int, chat_id: int, message_id: int) -> None:
        """Forget such a message."""
        params = {"chat_id": chat_id, "message_id": message_id}
        await self._call("DELETE", f"/transcriptions/{transcription_id}/messages", params=params)

    async def attached(self, transcription_id: int) -> tuple[AttachedMessage, ...]:
        """The messages of the bot that show a text, besides the answer, oldest first."""
        return _attached.validate_python(await self._call("GET", f"/transcriptions/{transcription_id}/messages"))

    async def by_recording(self, bot_id: int, chat_id: int, message_id: int) -> Transcription:
        """Find a message by the recording that a person sent; its last attempt.

        Raises:
            NotFoundError: there is none.
        """
        params = {"bot_id": bot_id, "chat_id": chat_id, "message_id": message_id}
        return Transcription.model_validate(await self._call("GET", "/transcriptions/by-recording", params=params))

    async def _corrected(self, method: str, transcription_id: int, what: str, body: BaseModel) -> CorrectionResult:
        path = f"/transcriptions/{transcription_id}/correction{what}"
        return CorrectionResult.model_validate(await self._call(method, path, body))
