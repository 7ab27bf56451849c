"""The results of a scene of the learning loop: figures for a program, and a page for a reader."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from glas.domain.metrics import Interval, bootstrap_difference_interval, word_errors
from glas.domain.text import normalise
from glas.recognition.evaluation import blocks_of
from glas.recognition.gate import Verdict
from tests.system.loop_chats import Heard


class Measure(BaseModel):
    """The results for all recordings of the test through the bot, at one time."""

    when: str
    n_recordings: int
    n_words: int
    n_errors: int
    n_names: int
    n_names_right: int
    n_failures: int
    seconds: float

    @property
    def wer(self) -> float:
        """Word error rate by RU-NORM."""
        return self.n_errors / max(self.n_words, 1)


class Outcome(BaseModel):
    """The result of a scene."""

    scene: str
    is_personal: bool
    n_learnt: int
    minutes_learnt: float
    corrections: dict[str, int]
    ranks: dict[str, int]
    measures: list[Measure]
    difference: Interval | None
    learning_s: float
    outcome: str
    failed: list[str]
    verdict: Verdict | None
    report: str | None
    is_forced: bool
    champion_before: str
    champion_after: str
    followed_s: list[float]
    n_asked: int
    failed_requests: list[str]
    answered_by: dict[str, int]
    seconds: dict[str, float]
    goal: float

    @property
    def gain(self) -> float:
        """Relative decrease of the word error rate from the first measurement to the last one."""
        return 1 - self.measures[-1].wer / self.measures[0].wer if self.measures[0].wer else 0.0


def measured(when: str, heard: Sequence[Heard], seconds: float) -> Measure:
    """Count the errors of the bot's texts."""
    errors, words = word_errors([one.saying.text for one in heard], [one.text for one in heard])
    named = [one for one in heard if one.saying.name]
    return Measure(
        when=when,
        n_recordings=len(heard),
        n_words=int(words.sum()),
        n_errors=int(errors.sum()),
        n_names=len(named),
        n_names_right=sum(f" {normalise(one.saying.name)} " in f" {normalise(one.text)} " for one in named),
        n_failures=sum(one.is_failure for one in heard),
        seconds=round(seconds, 1),
    )


def difference_of(before: Sequence[Heard], after: Sequence[Heard]) -> Interval | None:
    """Interval of the difference of the word error rates, paired over speakers or recordings as in the gate."""
    references = [one.saying.text for one in before]
    errors, words = word_errors(references, [one.text for one in before])
    later, _ = word_errors(references, [one.text for one in after])
    _, blocks = blocks_of([one.saying.speaker for one in before])
    return bootstrap_difference_interval(errors, later, words, blocks) if len(set(blocks)) > 1 else None


def write_outcome(folder: Path, outcome: Outcome, texts: Mapping[str, Sequence[Heard]]) -> Path:
    """Write `outcome.json` with every text, and `outcome.md`; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    told = outcome.model_dump(mode="json") | {"gain": outcome.gain, "texts": _texts(texts)}
    (folder / "outcome.json").write_text(_json(told), encoding="utf-8")
    page = folder / "outcome.md"
    page.write_text(page_of(outcome), encoding="utf-8")
    return page


def _json(told: dict[str, Any]) -> str:
    import json

    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _texts(texts: Mapping[str, Sequence[Heard]]) -> list[dict[str, str]]:
    """Return, for each recording of the test, its reference and the texts recognised at each time."""
    columns = zip(*texts.values(), strict=True)
    return [
        {"reference": row[0].saying.text} | {when: one.text for when, one in zip(texts, row, strict=True)}
        for row in columns
    ]


def page_of(outcome: Outcome) -> str:
    """The page in Markdown."""
    rows = [
        f"| {one.when} | {one.n_recordings} | {one.n_words} | {one.n_errors} | {100 * one.wer:.2f} % | "
        f"{f'{one.n_names_right} of {one.n_names}' if one.n_names else '-'} | {one.seconds:.0f} s |"
        for one in outcome.measures
    ]
    interval = outcome.difference
    between = f"{100 * interval.low:.2f} to {100 * interval.high:.2f} points" if interval else "unknown"
    is_met = "met" if outcome.gain >= outcome.goal else "missed"
    lines = [
        f"# The loop: {outcome.scene}",
        "",
        (
            f"Learnt from {outcome.n_learnt} voice messages ({outcome.minutes_learnt:.1f} minutes); "
            f"a model for {'one person' if outcome.is_personal else 'everybody'}."
        ),
        f"Corrections: {outcome.corrections}; ranks of the exported words: {outcome.ranks}.",
        "",
        "| through the bot | recordings | words | errors | WER | names right | took |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        (
            f"Relative gain {100 * outcome.gain:.1f} % (goal {100 * outcome.goal:.0f} %: {is_met}); "
            f"95 % interval of the difference: {between}."
        ),
        "",
        f"Gate: {outcome.outcome}{_because(outcome)}; report: {outcome.report or 'none'}.",
        *([*_checks(outcome.verdict), ""] if outcome.verdict else [""]),
        (
            f"Model before: {outcome.champion_before}; after: {outcome.champion_after}"
            f"{' (chosen by hand, to measure it)' if outcome.is_forced else ''}."
        ),
        f"The server followed the choice after {', '.join(f'{one:.1f} s' for one in outcome.followed_s) or 'never'}.",
        (
            f"Callers meanwhile: {outcome.n_asked} requests, {len(outcome.failed_requests)} failed; "
            f"answered by {outcome.answered_by}."
        ),
        f"Learning took {outcome.learning_s:.0f} s. Seconds of each part: {outcome.seconds}.",
        "",
    ]
    return "\n".join(lines)


def _because(outcome: Outcome) -> str:
    return f" ({', '.join(outcome.failed)})" if outcome.failed else ""


def _checks(verdict: Verdict) -> list[str]:
    """A table of the gate's conditions."""
    rows = [
        f"| {'✓' if one.passed else '✗'} | {one.condition} {one.subject}{_part(one.bucket)} | "
        f"{one.limit:g} | {'-' if one.value is None else f'{one.value:.4f}'} |"
        for one in verdict.checks
    ]
    return ["", "| | condition | limit | measured |", "| --- | --- | --- | --- |", *rows]


def _part(bucket: Any) -> str:
    return "" if bucket is None else f"{bucket.kind} {bucket.low}..{bucket.high}"
