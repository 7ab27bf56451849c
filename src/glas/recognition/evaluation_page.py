"""Make a page about the evaluation of one model: a table, a chart, and the recordings with the most errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from glas.domain.metrics import Interval
from glas.localisation import Catalogue, rounded
from glas.localisation.gate import written_part
from glas.recognition.evaluation import Evaluation
from glas.recognition.gate import Part, parts_of
from glas.recognition.references import ReferenceSet
from glas.recognition.report_parts import STYLE, WORST, bars, player

_COLOUR = "#1f6feb"


@dataclass(frozen=True)
class Besides:
    """Numbers about a model that cannot be computed from its recognised texts.

    Attributes:
        n_nonspeech: number of sounds without speech with which the model was tested.
        n_invented: for how many of these sounds the model wrote a text.
        memory_bytes: resident memory of the process with the model; None if the operating system does not report it.
    """

    n_nonspeech: int
    n_invented: int
    memory_bytes: int | None


def page_of(found: Evaluation, besides: Besides, data: ReferenceSet, say: Catalogue) -> str:
    """Return the page as HTML; it contains the texts and the sound of the recordings with the most errors.

    Args:
        found: the result of `evaluate`.
        besides: further numbers about the model.
        data: the recordings that were evaluated; their sound is read from disk.
        say: the catalogue of the language of the page.
    """
    figures = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in _figures(found, besides, say)
    )
    chart = bars(
        [
            (f"{written_part(part._asdict(), say)} ({part.n_words})", [(_wer(found, part), _COLOUR)])
            for part in parts_of(found.utterances)
        ]
    )
    title = escape(str(found.model))
    return (
        f'<!doctype html>\n<html lang="{say.language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{STYLE}</style>\n<h1>{title}</h1>\n"
        f"<p>{escape(found.data)}</p>\n<table>{figures}</table>\n"
        f"<h2>{escape(say('gate-parts'))}</h2>\n<p>{escape(say('evaluate-parts-legend'))}</p>\n{chart}\n"
        f"<h2>{escape(say('evaluate-worst'))}</h2>\n<p>{escape(say('evaluate-worst-legend'))}</p>\n"
        f"<table><tr><th>{escape(say('gate-errors'))}</th><th>{escape(say('gate-sound'))}</th>"
        f"<th>{escape(say('gate-texts-column'))}</th></tr>{''.join(_worst(found, data))}</table>\n</html>\n"
    )


def _figures(found: Evaluation, besides: Besides, say: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table: pairs of a name and a formatted value."""
    yield "WER", _rate(found.rates.wer, found.wer_interval, say)
    yield "CER", _rate(found.rates.cer, found.cer_interval, say)
    yield (
        say("evaluate-recordings"),
        say(
            "evaluate-recordings-told",
            recordings=found.rates.n_utterances,
            minutes=rounded(found.audio_s / 60),
            words=found.rates.n_words,
        ),
    )
    yield say("gate-nonspeech"), f"{besides.n_invented} / {besides.n_nonspeech}"
    if found.processing_s:
        yield say("evaluate-speed"), say("evaluate-speed-told", times=rounded(found.audio_s / found.processing_s))
    if besides.memory_bytes is not None:
        yield say("evaluate-memory"), say("models-size", megabytes=round(besides.memory_bytes / 1e6))


def _rate(rate: float, interval: Interval | None, say: Catalogue) -> str:
    if interval is None:
        return say("gate-percent", value=rounded(100 * rate, 2))
    low, high = (rounded(100 * border, 2) for border in (interval.low, interval.high))
    return say("evaluate-interval", value=rounded(100 * rate, 2), level=round(100 * interval.level), low=low, high=high)


def _wer(found: Evaluation, part: Part) -> float:
    return sum(found.utterances[place].word_errors for place in part.places) / part.n_words


def _worst(found: Evaluation, data: ReferenceSet) -> Iterator[str]:
    """Yield an HTML table row for each of the recordings with the most word errors; the row contains the sound."""
    files = {one.name: one.audio for one in data.utterances}
    for one in sorted(found.utterances, key=lambda one: (-one.word_errors, one.file))[:WORST]:
        if one.word_errors:
            yield (
                f"<tr><td>{one.word_errors} / {one.words}</td><td>{player(files.get(one.file))}</td>"
                f"<td><p>{escape(one.reference)}</p><p><b>{escape(one.text)}</b></p></td></tr>"
            )
