"""The methods of the db_assist client for the dashboard."""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

from pydantic import AwareDatetime, Field

from glas.clients.bodies import Value

Cell: TypeAlias = int | float | str | None


class Figure(Value):
    """A table of numbers for the dashboard, with the SQL statement that computes the table."""

    name: str
    sql: str = Field(description="SQL statement that computed the figure.")
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows of the table; each row is a dictionary with the names of the columns as its keys."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Dashboard(Value):
    """All figures of the dashboard, and the time at which db_assist computed them."""

    counted_datetime: AwareDatetime = Field(description="Time at which the figures were computed.")
    database: str = Field(
        description="Kind of the database: `sqlite` or `postgresql`. The SQL statements of the figures differ "
        "between the two."
    )
    figures: dict[str, Figure]


class DashboardCalls(ABC):
    """Read the figures of the dashboard."""

    @abstractmethod
    async def _long(self, method: str, path: str, params: dict[str, Any] | None = None) -> Any: ...

    async def dashboard(self, *, most_age_s: float = 0) -> Dashboard:
        """Return the figures of the dashboard.

        The figures are computed again if the stored figures are older than `most_age_s` seconds.
        """
        params = {"most_age_s": most_age_s}
        return Dashboard.model_validate(await self._long("GET", "/dashboard/figures", params))
