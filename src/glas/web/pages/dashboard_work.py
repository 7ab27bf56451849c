"""Make the cards of the dashboard about the use of the bot: messages, training data, coins, errors."""

from datetime import date, timedelta

from markupsafe import Markup

from glas.clients.dashboard import Dashboard
from glas.localisation import Catalogue
from glas.web import plots
from glas.web.pages import written
from glas.web.pages.dashboard_cards import Card, as_moment, as_number, cells, heads


def days(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows the numbers of messages, minutes and people on each of the last 30 days."""
    figure = found.figures["days"]
    by_day = {str(record["day"]): record for record in figure.records()}
    shown = _all_days(sorted(by_day))
    drawn = tuple(
        plots.bars(
            say(f"dash-column-{column}"),
            [
                (written.day(day, say.language), as_number(by_day[day][column]) if day in by_day else 0.0)
                for day in shown
            ],
            say.language,
        )
        for column in ("messages", "minutes", "people")
    )
    return Card(
        "days",
        say("dash-days"),
        say("dash-days-note"),
        heads(figure, say),
        cells(figure.rows[::-1], say),
        figure.sql,
        plots=drawn,
    )


def _all_days(known: list[str]) -> list[str]:
    """Return 30 successive days as YYYY-MM-DD; the last day is the last one in `known`."""
    if not known:
        return []
    last = date.fromisoformat(known[-1])
    return [(last - timedelta(days=number)).isoformat() for number in range(29, -1, -1)]


def training(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows the minutes of training data, by the rank of the words (who wrote or confirmed them)."""
    figure = found.figures["training"]
    named = [(say(f"dash-rank-{row[0]}"), *row[1:]) for row in figure.rows]
    values = [(str(rank), as_number(minutes)) for rank, _, minutes in named]
    drawn = (plots.bars(say("dash-column-minutes"), values, say.language),) if values else ()
    return Card(
        "training",
        say("dash-training"),
        say("dash-training-note"),
        heads(figure, say),
        cells(named, say),
        figure.sql,
        plots=drawn,
    )


def coins(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows the payments by reason, and whether all balances agree with the ledger."""
    paid, checked = found.figures["coins"], found.figures["ledger"]
    (ledger,) = checked.records()
    is_right = not as_number(ledger["wrong"])
    total = written.number(as_number(ledger["cash_hundredths"]) / 100, say.language, 2)
    check = (
        say("dash-ledger-right", people=int(as_number(ledger["people"])), total=total)
        if is_right
        else say("dash-ledger-wrong", people=int(as_number(ledger["wrong"])))
    )
    rows = tuple(
        (
            say(f"data-reason-{record['reason']}"),
            written.number(as_number(record["entries"]), say.language),
            written.number(as_number(record["hundredths"]) / 100, say.language, 2),
        )
        for record in paid.records()
    )
    return Card(
        "coins",
        say("dash-coins"),
        check,
        (say("dash-column-reason"), say("dash-column-entries"), say("dash-column-coins")),
        rows,
        f"{paid.sql}\n\n{checked.sql}",
    )


def errors(found: Dashboard, say: Catalogue) -> Card:
    """Make the card about messages without a text: the number and the latest time for each error code."""
    figure = found.figures["errors"]
    example = Markup('<a class="tall" href="/people/{}/messages/{}">{}</a>')
    rows = tuple(
        (
            str(record["code"]),
            written.number(as_number(record["messages"]), say.language),
            written.moment(as_moment(record["last"]), say.language),
            example.format(record["person"], record["example"], say("numbered", number=str(record["example"]))),
        )
        for record in figure.records()
    )
    columns = tuple(say(f"dash-column-{name}") for name in ("code", "messages", "last", "example"))
    return Card("errors", say("dash-errors"), say("dash-errors-note"), columns, rows, figure.sql)
