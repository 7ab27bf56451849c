"""The calls about coins, a part of the client of db_assist."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.db_assist_bodies import Grant, Page
from glas.domain.ledger import Transaction
from glas.domain.people import User

_transactions = TypeAdapter(tuple[Transaction, ...])


class CoinCalls(ABC):
    """Read the ledger, and grant coins."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def transactions(
        self, tg_id: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Transaction, ...]:
        """Return a person's ledger from `since` up to, not including, `until`; oldest first. Times have a zone."""
        params = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return _transactions.validate_python(await self._call("GET", f"/users/{tg_id}/transactions", params=params))

    async def ledger_of(self, tg_id: int, *, before: int | None = None, limit: int = 50) -> Page[Transaction]:
        """Return a page of a person's ledger, the newest first; `before` is the cursor of the last page."""
        params = {"before": before, "limit": limit}
        return Page[Transaction].model_validate(await self._call("GET", f"/users/{tg_id}/ledger", params=params))

    async def paid_for(self, transcription_id: int) -> tuple[Transaction, ...]:
        """Return the payments for a message, to its speaker and to reviewers, oldest first."""
        path = f"/transcriptions/{transcription_id}/transactions"
        return _transactions.validate_python(await self._call("GET", path))

    async def grant(self, admin_tg_id: int, tg_id: int, amount_hundredths: int, *, reason: str, key: str) -> User:
        """Give coins, or take them back with a negative amount; it is written into the audit.

        Args:
            admin_tg_id: who gives; must have the role ADMIN.
            tg_id: who gets.
            amount_hundredths: hundredths of a coin.
            reason: the administrator's words.
            key: names this grant, so that a repeat does not pay again.

        Raises:
            ForbiddenError: the giver is no administrator.
            ConflictError: the key was used for another grant, or more is taken than there is.
        """
        body = Grant.model_construct(admin_tg_id=admin_tg_id, amount_hundredths=amount_hundredths, note=reason, key=key)
        return User.model_validate(await self._call("POST", f"/users/{tg_id}/grants", body))
