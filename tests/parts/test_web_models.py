"""The page about models with a real nn_service: decisions of an administrator serve at once, or are taken back."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from glas.clients.model_record_bodies import ModelRecord
from glas.domain.audit import Action
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.people import Role
from glas.domain.transcription import Hypothesis
from glas.engines.candidate import CandidateChoice, choose_candidate
from glas.engines.catalogue import choose, named_champion
from glas.engines.versions import ModelVersions
from glas.settings import Settings
from glas.web.reports import policy_of
from tests.models.swapped import write_weights
from tests.parts.judged import PASSED, entry
from tests.parts.rated import rate
from tests.parts.test_nn_service_canary import until
from tests.parts.voices import heard, message, someone
from tests.parts.webs import HTML, Pages, form_token, open_pages

ADMIN = someone()
FAILED = PASSED.model_copy(update={"passed": False, "wer_after": 0.3})
PAGE = "<!doctype html><style>p { margin: 0 }</style><p>слова людей</p>"


def names(settings: Settings) -> list[ModelRef]:
    """Two small models in the directory of models; the first one is the champion."""
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    for turn in (0, 1):
        write_weights(settings.models_dir / f"small-{turn}", turn)
    found = [f"onnx:{(settings.models_dir / f'small-{turn}').resolve()}" for turn in (0, 1)]
    choose(found[0], settings.models_dir)
    versions = ModelVersions(settings.models_dir)
    return [ModelRef(name=name, version=versions.version_of(name)) for name in found]


@pytest.fixture
def models(settings: Settings) -> list[ModelRef]:
    return names(settings)


@pytest.fixture
async def pages(settings: Settings, migrated_sqlite: Path, models: list[ModelRef]) -> AsyncIterator[Pages]:
    assert models
    async with open_pages(settings, migrated_sqlite, admins=frozenset({ADMIN}), has_recogniser=True) as opened:
        await opened.services.db_assist.register(ADMIN)
        await opened.services.db_assist.set_role(ADMIN, Role.ADMIN)
        yield opened


async def post(browser: httpx.AsyncClient, path: str, **values: object) -> httpx.Response:
    data = {"form_token": await form_token(browser)} | {name: str(value) for name, value in values.items()}
    return await browser.post(path, data=data, headers=HTML)


async def judged(pages: Pages, models: list[ModelRef], state: ModelState, *, passed: bool) -> ModelRecord:
    verdict = PASSED if passed else FAILED
    ref = {"name": models[1].name, "version": models[1].version, "former": models[0], "verdict": verdict}
    return await pages.services.db_assist.record_model(entry("-", state).model_copy(update=ref))


async def serving(pages: Pages) -> str:
    assert pages.services.nn_service is not None
    return (await pages.services.nn_service.health()).model.rpartition("/")[2]


async def test_a_refused_model_serves_for_a_reason_and_goes(
    pages: Pages, models: list[ModelRef], settings: Settings
) -> None:
    """The choice is kept after a restart; a repeated or late press changes nothing."""
    model = await judged(pages, models, ModelState.REFUSED, passed=False)
    browser, path = await pages.signed_in(ADMIN), f"/models/{model.id}"
    page = (await browser.get(path, headers=HTML)).text
    assert "Включить вопреки проверке" in page
    assert page.count("не проверялось") >= 6, "every condition has a row"
    values = {"expected": "refused", "key": "a" * 16}
    assert (await post(browser, f"{path}/promote", **values)).status_code == 400
    assert await serving(pages) == "small-0"
    for _ in range(2):
        answer = await post(browser, f"{path}/promote", **values, reason="слышно лучше")
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert (await post(browser, f"{path}/promote", expected="refused", key="b" * 16, reason="-")).status_code == 409
    assert (await serving(pages), named_champion(settings.models_dir)) == ("small-1", models[1].name)
    assert "слышно лучше" in (await browser.get(path, headers=HTML)).text
    for _ in range(2):
        assert (await post(browser, f"{path}/roll-back", key="c" * 16)).status_code == 303
    assert (await serving(pages), named_champion(settings.models_dir)) == ("small-0", models[0].name)
    listed = (await browser.get("/models", headers=HTML)).text
    assert re.search(r"small-0.*?распознаёт", listed, re.DOTALL)
    audit = [one.after or {} for one in (await pages.services.db_assist.audit()).items]
    assert [one["state"] for one in audit] == ["rolled_back", "champion"]


async def test_what_cannot_be_loaded_is_taken_back(pages: Pages, models: list[ModelRef]) -> None:
    model = await judged(pages, models, ModelState.CANDIDATE, passed=True)
    browser = await pages.signed_in(ADMIN)
    place = Path(models[1].name.partition(":")[2])
    for path in await asyncio.to_thread(lambda: list(place.iterdir())):
        await asyncio.to_thread(path.write_bytes, b"damaged")
    answer = await post(browser, f"/models/{model.id}/promote", expected="candidate", key="a" * 16)
    assert answer.status_code >= 400
    assert await serving(pages) == "small-0"
    found = await pages.services.db_assist.model(model.ref)
    assert found is not None
    assert [(one.state.value, one.operator) for one in found.decisions[-2:]] == [
        ("champion", None),
        ("rolled_back", "web"),
    ]
    (champion,) = await pages.services.db_assist.models(ModelState.CHAMPION)
    assert champion.ref == models[0]


async def test_a_decision_that_was_broken_off_is_seen_and_done(pages: Pages, models: list[ModelRef]) -> None:
    """The process ended after recording and before nn_service was called."""
    model = await judged(pages, models, ModelState.CHAMPION, passed=True)
    browser, path = await pages.signed_in(ADMIN), f"/models/{model.id}"
    assert "Включить её" in (await browser.get(path, headers=HTML)).text
    assert (await post(browser, f"{path}/serve")).status_code == 303
    assert await serving(pages) == "small-1"
    assert "Включить её" not in (await browser.get(path, headers=HTML)).text


async def test_a_report_has_a_policy_of_its_own_and_is_audited(
    pages: Pages, models: list[ModelRef], settings: Settings
) -> None:
    model = await judged(pages, models, ModelState.CANDIDATE, passed=True)
    browser, path = await pages.signed_in(ADMIN), f"/models/{model.id}"
    assert (await browser.get(f"{path}/report", headers=HTML)).status_code == 404
    assert "Отчёта нет" in (await browser.get(path, headers=HTML)).text
    folder = settings.models_dir / "promotions" / "now"
    folder.mkdir(parents=True)
    (folder / "verdict.json").write_text(f'{{"candidate": {models[1].model_dump_json()}}}', encoding="utf-8")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    assert f"{path}/report" in (await browser.get(path, headers=HTML)).text
    answer = await browser.get(f"{path}/report", headers=HTML)
    assert answer.text == PAGE
    assert answer.headers["content-security-policy"] == policy_of(PAGE)
    assert "unsafe" not in policy_of(PAGE)
    assert answer.headers["cache-control"] == "no-store"
    (read,) = (await pages.services.db_assist.audit()).items
    assert (read.action, read.after) == (Action.READ_REPORT, {"model": f"small-1@{models[1].version}"})


async def test_what_people_say_of_a_candidate_is_shown(
    pages: Pages, models: list[ModelRef], settings: Settings
) -> None:
    """Ratings of its texts, and texts of both models; on the page of the champion they say nothing."""
    services = pages.services
    candidate = await judged(pages, models, ModelState.CANDIDATE, passed=True)
    browser, path = await pages.signed_in(ADMIN), f"/models/{candidate.id}"
    assert "Кандидат:" not in (await browser.get("/models", headers=HTML)).text
    assert "На сообщениях людей" not in (await browser.get(path, headers=HTML)).text
    choice = CandidateChoice(model=models[1].name, share=0.1, shadow_share=0.2)
    choose_candidate(choice, settings.models_dir)
    assert services.nn_service is not None
    await until(services.nn_service, lambda model: model is not None)
    page = (await browser.get("/models", headers=HTML)).text
    assert "Кандидат: small-1" in page
    assert "Отвечает 10\N{NO-BREAK SPACE}% людей" in page
    assert "20\N{NO-BREAK SPACE}% записей распознают обе модели" in page
    assert "Ещё нет ни оценок" in page

    await rate(settings, models[0], bad=70, good=630)
    await rate(settings, models[1], bad=30, good=30)
    anna = await pages.person()
    for ours, theirs in (("ага семь мышей", "ага семь мышей"), ("ага семь мышей", "ага восемь мышей")):
        created = await services.db_assist.create_transcription(message(anna))
        known = {"model": models[0].name, "model_version": models[0].version}
        await services.db_assist.finish(created.id, heard(ours).model_copy(update=known))
        second = Hypothesis(text=theirs, duration_s=1.0, model=models[1].name, model_version=models[1].version)
        await services.db_assist.store_second_hypothesis(created.id, second)
        await services.db_assist.correct(created.id, anna, "Ага, семь мышей.")
    await browser.get("/dashboard?fresh=true", headers=HTML)
    watched = await services.db_assist.compare_ratings(*models)
    for shown in ("/models", path):
        page = (await browser.get(shown, headers=HTML)).text
        for told in (
            f"у этой модели {watched.bad_after} из {watched.n_after}, у той, с которой её сравнивают, 70 из 700",
            "Новая хуже прежней.",
            "распознали 2 записи; тексты совпали в 50\N{NO-BREAK SPACE}%",
            "у этой модели 16,67\N{NO-BREAK SPACE}%, у другой 0\N{NO-BREAK SPACE}%: 2 записи",
        ):
            assert told in page, (shown, told)
    former = next(one for one in await services.db_assist.models() if one.state is ModelState.CHAMPION)
    assert "На сообщениях людей" not in (await browser.get(f"/models/{former.id}", headers=HTML)).text


async def test_nobody_else_decides(pages: Pages, models: list[ModelRef]) -> None:
    """A reviewer and a foreign page are refused."""
    model = await judged(pages, models, ModelState.CANDIDATE, passed=True)
    anna = await pages.person()
    await pages.services.db_assist.set_reviewer(anna, is_reviewer=True)
    browser, path = await pages.signed_in(anna), f"/models/{model.id}"
    for seen in ("/models", path, f"{path}/report"):
        assert (await browser.get(seen, headers=HTML)).status_code == 403
    values = {"expected": "candidate", "key": "a" * 16}
    for action in ("promote", "roll-back", "serve"):
        assert (await post(browser, f"{path}/{action}", **values)).status_code == 403
    admin = await pages.signed_in(ADMIN)
    assert (await admin.post(f"{path}/promote", data=values, headers=HTML)).status_code == 403
    assert await serving(pages) == "small-0"
