"""Make the cards of the dashboard; a card shows one figure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from markupsafe import Markup

from glas.clients.dashboard import Cell, Figure
from glas.localisation import Catalogue
from glas.web.pages import written


@dataclass(frozen=True)
class Card:
    """A card of the dashboard: one figure with its plots, its table and its SQL statement.

    Attributes:
        name: name of the card; links to the card use it as the anchor (`#NAME`).
        title: title of the card; it describes what is counted.
        note: an explanation for the reader; may be empty.
        plots: the plots of the figure, as SVG.
        legend: the meaning of the colours: for each colour class (see `glas.web.plots`), its number and a text.
        columns: headings of the table.
        rows: the rows of the table; each cell is a text.
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
    """Return the number in a cell of a figure; 0 for NULL."""
    return float(value) if isinstance(value, int | float) else 0.0


def as_moment(value: Cell) -> datetime | None:
    """Return the time (UTC) in a cell of a figure; None for NULL."""
    return None if value is None else datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def version_of(record: dict[str, Cell]) -> str:
    """Return a text with the model and the version in a row of a figure."""
    model, version = record["model"] or "—", record["version"]
    return f"{model} {version}" if version else str(model)


def heads(figure: Figure, say: Catalogue) -> tuple[str, ...]:
    """Return the headings of a figure's columns in the language of the page."""
    return tuple(say(f"dash-column-{column}") for column in figure.columns)


def cells(rows: Sequence[Sequence[Cell]], say: Catalogue, *, digits: int = 1) -> tuple[tuple[str, ...], ...]:
    """Format the cells of a figure's rows as text; numbers get at most `digits` decimals."""
    return tuple(
        tuple(
            written.number(cell, say.language, digits) if isinstance(cell, int | float) else str(cell or "—")
            for cell in row
        )
        for row in rows
    )
