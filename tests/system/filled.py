"""A small system with content on each of its pages: people sent, rated, corrected and reviewed recordings.

Everything in it came through the routes of the parts, and the texts are what the embedded model hears in the samples. A
second model hears them as well.
"""

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from glas.clients.learning_bodies import Details, StepEntry
from glas.domain.messages import Score
from glas.domain.model_records import LearningStep, ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.people import CONSENT_VERSION, Locale, Purpose, Role
from glas.domain.reviews import Verdict
from glas.domain.transcription import Hypothesis, Recognition
from glas.engines.candidate import CandidateChoice, choose_candidate
from glas.settings import DbAssistSettings, Settings
from tests.conftest import Sample
from tests.parts.judged import PASSED, entry
from tests.parts.voices import message
from tests.system.reviewing import Office, open_office

ADMINS = {Locale.RU: 214_530_871, Locale.EN: 630_118_245}
"""An administrator for each language of the pages."""

_ids = random.Random(7)  # noqa: S311 - the same people each time


@dataclass(frozen=True)
class Filled:
    """The system, and the objects that a page may show.

    Attributes:
        office: the running services.
        person: somebody who sent messages, and whose audit is not empty.
        message: a message of that person, rated, corrected and reviewed.
        model: a model that the gate passed, and that waits for a decision.
        own: a message with a history of each administrator.
    """

    office: Office
    person: int
    message: int
    model: int
    own: dict[Locale, int]


@contextlib.contextmanager
def open_filled(settings: Settings, samples: Sequence[Sample], *, second: str, n_people: int = 3) -> Iterator[Filled]:
    """Start the services and fill them.

    Args:
        settings: only their data directory matters.
        samples: what people send.
        second: a model on disk that recognises the recordings as well, and is tried on a tenth of people.
        n_people: how many people send all of them.
    """
    rules = settings.model_copy(update={"db_assist": DbAssistSettings(review_check_every=0)})
    with open_office(rules, admins=frozenset(ADMINS.values()), has_recogniser=True) as office:
        known = [(sample, office.recognise(sample)) for sample in samples]
        others = [office.recognise(sample, second).hypothesis for sample in samples]
        choose_candidate(CandidateChoice(model=second, share=0.1, shadow_share=0.2), settings.models_dir)
        own = {locale: _an_administrator(office, locale, known) for locale in ADMINS}
        people = [_a_person(office, known) for _ in range(n_people)]
        person, sent = people[0]
        for _, messages in people:
            for number, heard in zip(messages, others, strict=True):
                office.do(office.pages.services.db_assist.store_second_hypothesis(number, heard))
        _watch(office, person)
        _review(office, len(known) * n_people // 2)
        yield Filled(office, person, sent[0], _learn(office, known[0][1].hypothesis), own)


def _an_administrator(office: Office, locale: Locale, known: Sequence[tuple[Sample, Recognition]]) -> int:
    db_assist = office.pages.services.db_assist
    tg_id = ADMINS[locale]
    office.do(db_assist.register(tg_id, locale=locale))
    office.do(db_assist.set_role(tg_id, Role.ADMIN))
    sent = [office.keep(tg_id, *one) for one in known[:4]]
    for number, score in zip(sent, (Score.BEST, Score.NORMAL, Score.BAD), strict=False):
        office.do(db_assist.rate(number, tg_id, score))
    office.do(db_assist.correct(sent[1], tg_id, known[1][0].text))
    failed = office.do(db_assist.create_transcription(message(tg_id)))
    office.do(db_assist.fail(failed.id, "audio_corrupt"))
    return sent[1]


def _a_person(office: Office, known: Sequence[tuple[Sample, Recognition]]) -> tuple[int, list[int]]:
    db_assist = office.pages.services.db_assist
    tg_id = _registered(office)
    office.do(db_assist.set_consent(tg_id, Purpose.TRAINING, granted=True, text_version=CONSENT_VERSION))
    sent = [office.keep(tg_id, *one) for one in known]
    for place, (number, (sample, _)) in enumerate(zip(sent, known, strict=True)):
        if place % 2 == 0:
            office.do(db_assist.rate(number, tg_id, (Score.BEST, Score.NORMAL, Score.BAD)[place // 2 % 3]))
        if place % 3 == 0:
            office.do(db_assist.correct(number, tg_id, sample.text))
    return tg_id, sent


def _registered(office: Office) -> int:
    tg_id = _ids.randrange(200_000_000, 7_900_000_000)
    office.do(office.pages.services.db_assist.register(tg_id))
    return tg_id


def _watch(office: Office, person: int) -> None:
    db_assist = office.pages.services.db_assist
    admin = ADMINS[Locale.RU]
    office.do(db_assist.set_reviewer(person, is_reviewer=True, by=admin))
    office.do(db_assist.set_role(person, Role.UNLIMITED, by=admin))
    office.do(db_assist.grant(admin, person, 2500, reason="за найденную ошибку", key=f"grant-{person}"))
    office.do(db_assist.ban(_registered(office), by=admin))


def _review(office: Office, count: int) -> None:
    db_assist = office.pages.services.db_assist
    reviewer = _registered(office)
    office.do(db_assist.set_reviewer(reviewer, is_reviewer=True, by=ADMINS[Locale.RU]))
    for place in range(count):
        item = office.do(db_assist.next_review(reviewer))
        if item is None:
            return
        verdict = (Verdict.ACCEPT, Verdict.BAD_AUDIO)[place % 5 == 4]
        office.do(db_assist.review(item.transcription_id, reviewer, verdict))


def _learn(office: Office, heard: Hypothesis) -> int:
    """Record a round of learning; return the number of its model, which would replace the one that heard this."""
    db_assist = office.pages.services.db_assist
    details: dict[LearningStep, Details] = {
        LearningStep.DATASET: {"minutes": 12.4, "recordings": 118},
        LearningStep.FINETUNE: {"minutes": 12.4, "share": 0.5},
        LearningStep.EVALUATE: {"wer_before": PASSED.wer_before, "wer_after": PASSED.wer_after},
        LearningStep.DECIDE: {"outcome": "candidate"},
    }
    began = datetime.now(UTC) - timedelta(hours=2)
    for number, step in enumerate(LearningStep):
        begun = began + timedelta(minutes=10 * number)
        done = StepEntry(began=begun, finished=begun + timedelta(minutes=9), details=details.get(step, {}))
        office.do(db_assist.record_step("0123abcd", step, done))
    lineage = {"recipe": {"fit": {"epochs": 6}}, "result": {"minutes_learnt": 12.4, "n_learnt": 118}}
    served = ModelRef(name=heard.model, version=heard.model_version or "")
    learnt = entry(
        "whisper:/models/голоса-0123abcd",
        ModelState.CANDIDATE,
        dataset_version="0123abcd",
        lineage=lineage,
        base=str(served),
        former=served,
    )
    return office.do(db_assist.record_model(learnt)).id
