"""The methods of the db_assist client for coins."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.db_assist_bodies import Grant, Page
from glas.domain.ledger import Transaction
from glas.domain.people import User

_transactions = TypeAdapter(tuple[Transaction, ...])


class CoinCalls(ABC):
    """Read the ledger of coins, and give coins to people."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def transactions(
        self, tg_id: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Transaction, ...]:
        """Return a person's ledger entries from `since` up to, but not including, `until`; the oldest first.

        `since` and `until` must have a time zone.
        """
        params = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return _transactions.validate_python(await self._call("GET", f"/users/{tg_id}/transactions", params=params))

    async def ledger_of(self, tg_id: int, *, before: int | None = None, limit: int = 50) -> Page[Transaction]:
        """Return a page of a person's ledger entries, the newest first.

        `before` is `next_cursor` of the previous page; None returns the first page.
        """
        params = {"before": before, "limit": limit}
        return Page[Transaction].model_validate(await self._call("GET", f"/users/{tg_id}/ledger", params=params))

    async def paid_for(self, transcription_id: int) -> tuple[Transaction, ...]:
        """Return the payments for a message (to its speaker and to reviewers), the oldest first."""
        path = f"/transcriptions/{transcription_id}/transactions"
        return _transactions.validate_python(await self._call("GET", path))

    async def grant(self, admin_tg_id: int, tg_id: int, amount_hundredths: int, *, reason: str, key: str) -> User:
        """Give coins to a person, or take coins back with a negative amount; write an entry into the audit.

        Args:
            admin_tg_id: Telegram id of the person who gives the coins; this person must have the role ADMIN.
            tg_id: Telegram id of the person who gets the coins.
            amount_hundredths: number of hundredths of a coin; a negative number takes coins back.
            reason: the reason in the administrator's words.
            key: a text that identifies this grant, so that a repeated call does not pay again.

        Raises:
            ForbiddenError: the person `admin_tg_id` is not an administrator.
            ConflictError: the key was used for another grant, or the amount to take is larger than the balance.
        """
        body = Grant.model_construct(admin_tg_id=admin_tg_id, amount_hundredths=amount_hundredths, note=reason, key=key)
        return User.model_validate(await self._call("POST", f"/users/{tg_id}/grants", body))
