"""Models that the gate has judged: states, decisions, people from whom they learnt, and announcements."""

from datetime import UTC, datetime, timedelta

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.learning_bodies import StepEntry
from glas.clients.model_record_bodies import ChoiceRequest, DecisionRequest, NewsItem
from glas.domain.audit import Action
from glas.domain.errors import ConflictError, ForbiddenError, InvalidParameterError, NotFoundError
from glas.domain.model_records import AnnouncementKind, LearningStep, ModelState, Outcome
from glas.domain.model_ref import ModelRef
from glas.domain.people import Purpose, Role
from tests.parts.judged import EMBEDDED, PASSED, entry
from tests.parts.voices import BOT, someone, speaker


async def administrator(db_assist: DbAssistClient) -> int:
    person = someone()
    await db_assist.register(person)
    await db_assist.set_role(person, Role.ADMIN)
    return person


async def states(db_assist: DbAssistClient) -> dict[str, str]:
    return {one.name: one.state.value for one in await db_assist.models()}


async def test_a_model_and_those_who_taught_it(db_assist: DbAssistClient) -> None:
    """All data is stored; people who delete their data or withdraw leave the list, but not the count."""
    (anna, hers), (boris, his), (vera, third) = [await speaker(db_assist) for _ in range(3)]
    wanted = entry(
        "first", ModelState.CHAMPION, n_people=3, message_ids=(hers, his, third, 10**9), dataset_version="3f"
    )
    made = await db_assist.record_model(wanted)
    assert await db_assist.record_model(wanted) == made, "a repetition changes nothing"
    assert (made.n_people, made.n_withdrawn, made.dataset_version) == (3, 0, "3f")
    assert (made.verdict, made.lineage, made.base) == (PASSED, {"recipe": 1}, str(EMBEDDED))
    (decision,) = made.decisions
    assert (decision.operator, decision.user_id, decision.is_forced) == ("anna", None, False)
    assert await states(db_assist) == {"first": "champion", "embedded": "replaced"}
    (told,) = (await db_assist.export_user(anna)).models
    assert (told.name, told.state) == ("first", ModelState.CHAMPION)
    await db_assist.forget(anna)
    await db_assist.set_consent(boris, Purpose.TRAINING, granted=False, text_version="1")
    found = await db_assist.model(made.ref)
    assert found is not None
    assert (found.n_people, found.n_withdrawn) == (3, 2)
    assert (await db_assist.export_user(vera)).models == (told,)


async def test_the_champion_and_the_one_before(db_assist: DbAssistClient) -> None:
    """If the champion is taken back, the previous champion serves again; a retired model never serves again."""
    first = await db_assist.record_model(entry("first", ModelState.CHAMPION))
    second = await db_assist.record_model(entry("second", ModelState.CHAMPION, former=first.ref))
    third = await db_assist.record_model(entry("third", ModelState.CHAMPION, former=second.ref))
    by = {"operator": "anna"}
    rolled = DecisionRequest(state=ModelState.ROLLED_BACK, reason="worse", **by)
    assert (await db_assist.decide(third.id, rolled)).champion == second.ref
    with pytest.raises(ConflictError):
        await db_assist.decide(first.id, rolled)
    retire = DecisionRequest(state=ModelState.RETIRED, **by)
    assert (await db_assist.decide(first.id, retire)).champion == second.ref
    gone = await db_assist.decide(second.id, retire)
    assert (gone.champion, gone.model.state) == (EMBEDDED, ModelState.RETIRED)
    assert await db_assist.decide(second.id, retire) == gone
    with pytest.raises(ConflictError):
        await db_assist.decide(second.id, DecisionRequest(state=ModelState.CHAMPION, **by))
    with pytest.raises(ConflictError):
        await db_assist.record_model(entry("second", ModelState.CHAMPION))
    with pytest.raises(InvalidParameterError):
        await db_assist.decide(third.id, DecisionRequest(state=ModelState.REPLACED, **by))
    with pytest.raises(NotFoundError):
        await db_assist.decide(10**6, retire)
    again = await db_assist.decide(third.id, DecisionRequest(state=ModelState.CHAMPION, **by))
    assert again.champion == third.ref
    assert [one.state.value for one in again.model.decisions] == ["champion", "rolled_back", "champion"]


async def test_what_serves_without_having_been_told(db_assist: DbAssistClient) -> None:
    """The table follows the model that serves, for example after `glas models use`."""
    first = await db_assist.record_model(entry("first", ModelState.CHAMPION))
    await db_assist.record_model(entry("second", ModelState.REFUSED, former=EMBEDDED))
    assert await states(db_assist) == {"first": "replaced", "second": "refused", "embedded": "champion"}
    forced = await db_assist.record_model(
        entry("second", ModelState.CHAMPION, former=EMBEDDED, is_forced=True, reason="I hear that it is better")
    )
    assert [(one.state.value, one.is_forced, one.reason) for one in forced.decisions] == [
        ("refused", False, None),
        ("champion", True, "I hear that it is better"),
    ]
    assert await db_assist.models(ModelState.REPLACED) != ()
    assert await db_assist.model(first.ref) is not None


async def test_an_administrator_decides_once(db_assist: DbAssistClient) -> None:
    """The first press counts, also if it is repeated after a crash; other people cannot decide."""
    admin, other, (anna, _) = await administrator(db_assist), await administrator(db_assist), await speaker(db_assist)
    made = await db_assist.record_model(entry("first", ModelState.CANDIDATE))
    questions = await db_assist.ask_about(made.id, BOT, [admin, other, someone()])
    assert [(one.tg_id, one.kind) for one in questions] == [
        (admin, AnnouncementKind.QUESTION),
        (other, AnnouncementKind.QUESTION),
    ]
    assert await db_assist.waiting_announcements(BOT) == questions
    assert await db_assist.waiting_announcements(BOT + 1) == ()
    assert await db_assist.claim_announcement(questions[0].id, "0" * 8) is not None
    assert await db_assist.claim_announcement(questions[0].id, "1" * 8) is not None, "a question may come twice"
    await db_assist.end_announcement(questions[0].id, "1" * 8, Outcome.SENT, message_id=7)
    expected = ModelState.CANDIDATE
    yes = DecisionRequest(state=ModelState.CHAMPION, tg_id=admin, expected=expected, key="a press")
    decided = await db_assist.decide(made.id, yes)
    assert decided.champion == made.ref
    assert await db_assist.decide(made.id, yes) == decided
    with pytest.raises(ConflictError):
        await db_assist.decide(made.id, yes.model_copy(update={"key": "b", "tg_id": other}))
    no = DecisionRequest(state=ModelState.REFUSED, tg_id=other, expected=expected, key="c")
    with pytest.raises(ConflictError):
        await db_assist.decide(made.id, no)
    with pytest.raises(ForbiddenError):
        await db_assist.decide(made.id, no.model_copy(update={"tg_id": anna}))
    assert await db_assist.waiting_announcements(BOT) == (), "nothing is left to ask"
    asked = await db_assist.ask_about(made.id, BOT, [admin])
    assert [(one.tg_id, one.message_id) for one in asked] == [(admin, 7), (other, None)]


async def test_news_of_a_run_that_died_count_as_told(db_assist: DbAssistClient) -> None:
    """It is not known whether the person has received them."""
    anna, hers = await speaker(db_assist)
    news = (NewsItem(transcription_id=hers, text_before="было", text_after="стало"),)
    await db_assist.record_model(entry("first", ModelState.CHAMPION, news=news))
    (told,) = await db_assist.waiting_announcements(BOT)
    assert await db_assist.claim_announcement(told.id, "0" * 8) == told
    assert await db_assist.claim_announcement(told.id, "1" * 8) is None
    (mine,) = (await db_assist.export_user(anna)).news
    assert (mine.text_after, mine.outcome) == (None, Outcome.SENT)


async def test_news_are_claimed_once_and_told_once(db_assist: DbAssistClient) -> None:
    """News are only about the champion, for people who still agree; their words are deleted after sending."""
    people = [await speaker(db_assist) for _ in range(5)]
    (anna, hers), (boris, _), (vera, _), (gleb, _), (dina, _) = people
    news = tuple(NewsItem(transcription_id=one, text_before="было", text_after="стало") for _, one in people)
    made = await db_assist.record_model(entry("first", ModelState.CANDIDATE, news=(*news, news[0])))
    assert made.n_news == 5
    assert await db_assist.waiting_announcements(BOT) == ()
    await db_assist.decide(made.id, DecisionRequest(state=ModelState.CHAMPION, operator="anna"))
    await db_assist.want_news(boris, wanted=False)
    await db_assist.set_consent(vera, Purpose.TRAINING, granted=False, text_version="1")
    await db_assist.forget(gleb)
    await db_assist.ban(dina)
    (told,) = await db_assist.waiting_announcements(BOT)
    assert (told.tg_id, told.text_before, told.text_after, told.chat_id) == (anna, "было", "стало", anna)
    assert await db_assist.claim_announcement(told.id, "0" * 8) == told
    assert await db_assist.claim_announcement(told.id, "0" * 8) == told
    assert await db_assist.waiting_announcements(BOT) == (), "nobody else begins"
    await db_assist.end_announcement(told.id, "0" * 8, None)
    assert await db_assist.waiting_announcements(BOT) == (told,)
    assert await db_assist.claim_announcement(told.id, "1" * 8) == told
    with pytest.raises(ConflictError):
        await db_assist.end_announcement(told.id, "0" * 8, Outcome.SENT)
    await db_assist.end_announcement(told.id, "1" * 8, Outcome.SENT, message_id=8)
    assert await db_assist.claim_announcement(told.id, "1" * 8) is None
    (mine,) = (await db_assist.export_user(anna)).news
    assert (mine.transcription_id, mine.text_before, mine.outcome) == (hers, None, Outcome.SENT)
    assert not (await db_assist.user(boris)).wants_news
    assert (await db_assist.want_news(boris, wanted=True)).wants_news
    assert [one.tg_id for one in await db_assist.waiting_announcements(BOT)] == [boris]
    await db_assist.decide(made.id, DecisionRequest(state=ModelState.ROLLED_BACK, operator="anna"))
    assert (await db_assist.export_user(boris)).news == (), "words are not kept for a model that is gone"
    with pytest.raises(NotFoundError):
        await db_assist.end_announcement(10**6, "0" * 8, Outcome.SENT)


async def test_a_choice_is_recorded_whoever_makes_it(db_assist: DbAssistClient) -> None:
    """This includes models that the gate has not judged; the record has the models before and after."""
    admin = await administrator(db_assist)
    first = await db_assist.record_model(entry("/models/first", ModelState.CHAMPION))
    other = ModelRef(name="onnx:other", version="3" * 12)
    by_hand = ChoiceRequest(model=other, former=first.ref, operator="anna")
    chosen = await db_assist.choose_model(by_hand)
    assert (chosen.champion, chosen.model.verdict, chosen.model.n_people) == (other, None, 0)
    assert await db_assist.choose_model(by_hand) == chosen, "it serves already"
    (decision,) = chosen.model.decisions
    assert (decision.operator, decision.champion_before, decision.champion_after) == (
        "anna",
        str(first.ref),
        str(other),
    )
    assert (await db_assist.audit()).items == (), "only administrators stand in the audit"
    pressed = ChoiceRequest(model=first.ref, former=other, tg_id=admin, key="a press")
    back = await db_assist.choose_model(pressed)
    assert back.champion == first.ref
    assert await db_assist.choose_model(pressed) == back
    assert await states(db_assist) == {"/models/first": "champion", "onnx:other": "replaced", "embedded": "replaced"}
    (entered,) = (await db_assist.audit()).items
    assert (entered.action, entered.actor_tg_id, entered.subject_id) == (Action.MODEL, admin, None)
    assert entered.before == {"state": "replaced", "serves": f"onnx:other@{'3' * 12}"}
    assert entered.after == {
        "model": "first@ba9876543210",
        "state": "champion",
        "serves": "first@ba9876543210",
    }
    third = ModelRef(name="third", version="4" * 12)
    await db_assist.choose_model(ChoiceRequest(model=third, former=other, operator="anna"))
    assert (await states(db_assist))["/models/first"] == "replaced", "the table follows what is told to have served"
    await db_assist.decide(first.id, DecisionRequest(state=ModelState.RETIRED, operator="anna"))
    with pytest.raises(ConflictError):
        await db_assist.choose_model(ChoiceRequest(model=first.ref, operator="anna"))
    anna, _ = await speaker(db_assist)
    with pytest.raises(ForbiddenError):
        await db_assist.choose_model(ChoiceRequest(model=other, tg_id=anna))


async def test_what_the_gate_refused_serves_for_a_reason_only(db_assist: DbAssistClient) -> None:
    admin = await administrator(db_assist)
    refused = PASSED.model_copy(update={"passed": False})
    model = await db_assist.record_model(entry("first", ModelState.REFUSED, verdict=refused))
    plain = DecisionRequest(state=ModelState.CHAMPION, tg_id=admin)
    with pytest.raises(ConflictError):
        await db_assist.decide(model.id, plain)
    assert (await states(db_assist))["first"] == "refused"
    forced = DecisionRequest(state=ModelState.CHAMPION, tg_id=admin, is_forced=True, reason="I hear that it is better")
    decided = await db_assist.decide(model.id, forced)
    assert decided.champion == model.ref
    assert (decided.model.decisions[-1].is_forced, decided.model.decisions[-1].reason) == (True, forced.reason)
    (entered,) = (await db_assist.audit()).items
    assert entered.after is not None
    assert entered.after["is_forced"] is True
    assert "hear" not in str(entered.after), "the audit holds no words"
    with pytest.raises(ValueError, match="reason"):
        DecisionRequest(state=ModelState.CHAMPION, tg_id=admin, is_forced=True)


async def test_the_steps_of_rounds(db_assist: DbAssistClient) -> None:
    """Steps are in their order, the newest round is first; a step that begins again has new times."""
    began = datetime(2026, 11, 1, 12, tzinfo=UTC)
    for name, day in (("old", 0), ("new", 1)):
        at = began + timedelta(days=day)
        ended = StepEntry(began=at, finished=at + timedelta(minutes=2), details={"minutes": 12.5})
        await db_assist.record_step(name, LearningStep.FINETUNE, StepEntry(began=at + timedelta(minutes=3)))
        await db_assist.record_step(name, LearningStep.DATASET, ended)
    again = StepEntry(began=began + timedelta(hours=1), finished=began + timedelta(hours=2))
    await db_assist.record_step("old", LearningStep.FINETUNE, again)
    new, old = await db_assist.rounds()
    assert (new.name, old.name) == ("new", "old")
    assert [one.step for one in new.steps] == [LearningStep.DATASET, LearningStep.FINETUNE]
    assert (new.steps[0].details, new.steps[1].finished_datetime) == ({"minutes": 12.5}, None)
    assert (old.steps[1].began_datetime, old.steps[1].finished_datetime) == (again.began, again.finished)
    assert await db_assist.rounds(1) == (new,)
