"""Make the cards of the dashboard about quality: ratings, error rates, confidence."""

from collections import defaultdict

from glas.clients.dashboard import Dashboard
from glas.localisation import Catalogue
from glas.web import plots
from glas.web.pages import written
from glas.web.pages.dashboard_cards import Card, as_number, cells, heads, version_of

_SCORES = ("bad", "normal", "best")


def scores(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows the share of each rating, by week and by version of the model."""
    figure = found.figures["scores"]
    weeks: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    rows = []
    for record in figure.records():
        counts = [as_number(record[name]) for name in _SCORES]
        week, total = str(record["week"]), sum(counts)
        weeks[week] = [before + count for before, count in zip(weeks[week], counts, strict=True)]
        shares = (written.percent(count / total if total else None, say.language) for count in counts)
        rows.append((week, version_of(record), written.number(total, say.language), *shares))
    shown = [
        (written.day(week, say.language), [100 * count / sum(counts) for count in counts])
        for week, counts in sorted(weeks.items())
    ]
    drawn = (plots.stacks(say("dash-scores"), shown, say.language, colours=(1, 2, 3)),) if shown else ()
    return Card(
        "scores",
        say("dash-scores"),
        say("dash-scores-note"),
        (say("dash-column-week"), say("dash-column-version"), say("dash-rated"), "❌", "👌", "✅"),
        tuple(rows[::-1]),
        figure.sql,
        plots=drawn,
        legend=((1, "❌"), (2, "👌"), (3, "✅")),
    )


def errors_of_versions(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows the word error rates against references, by week and by version of the model."""
    figure = found.figures["errors_of_versions"]
    series: dict[str, dict[str, float]] = defaultdict(dict)
    rows = []
    for record in figure.records():
        words, wrong = as_number(record["words"]), as_number(record["word_errors"])
        rate = wrong / words if words else None
        week, version = str(record["week"]), version_of(record)
        if rate is not None:
            series[version][written.day(week, say.language)] = 100 * rate
        rows.append(
            (
                week,
                version,
                written.number(as_number(record["references"]), say.language),
                written.number(words, say.language),
                written.percent(rate, say.language, 2),
            )
        )
    labels = [written.day(week, say.language) for week in sorted({str(record["week"]) for record in figure.records()})]
    drawn = (plots.lines(say("dash-wer"), labels, series, say.language),) if series else ()
    return Card(
        "wer",
        say("dash-wer"),
        say("dash-wer-note"),
        (
            say("dash-column-week"),
            say("dash-column-version"),
            say("dash-column-references"),
            say("dash-column-words"),
            "WER",
        ),
        tuple(rows[::-1]),
        figure.sql,
        plots=drawn,
        legend=tuple((number % plots.N_COLOURS, name) for number, name in enumerate(series)),
    )


def reliability(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that shows for each confidence of the model how many words with this confidence are right."""
    figure = found.figures["reliability"]
    points = [
        (as_number(record["confidence"]), as_number(record["right"]), as_number(record["words"]))
        for record in figure.records()
    ]
    axes = say("dash-column-confidence"), say("dash-column-right")
    drawn = (plots.reliability(say("dash-reliability"), *axes, points, say.language),) if points else ()
    return Card(
        "reliability",
        say("dash-reliability"),
        say("dash-reliability-note"),
        heads(figure, say),
        cells(figure.rows, say, digits=3),
        figure.sql,
        plots=drawn,
    )


def second_texts(found: Dashboard, say: Catalogue) -> Card:
    """Make the card that compares two models on the same recordings: the share of equal texts, and both error rates."""
    figure = found.figures["second_texts"]
    rows = []
    for record in figure.records():
        messages, words = as_number(record["messages"]), as_number(record["words"])
        counts = (written.number(count, say.language) for count in (messages, as_number(record["references"])))
        shared = "{} ({})".format(*counts), written.percent(as_number(record["same"]) / messages, say.language)
        for other in ("", "other_"):
            model = {"model": record[f"{other}model"], "version": record[f"{other}version"]}
            rate = as_number(record[f"{other}word_errors"]) / words if words else None
            rows.append((version_of(model), *shared, written.percent(rate, say.language, 2)))
    return Card(
        "second",
        say("dash-second"),
        say("dash-second-note"),
        (say("dash-column-version"), say("dash-column-messages"), say("dash-column-same"), "WER"),
        tuple(rows),
        figure.sql,
    )
