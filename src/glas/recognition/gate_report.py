"""Write a report of the gate: measurements as JSON, and a page with charts and the recordings with the most errors."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from glas.domain.model_records import REPORT_FIGURES, REPORT_PAGE
from glas.engines.catalogue import title_of as title_of_model
from glas.localisation import Catalogue, rounded
from glas.localisation.gate import written_condition, written_figure, written_part
from glas.recognition.evaluation import Evaluation
from glas.recognition.gate import Bucket, Check
from glas.recognition.references import ReferenceSet
from glas.recognition.report_parts import STYLE, WORST, bars, player
from glas.recognition.trial import TrialResult
from glas.system.files import make_directory, tree_to_disk
from glas.system.message_files import delete_messages, note_messages

PAGE, FIGURES = REPORT_PAGE, REPORT_FIGURES

# Names of those texts of the catalogue that are used in the page and contain no variables.
_TEXTS = ("condition", "limit", "value", "parts", "parts-legend", "worst-legend", "errors", "sound", "texts-column")


def write_report(
    folder: Path, found: TrialResult, test: ReferenceSet, say: Catalogue, guards: Sequence[ReferenceSet] = ()
) -> Path:
    """Write `verdict.json`, an evaluation of each model as JSON, and `index.html`; return the path of the page.

    If a speaker has deleted their data since the measurement began, recordings are missing. Then all files of the
    report except `verdict.json` are deleted, because these files may contain words or sound of this speaker.

    Args:
        folder: the directory, which is created if it is missing.
        found: the result of `try_candidate`.
        test: the test set; its recordings with the most errors are embedded in the page.
        say: the catalogue of the language of the page.
        guards: the guard sets. The evaluations contain texts of their recordings, so the report is also deleted if one
            of these recordings is missing.
    """
    make_directory(folder)
    audio = [one.audio for some in (test, *guards) for one in some.utterances]
    note_messages(folder, audio, harmless=(FIGURES,))
    (folder / FIGURES).write_text(found.verdict.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for name, measured in (("champion", found.champion), ("candidate", found.candidate)):
        (folder / f"{name}.json").write_text(measured.model_dump_json(indent=1) + "\n", encoding="utf-8")
    page = folder / PAGE
    page.write_text(_page(found, test, say), encoding="utf-8")
    tree_to_disk(folder)
    if not all(path.is_file() for path in audio):
        delete_messages(folder)
    return page


def title_of(check: Check, say: Catalogue) -> str:
    """Return the title of a check in the language of the report."""
    part = None if check.bucket is None else check.bucket.model_dump()
    return written_condition(check.condition.value, check.subject, part, say)


def number_of(check: Check, value: float | None, say: Catalogue) -> str:
    """Format the value or the limit of a check in its unit."""
    return written_figure(check.condition, value, say)


def _page(found: TrialResult, test: ReferenceSet, say: Catalogue) -> str:
    verdict = found.verdict
    title = "gate-title-passed" if verdict.passed else "gate-title-refused"
    checks = "".join(
        f'<tr class="{"yes" if one.passed else "no"}"><td>{"✓" if one.passed else "✗"}</td>'
        f"<td>{escape(title_of(one, say))}</td><td>{number_of(one, one.limit, say)}</td>"
        f"<td>{number_of(one, one.value, say)}</td></tr>"
        for one in verdict.checks
    )
    texts = {name: escape(say(f"gate-{name}")) for name in _TEXTS}
    return _TEMPLATE.format(
        language=say.language,
        style=STYLE,
        title=escape(say(title, model=_named(verdict.candidate.name, say))),
        wer=say("gate-wer", before=rounded(100 * verdict.wer_before, 2), after=rounded(100 * verdict.wer_after, 2)),
        models=escape(
            say(
                "gate-models",
                champion=str(verdict.champion),
                candidate=str(verdict.candidate),
                count=len(found.candidate.test.utterances),
            )
        ),
        checks=checks,
        bars=_bars(verdict.buckets, say),
        worst="".join(_worst(found.champion.test, found.candidate.test, test)),
        worst_title=escape(say("gate-worst")),
        **{name.replace("-", "_"): text for name, text in texts.items()},
    )


def _named(name: str, say: Catalogue) -> str:
    """Return the title of the model `name` in the language of the report."""
    found = title_of_model(name)
    return found.en if say.language == "en" else found.ru


def _bars(buckets: Sequence[Bucket], say: Catalogue) -> str:
    """Draw an SVG chart with two bars for each part of the test set: the error rates of champion and candidate."""
    return bars(
        [
            (
                f"{written_part(one.model_dump(), say)} ({one.n_words})",
                [(one.before, "#8a8a8a"), (one.after, "#1f6feb")],
            )
            for one in buckets
        ]
    )


def _worst(before: Evaluation, after: Evaluation, test: ReferenceSet) -> list[str]:
    """Return a part of the page, as HTML, for each of the recordings in which the candidate made the most word errors.

    Each of these parts contains a player with the sound of the recording.
    """
    files = {one.name: one.audio for one in test.utterances}
    texts = {one.file: one.text for one in before.utterances}
    worst = sorted(after.utterances, key=lambda one: (-one.word_errors, one.file))[:WORST]
    return [
        f"<tr><td>{one.word_errors} / {one.words}</td><td>{player(files.get(one.file))}</td>"
        f"<td><p>{escape(one.reference)}</p><p>{escape(texts.get(one.file, ''))}</p>"
        f"<p><b>{escape(one.text)}</b></p></td></tr>"
        for one in worst
        if one.word_errors
    ]


_TEMPLATE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
<h1>{title}</h1>
<p class="big">{wer}</p>
<p>{models}</p>
<table><tr><th></th><th>{condition}</th><th>{limit}</th><th>{value}</th></tr>{checks}</table>
<h2>{parts}</h2>
<p>{parts_legend}</p>
{bars}
<h2>{worst_title}</h2>
<p>{worst_legend}</p>
<table><tr><th>{errors}</th><th>{sound}</th><th>{texts_column}</th></tr>{worst}</table>
</html>
"""
