"""The methods of the db_assist client for a person's data: count, read, download and delete the data."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel

from glas.clients.db_assist_bodies import Page
from glas.clients.held_bodies import Forgotten, Holding, PersonalData, WorkToForget
from glas.domain.messages import Transcription


class HoldingCalls(ABC):
    """Read and delete the data of people."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    @abstractmethod
    async def _long(self, method: str, path: str, params: dict[str, Any] | None = None) -> Any: ...

    async def holding(self, tg_id: int) -> Holding:
        """Return the profile of a person, the consents, and the numbers of stored recordings, corrections and words.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        return Holding.model_validate(await self._call("GET", f"/users/{tg_id}/holding"))

    async def messages_of(self, tg_id: int, *, before: int | None = None, limit: int = 50) -> Page[Transcription]:
        """Return a page of a person's messages, the newest first; `before` is `next_cursor` of the previous page.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        params = {"before": before, "limit": limit}
        return Page[Transcription].model_validate(await self._call("GET", f"/users/{tg_id}/messages", params=params))

    async def export_user(self, tg_id: int, *, party: str | None = None) -> PersonalData:
        """Return all data about a person; also the usage of the last 24 hours if the pseudonym `party` is given."""
        return PersonalData.model_validate(await self._long("GET", f"/users/{tg_id}/data", params={"party": party}))

    async def forget(self, tg_id: int, *, by: int | None = None) -> Forgotten:
        """Delete a person and the person's consents, messages and corrections. The ledger entries stay.

        The caller must delete the objects that the answer lists. If this answer is lost, a repeated call does not list
        the objects, because it does not find the person any more. For this case, `changed_since` returns the ids of
        deleted messages. data_loader then deletes the objects of these messages, and the copies in the export.

        Args:
            tg_id: Telegram id of the person.
            by: Telegram id of the administrator who deletes the data; the audit records this deletion. None if the
                person deletes the data.

        Raises:
            ForbiddenError: the person with the Telegram id `by` is not an administrator.
        """
        return Forgotten.model_validate(await self._long("DELETE", f"/users/{tg_id}", {"by": by}))

    async def delete_message(self, transcription_id: int, tg_id: int, *, by: int | None = None) -> Forgotten:
        """Delete one message of a person; the payments for the message stay. `by` has the same meaning as for `forget`.

        Raises:
            NotFoundError: no message ever had this id, or the person is not registered.
            ForbiddenError: the message belongs to another person, or `by` is not an administrator.
        """
        params = {"tg_id": tg_id, "by": by}
        return Forgotten.model_validate(await self._call("DELETE", f"/transcriptions/{transcription_id}", None, params))

    async def work_to_forget(self) -> WorkToForget:
        """Return people whose data was deleted, while the bot still has records of how it handled their messages."""
        return WorkToForget.model_validate(await self._call("GET", "/work-to-forget"))

    async def work_forgotten(self, tg_id: int) -> None:
        """Store that the bot has deleted its records of how it handled a person's messages."""
        await self._call("DELETE", f"/work-to-forget/{tg_id}")
