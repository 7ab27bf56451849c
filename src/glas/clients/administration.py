"""The methods of the db_assist client for administrators."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from glas.clients.ban_bodies import BanChoice
from glas.clients.db_assist_bodies import Page, RoleChoice
from glas.clients.held_bodies import PersonSummary, Reading, ReportReading
from glas.domain.audit import AuditEntry
from glas.domain.messages import Transcription
from glas.domain.people import Role, User


class AdministrationCalls(ABC):
    """Look people up, change their rights, read the audit.

    `by` is the Telegram id of the administrator. Each call with `by` writes an entry into the audit. If this person
    does not have the role ADMIN, the call raises ForbiddenError. Calls without `by` write no entry into the audit.
    """

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def set_role(self, tg_id: int, role: Role, *, by: int | None = None) -> User:
        """Set the role of a person.

        The caller must check that the person may get this role. Only people whose ids are in the settings may get the
        role ADMIN.
        """
        body = RoleChoice.model_construct(role=role)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/role", body, {"by": by}))

    async def ban(
        self, tg_id: int, *, by: int | None = None, reason: str | None = None, until: datetime | None = None
    ) -> User:
        """Ban a person: their messages and ratings are refused with `ForbiddenError`.

        Args:
            tg_id: Telegram id of the person who is banned.
            by: Telegram id of the administrator.
            reason: the reason; the person can read it when they download their data.
            until: the time at which the ban ends; db_assist lifts the ban within some seconds after this time. None
                means that the ban lasts until somebody lifts it.
        """
        body = BanChoice.model_construct(banned=True, reason=reason, until=until)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/ban", body, {"by": by}))

    async def unban(self, tg_id: int, *, by: int | None = None) -> User:
        """Lift the ban of a person."""
        body = BanChoice.model_construct(banned=False)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/ban", body, {"by": by}))

    async def people(
        self, number: int | None = None, *, before: int | None = None, limit: int = 50
    ) -> Page[PersonSummary]:
        """Return a page of people, the newest first.

        Args:
            number: a Telegram id, the number of a person's row, or the number of a message. Only people whom this
                number identifies are returned. None returns everybody.
            before: `next_cursor` of the previous page; None for the first page.
            limit: largest number of people, at most 200.
        """
        params = {"number": number, "before": before, "limit": limit}
        return Page[PersonSummary].model_validate(await self._call("GET", "/people", params=params))

    async def read_message(self, transcription_id: int, tg_id: int, *, by: int) -> Transcription:
        """Return a message to an administrator; record the reading in the audit, at most once in ten minutes.

        Raises:
            NotFoundError: there is no such person, or another person sent the message.
        """
        body = Reading.model_construct(by=by, tg_id=tg_id, transcription_id=transcription_id)
        return Transcription.model_validate(await self._call("POST", "/audit/readings", body))

    async def read_report(self, model_id: int, *, by: int) -> None:
        """Record in the audit that an administrator opens the gate's report about a model.

        Raises:
            NotFoundError: there is no such model.
        """
        await self._call("POST", "/audit/reports", ReportReading.model_construct(by=by, model_id=model_id))

    async def audit(self, *, before: int | None = None, limit: int = 50, tg_id: int | None = None) -> Page[AuditEntry]:
        """Return actions of administrators, the newest first; with `tg_id`, only actions that concern this person."""
        params = {"before": before, "limit": limit, "tg_id": tg_id}
        return Page[AuditEntry].model_validate(await self._call("GET", "/audit", params=params))
