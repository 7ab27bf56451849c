"""Compute the figures of the dashboard; the dashboard shows each figure together with its SQL statement.

The statements are the same on SQLite and PostgreSQL, except for the functions of dates (`_DATES`). Some statements
contain the condition of a partial index, although another condition in the same statement implies it. Without this
condition, SQLite would not use the index.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.dashboard import Cell, Dashboard, Figure
from glas.db.session import Database, dialect
from glas.domain.metrics import word_errors

_DATES: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {
        "day": "date(t.creation_datetime)",
        "week": "date(t.creation_datetime, '-6 days', 'weekday 1')",
        "days_30": "date('now', '-29 days')",
        "weeks_12": "date('now', '-83 days')",
    },
    "postgresql": {
        "day": "to_char(t.creation_datetime AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        "week": "to_char(date_trunc('week', t.creation_datetime AT TIME ZONE 'UTC'), 'YYYY-MM-DD')",
        "days_30": "(date_trunc('day', now() AT TIME ZONE 'UTC') - interval '29 days') AT TIME ZONE 'UTC'",
        "weeks_12": "(date_trunc('day', now() AT TIME ZONE 'UTC') - interval '83 days') AT TIME ZONE 'UTC'",
    },
}

_QUERIES: Final[Mapping[str, str]] = {
    "days": """\
SELECT {day} AS day,
       count(*) AS messages,
       coalesce(sum(t.duration_s), 0) / 60.0 AS minutes,
       count(DISTINCT t.user_id) AS people
FROM transcriptions t
WHERE t.creation_datetime >= {days_30}
GROUP BY 1 ORDER BY 1""",
    "scores": """\
SELECT {week} AS week, t.model AS model, t.model_version AS version,
       sum(CASE WHEN t.score = 1 THEN 1 ELSE 0 END) AS bad,
       sum(CASE WHEN t.score = 2 THEN 1 ELSE 0 END) AS normal,
       sum(CASE WHEN t.score = 3 THEN 1 ELSE 0 END) AS best
FROM transcriptions t
WHERE t.creation_datetime >= {weeks_12} AND t.score <> 0
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
    "references": """\
SELECT {week} AS week, t.model AS model, t.model_version AS version,
       t.confidence AS confidence, c.reference AS reference, t.text AS text
FROM corrections c JOIN transcriptions t ON t.id = c.transcription_id
WHERE c.reference IS NOT NULL AND c.rank <> 'doubtful'
  AND t.creation_datetime >= {weeks_12} AND t.status = 'done'
ORDER BY t.id DESC LIMIT 20000""",
    "second_texts": """\
SELECT t.model AS model, t.model_version AS version, s.model AS other_model, s.model_version AS other_version,
       t.text AS text, s.text AS other_text, c.reference AS reference
FROM second_hypotheses s JOIN transcriptions t ON t.id = s.transcription_id
LEFT JOIN corrections c ON c.transcription_id = t.id AND c.rank <> 'doubtful'
WHERE t.creation_datetime >= {weeks_12} AND t.status = 'done' AND t.model_version IS NOT NULL
ORDER BY t.id DESC LIMIT 2000""",
    "waiting": """\
SELECT count(*) AS messages, min(t.creation_datetime) AS oldest
FROM transcriptions t
WHERE t.status <> 'done' AND t.status = 'pending'""",
    "errors": """\
SELECT e.code AS code, e.messages AS messages, e.last AS last, e.example AS example, u.tg_id AS person
FROM (SELECT t.failure_code AS code, count(*) AS messages, max(t.changed_datetime) AS last, max(t.id) AS example
      FROM transcriptions t
      WHERE t.status <> 'done' AND t.status = 'failed' AND t.creation_datetime >= {days_30}
      GROUP BY 1) e
JOIN transcriptions m ON m.id = e.example JOIN users u ON u.id = m.user_id
ORDER BY 2 DESC, 1 LIMIT 50""",
    "coins": """\
SELECT l.reason AS reason, count(*) AS entries, sum(l.amount_hundredths) AS hundredths
FROM transactions l
GROUP BY 1 ORDER BY 1""",
    "ledger": """\
SELECT count(*) AS people,
       coalesce(sum(u.cash_hundredths), 0) AS cash_hundredths,
       coalesce(sum(CASE WHEN u.cash_hundredths <> coalesce(s.total, 0) THEN 1 ELSE 0 END), 0) AS wrong
FROM users u
LEFT JOIN (SELECT l.user_id, sum(l.amount_hundredths) AS total FROM transactions l GROUP BY l.user_id) s
  ON s.user_id = u.id""",
    "training": """\
SELECT c.rank AS rank, count(*) AS messages, sum(t.duration_s) / 60.0 AS minutes
FROM corrections c JOIN transcriptions t ON t.id = c.transcription_id
WHERE c.reference IS NOT NULL AND c.rank <> 'doubtful' AND t.status = 'done' AND NOT t.is_forwarded
  AND (SELECT k.granted FROM consents k
       WHERE k.user_id = t.user_id AND k.purpose = 'training'
       ORDER BY k.id DESC LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.transcription_id = t.id AND r.verdict = 'other_voice')
GROUP BY 1 ORDER BY 1""",
}
"""The SQL statements by the names of their figures.

The statements `references` and `second_texts` return texts of messages. This module counts the errors in these texts;
the figures do not contain the texts.
"""

_N_BINS: Final = 10
_MOST_KNOWN: Final = 100_000


class CountedErrors:
    """Counts word errors of texts against references; caches the counts under hashes of the texts, but no texts."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int]] = {}

    def of(self, reference: str, heard: str) -> tuple[int, int]:
        """Return the number of word errors of a text against a reference, and the number of the reference's words.

        Both texts are normalised with RU-NORM before they are compared.
        """
        name = hashlib.sha256(f"{len(reference)} {reference}{heard}".encode()).digest()
        found = self._known.get(name)
        if found is None:
            errors, words = word_errors([reference], [heard])
            found = int(errors[0]), int(words[0])
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = found
        return found


class KeptFigures:
    """Keeps the last computed figures for callers that accept figures of a certain age."""

    def __init__(self) -> None:
        self._counted = CountedErrors()
        self._lock = asyncio.Lock()
        self._found: Dashboard | None = None
        self._counted_s = 0.0

    async def figures(self, database: Database, most_age_s: float) -> Dashboard:
        """Return figures that are at most `most_age_s` seconds old; compute them again if necessary.

        If a computation is running, the call waits for its result and does not start another one.
        """
        asked_s = time.monotonic()
        async with self._lock:
            # A count that began after this call is new enough for every value of `most_age_s`.
            if self._found is None or self._counted_s < asked_s - most_age_s:
                began_s = time.monotonic()
                async with database.reading() as session:
                    self._found = await figures(self._counted, session=session)
                self._counted_s = began_s
            return self._found


async def figures(counted: CountedErrors, *, session: AsyncSession) -> Dashboard:
    """Run the SQL statements of the dashboard, and return the figures with their results."""
    name, now = dialect(session), datetime.now(UTC)
    found: dict[str, Figure] = {}
    for key, template in _QUERIES.items():
        sql = template.format(**_DATES[name])
        result = await session.execute(text(sql))
        columns, rows = tuple(result.keys()), [tuple(row) for row in result]
        if key == "references":
            found |= await asyncio.to_thread(_judged, sql, rows, counted)
        elif key == "second_texts":
            found[key] = await asyncio.to_thread(_compared, sql, rows, counted)
        else:
            found[key] = Figure(name=key, sql=sql, columns=columns, rows=tuple(_cells(row) for row in rows))
    return Dashboard(counted_datetime=now, database=name, figures=found)


def _cells(row: Iterable[Any]) -> tuple[Cell, ...]:
    return tuple(_cell(value) for value in row)


def _cell(value: Any) -> Cell:
    """Convert a value of the database to a form that is the same for SQLite and PostgreSQL.

    Sums become numbers, and times become texts in UTC without fractions of a second.
    """
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case str():
            return value[:19] if _is_moment(value) else value
        case _:
            cell: Cell = value
            return cell


def _is_moment(value: str) -> bool:
    """Return whether a text is a time in the format of SQLite, with fractions of a second."""
    try:
        datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007 - only its form is asked for
    except ValueError:
        return False
    return True


def _judged(sql: str, rows: Sequence[tuple[Any, ...]], counted: CountedErrors) -> dict[str, Figure]:
    """Make two figures of the word errors of texts against their references.

    The first figure has the errors by week and version of the model, the second one by confidence.
    """
    versions: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    bins: dict[int, list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for week, model, version, confidence, reference, heard in rows:
        errors, words = counted.of(reference, heard or "")
        one = versions[week, model or "", version or ""]
        one[0], one[1], one[2] = one[0] + 1, one[1] + words, one[2] + errors
        if confidence is not None and words:
            place = bins[min(int(confidence * _N_BINS), _N_BINS - 1)]
            place[0], place[1], place[2] = place[0] + 1, place[1] + words, place[2] + min(errors, words)
            place[3] += confidence * words
    return {
        "errors_of_versions": Figure(
            name="errors_of_versions",
            sql=sql,
            columns=("week", "model", "version", "references", "words", "word_errors"),
            rows=tuple((*key, *counts) for key, counts in sorted(versions.items())),
        ),
        "reliability": Figure(
            name="reliability",
            sql=sql,
            columns=("messages", "words", "confidence", "right"),
            rows=tuple(
                (int(count), int(words), said / words, 1 - wrong / words)
                for _, (count, words, wrong, said) in sorted(bins.items())
            ),
        ),
    }


def _compared(sql: str, rows: Sequence[tuple[Any, ...]], counted: CountedErrors) -> Figure:
    """Make the figure that compares the texts of two models on the same recordings.

    For the comparison, it does not matter which of the two models answered a recording and which recognised it later.
    """
    pairs: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    for model, version, other_model, other_version, heard, other_heard, reference in rows:
        (first, text), (second, other_text) = sorted(
            (((model, version), heard or ""), ((other_model, other_version), other_heard))
        )
        one = pairs[*first, *second]
        one[0], one[1] = one[0] + 1, one[1] + (counted.of(text, other_text)[0] == 0)
        if reference is not None:
            (errors, words), (other_errors, _) = counted.of(reference, text), counted.of(reference, other_text)
            one[2:] = one[2] + 1, one[3] + words, one[4] + errors, one[5] + other_errors
    return Figure(
        name="second_texts",
        sql=sql,
        columns=(
            *("model", "version", "other_model", "other_version"),
            *("messages", "same", "references", "words", "word_errors", "other_word_errors"),
        ),
        rows=tuple((*pair, *counts) for pair, counts in sorted(pairs.items())),
    )
