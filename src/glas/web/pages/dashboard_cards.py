"""The components of a card of the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from markupsafe import Markup

from glas.clients.dashboard import Cell, Figure
from glas.localisation import Catalogue
from glas.web.pages import written


@dataclass(frozen=True)
class Card:
    """A figure with its plots, its numbers and its SQL statement.

    Attributes:
        name: name of the card; it is also the anchor to which a link to the card leads.
        title: title of the card, which says what is counted.
        note: an explanation for the reader; may be empty.
        plots: the plots of the figure, as SVG.
        legend: meanings of the colours, in their order, each with the number of its colour class.
        columns: headings of the table.
        rows: the cells of the table as text.
        sql: the SQL statement that computes the figure.
    """

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sql: str
    plots: tuple[Markup, ...] = ()
    legend: tuple[tuple[int, str], ...] = field(default=())


def as_number(value: Cell) -> float:
    """Return a cell that contains a number; 0 for NULL."""
    return float(value) if isinstance(value, int | float) else 0.0


def as_moment(value: Cell) -> datetime | None:
    """Return a cell that contains a time in UTC; None for NULL."""
    return None if value is None else datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def version_of(record: dict[str, Cell]) -> str:
    """Return the name of a version of a model."""
    model, version = record["model"] or "—", record["version"]
    return f"{model} {version}" if version else str(model)


def heads(figure: Figure, say: Catalogue) -> tuple[str, ...]:
    """Return the headings of a figure's columns."""
    return tuple(say(f"dash-column-{column}") for column in figure.columns)


def cells(rows: Sequence[Sequence[Cell]], say: Catalogue, *, digits: int = 1) -> tuple[tuple[str, ...], ...]:
    """Format rows as text."""
    return tuple(
        tuple(
            written.number(cell, say.language, digits) if isinstance(cell, int | float) else str(cell or "—")
            for cell in row
        )
        for row in rows
    )
