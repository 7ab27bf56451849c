"""Format models, verdicts of the gate and rounds of learning for the web pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from glas.clients.learning_bodies import StepRecord
from glas.clients.model_record_bodies import CheckRecord, VerdictRecord
from glas.domain.model_records import LearningStep, ModelState
from glas.localisation import Catalogue
from glas.localisation.gate import written_condition, written_figure
from glas.web.pages import written

_CONDITIONS: Final = ("gain", "certainty", "guard", "nonspeech", "speed", "bucket", "speakers", "recordings", "texts")
"""All conditions of the gate (`glas.recognition.gate.Condition`), in the order of the table on the page."""


@dataclass(frozen=True)
class Row:
    """A row in the table of the gate's conditions; `passed` is None if the gate did not check the condition."""

    title: str
    limit: str
    value: str
    passed: bool | None


def checks(verdict: VerdictRecord | None, say: Catalogue) -> list[Row]:
    """Return a row for each condition of the gate; return no rows for a model that was not judged."""
    if verdict is None:
        return []
    found = []
    for condition in _CONDITIONS:
        rows = [_row(one, say) for one in verdict.checks if one.condition == condition]
        found += rows or [Row(say(f"models-unasked-{condition}"), "—", say("models-unasked"), None)]
    return found


def _row(check: CheckRecord, say: Catalogue) -> Row:
    limit, value = (written_figure(check.condition, one, say) for one in (check.limit, check.value))
    title = written_condition(check.condition, check.subject, check.bucket, say)
    return Row(title, limit, value, check.passed)


def flat(values: object, before: str = "") -> list[tuple[str, str]]:
    """Return the values of a nested recipe as pairs of name and value, such as `fit.epochs` and `6`."""
    if isinstance(values, Mapping):
        return [pair for name, value in values.items() for pair in flat(value, f"{before}.{name}" if before else name)]
    if isinstance(values, list):
        return [(before, ", ".join(str(one) for one in values))]
    return [] if values is None else [(before, str(values))]


def learnt(lineage: Mapping[str, Any]) -> dict[str, float]:
    """Return some results of a fine-tuning from the lineage of the model.

    The results are the duration (minutes) and the number of the recordings from which the model learnt, and the model's
    share (the part of the learnt change of weights that the model keeps).
    """
    result = lineage.get("result")
    if not isinstance(result, Mapping):
        return {}
    chosen = result.get("chosen")
    share = chosen.get("share") if isinstance(chosen, Mapping) else None
    found = {"minutes": result.get("minutes_learnt"), "recordings": result.get("n_learnt"), "share": share}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def short(name: str | None) -> str:
    """Return the name of a model without its directory."""
    return "—" if name is None else name.rpartition("/")[2]


def state(value: ModelState, say: Catalogue) -> str:
    """Return the name of a model's state in the language of the page."""
    return say(f"records-state-{value.value.replace('_', '-')}")


def titled(step: StepRecord, say: Catalogue) -> str:
    """Return the name of a step of a round in the language of the page."""
    return say(f"models-step-{step.step}")


def took(step: StepRecord) -> str:
    """Return the duration of a step as text; return an empty text while the step runs."""
    if step.finished_datetime is None:
        return ""
    return written.length((step.finished_datetime - step.began_datetime).total_seconds())


def outcome(step: StepRecord, say: Catalogue) -> str:
    """Return the result of a step in words; return an empty text if there is no result."""
    details = step.details

    def number(name: str, digits: int = 1) -> str:
        value = details.get(name)
        return written.number(value if isinstance(value, int | float) else None, say.language, digits)

    def percent(name: str) -> str:
        value = details.get(name)
        return written.percent(value if isinstance(value, int | float) else None, say.language, 2)

    match step.step:
        case LearningStep.DATASET if "minutes" in details:
            return say("models-step-dataset-told", minutes=number("minutes"), recordings=number("recordings"))
        case LearningStep.FINETUNE if "share" in details:
            return say("models-step-finetune-told", minutes=number("minutes"), share=percent("share"))
        case LearningStep.EVALUATE if "wer_after" in details:
            return f"{say('models-wer')}: {percent('wer_before')} → {percent('wer_after')}"
        case LearningStep.DECIDE if "outcome" in details:
            return say(f"models-outcome-{str(details['outcome']).replace('_', '-')}")
        case _:
            return ""
