"""Functions for tests of models that the gate has judged."""

import asyncio

import pytest

from glas.clients.model_record_bodies import CheckRecord, ModelEntry, ModelRecord, NewsItem, VerdictRecord
from glas.domain.metrics import error_rates
from glas.domain.model_records import ModelState, Outcome
from glas.domain.model_ref import ModelRef
from glas.recognition.evaluation import Evaluation, UtteranceResult
from glas.recognition.gate import Measured, Overlap, judge
from glas.recognition.references import Utterance
from glas.recognition.trial import TrialResult
from tests.parts.bots import House
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.reviews import OGG
from tests.telegram.world import JsonObject

EMBEDDED = ModelRef(name="embedded", version="0123456789ab")
PASSED = VerdictRecord(
    passed=True,
    wer_before=0.248,
    wer_after=0.178,
    checks=(
        CheckRecord(condition="gain", limit=0.05, value=0.282, passed=True),
        CheckRecord(condition="guard", subject="чтец", limit=0.003, value=0.0024, passed=True),
        CheckRecord(condition="nonspeech", limit=1, value=0, passed=True),
    ),
)


def entry(name: str, state: ModelState, **more: object) -> ModelEntry:
    """A model that passed the gate."""
    values = {
        "base": str(EMBEDDED),
        "former": EMBEDDED,
        "verdict": PASSED,
        "operator": "anna",
        "lineage": {"recipe": 1},
    }
    return ModelEntry.model_validate({"name": name, "version": "ba9876543210", "state": state} | values | more)


async def taught(house: House, name: str, person: int, state: ModelState = ModelState.CHAMPION) -> ModelRecord:
    """A model that learnt from a message of a person."""
    row = await house.row_of(await house.answer(house.telegram.speak(person, OGG)))
    news = (NewsItem(transcription_id=row.id, text_before=HEARD, text_after=RIGHT),)
    wanted = entry(name, state, message_ids=(row.id,), n_people=1, news=news)
    return await house.services.db_assist.record_model(wanted)


def judged(utterances: list[Utterance]) -> TrialResult:
    """A trial of two models on some recordings."""

    def measured(name: str) -> Measured:
        results = tuple(
            UtteranceResult(
                file=one.name, reference=one.text, text=one.text + " ой", word_errors=1, words=5, char_errors=3,
                chars=30, duration_s=3,
            )
            for one in utterances
        )  # fmt: skip
        evaluation = Evaluation(
            data="test", model=ModelRef(name=name, version="0" * 12), rates=error_rates(["а"], ["а"]),
            wer_interval=None, cer_interval=None, interval_method="-", audio_s=3, processing_s=1, utterances=results,
            failures=(), n_without_reference=0,
        )  # fmt: skip
        return Measured(model=evaluation.model, test=evaluation, n_nonspeech=12, n_invented=0)

    first, second = measured("a"), measured("b")
    overlap = Overlap(n_speakers=0, n_recordings=0, n_texts=0)
    return TrialResult(judge(first, second, slower=0, overlap=overlap), first, second)


def told_to(house: House, person: int, start: str) -> list[JsonObject]:
    """Return messages of the bot to a person that begin with a given text."""
    return [one for one in house.telegram.answers(person) if one.get("text", "").startswith(start)]


async def until_ended(house: House, person: int) -> Outcome:
    """Wait until the news of a person have an outcome."""
    for _ in range(400):
        news = (await house.services.db_assist.export_user(person)).news
        if news and news[-1].outcome is not None:
            return news[-1].outcome
        await asyncio.sleep(0.05)
    pytest.fail("the news were not sent")
