"""Test the pages about data: rights of a person on their own data, and rights of administrators."""

import dataclasses
import html
import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.clients.recognition_figures import QUERIES
from glas.domain.audit import Action
from glas.domain.corrections import Rank
from glas.domain.errors import NotFoundError
from glas.domain.kept import KeptRecognition
from glas.domain.messages import Score, Transcription
from glas.domain.people import Purpose, Role
from glas.domain.transcription import Hypothesis, Recognition, Segment
from glas.nn_service.metrics import Metrics
from glas.settings import Settings
from tests.conftest import Sample
from tests.parts.voices import HEARD, heard, message, someone
from tests.parts.webs import HTML, Pages, form_token, open_pages

ADMIN = someone()


@pytest.fixture
async def pages(settings: Settings, migrated_sqlite: Path) -> AsyncIterator[Pages]:
    async with open_pages(settings, migrated_sqlite, admins=frozenset({ADMIN})) as opened:
        yield opened


async def administrator(pages: Pages) -> httpx.AsyncClient:
    await pages.services.db_assist.register(ADMIN)
    await pages.services.db_assist.set_role(ADMIN, Role.ADMIN)
    return await pages.signed_in(ADMIN)


async def archived(pages: Pages, tg_id: int, sound: bytes) -> Transcription:
    """Store a message with its recording and recognition."""
    db_assist, data_loader = pages.services.db_assist, pages.services.data_loader
    created = await db_assist.create_transcription(message(tg_id))
    await db_assist.finish(created.id, heard())
    stored = await data_loader.store_audio(created.id, sound)
    await data_loader.store_transcription(created.id, HEARD)
    segment = Segment(start_s=0.5, end_s=2.25, text=HEARD, confidence=0.75)
    hypothesis = Hypothesis(text=HEARD, duration_s=10.0, segments=(segment,), model="onnx:test", model_version="0123")
    await data_loader.store_recognition(
        created.id, KeptRecognition(recognition=Recognition(hypothesis=hypothesis, processing_s=0.5))
    )
    return await db_assist.archive(created.id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)


async def post(browser: httpx.AsyncClient, path: str, **values: object) -> httpx.Response:
    data = {"form_token": await form_token(browser)} | {name: str(value) for name, value in values.items()}
    return await browser.post(path, data=data, headers=HTML)


async def test_a_person_sees_and_hears_what_is_theirs(pages: Pages, samples: list[Sample]) -> None:
    """Recordings are sent in ranges. Messages of other people are not found on this page, even by administrators."""
    anna, boris, sound = await pages.person(), await pages.person(), samples[0].path.read_bytes()
    sent = await archived(pages, anna, sound)
    failed = await pages.services.db_assist.create_transcription(message(anna))
    await pages.services.db_assist.fail(failed.id, "audio_corrupt")
    browser = await pages.signed_in(anna)
    shown = await browser.get("/data", headers=HTML)
    assert HEARD in shown.text
    assert "Файл повреждён" in shown.text
    assert f'src="/data/messages/{sent.id}/sound"' in shown.text
    whole = await browser.get(f"/data/messages/{sent.id}/sound")
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, sound, "audio/ogg")
    part = await browser.get(f"/data/messages/{sent.id}/sound", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, sound[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(sound)}"
    behind = await browser.get(f"/data/messages/{sent.id}/sound", headers={"Range": f"bytes={len(sound)}-"})
    assert behind.status_code == 416
    for other in (await pages.signed_in(boris), await administrator(pages)):
        for path in (f"/data/messages/{sent.id}", f"/data/messages/{sent.id}/sound"):
            assert (await other.get(path, headers=HTML)).status_code == 404
        for action in ("delete", "correction", "rating"):
            answer = await post(other, f"/data/messages/{sent.id}/{action}", reference="x y z", score=1)
            assert answer.status_code in (403, 404), action
    assert (await pages.services.db_assist.transcription(sent.id)).corrected_text is None


async def test_the_list_has_pages(pages: Pages) -> None:
    anna, db_assist = await pages.person(), pages.services.db_assist
    for _ in range(51):
        await db_assist.create_transcription(message(anna))
    browser = await pages.signed_in(anna)
    first = (await browser.get("/data", headers=HTML)).text
    assert first.count('<li class="sheet message">') == 50
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert (await browser.get(older, headers=HTML)).text.count('<li class="sheet message">') == 1
    assert (await browser.get("/data?before=x", headers=HTML)).status_code == 400


async def test_a_message_is_corrected_rated_and_taken_back(pages: Pages) -> None:
    """A doubtful correction must be confirmed first."""
    anna, db_assist = await pages.person(), pages.services.db_assist
    sent = await db_assist.finish((await db_assist.create_transcription(message(anna))).id, heard())
    browser, path = await pages.signed_in(anna), f"/data/messages/{sent.id}"
    assert (await post(browser, f"{path}/correction", reference=f"{HEARD} наше")).status_code == 303
    assert (await db_assist.transcription(sent.id)).rank is Rank.AUTHOR
    same = await post(browser, f"{path}/correction", reference=f"{HEARD}  наше")
    assert "исправлять нечего" in same.text
    doubtful = await post(browser, f"{path}/correction", reference="совсем другое")
    assert "Это не похоже на запись" in doubtful.text
    assert (await post(browser, f"{path}/correction", reference="совсем другое", insists="yes")).status_code == 303
    assert (await db_assist.transcription(sent.id)).corrected_text == "совсем другое"
    (change,) = re.findall(r'name="change" value="(\d+)"', (await browser.get(path, headers=HTML)).text)
    assert (await post(browser, f"{path}/take-back", change=change)).status_code == 303
    assert (await db_assist.transcription(sent.id)).corrected_text == f"{HEARD} наше"
    assert (await post(browser, f"{path}/correction", reference="...")).status_code == 422
    assert (await post(browser, f"{path}/rating", score=3)).status_code == 303
    assert (await db_assist.transcription(sent.id)).score is Score.BEST
    assert "за оценку" in (await browser.get("/data/coins", headers=HTML)).text


async def test_consent_is_given_and_withdrawn(pages: Pages) -> None:
    anna = await pages.person()
    browser = await pages.signed_in(anna)
    for granted in (True, False):
        assert (await post(browser, "/data/consent", granted=granted)).status_code == 303
        assert (Purpose.TRAINING in (await pages.services.db_assist.user(anna)).consents) is granted
    assert "отозвано" in (await browser.get("/data", headers=HTML)).text


async def test_everything_is_downloaded_in_one_file(pages: Pages, samples: list[Sample]) -> None:
    anna, sound = await pages.person(), samples[0].path.read_bytes()
    sent = await archived(pages, anna, sound)
    browser = await pages.signed_in(anna)
    answer = await browser.get("/data/download")
    assert answer.headers["content-disposition"] == 'attachment; filename="glas.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert archive.read(f"{sent.id}/{sent.id}_audio.ogg") == sound
        assert HEARD.encode() in archive.read("data.json")
    number = f"{sent.id}/{sent.id}"
    assert names == {
        "data.json",
        *(f"{number}_{end}" for end in ("audio.ogg", "transcription.txt", "transcription.json")),
    }


async def test_one_message_and_everything_are_deleted(pages: Pages, samples: list[Sample]) -> None:
    """Objects and rows are deleted. Deletion of everything requires a typed word and ends the session."""
    anna, sound = await pages.person(), samples[0].path.read_bytes()
    services = pages.services
    first, second = [await archived(pages, anna, sound) for _ in range(2)]
    browser = await pages.signed_in(anna)
    assert (await post(browser, f"/data/messages/{first.id}/delete")).status_code == 303
    assert (await services.db_assist.transcription(second.id)).id == second.id
    assert (await post(browser, "/data/forget", word="нет")).status_code == 422
    assert (await services.db_assist.user(anna)).tg_id == anna
    gone = await post(browser, "/data/forget", word=" Удалить ")
    assert "Удалено всё: 1 запись" in gone.text
    assert not browser.cookies
    for one in (first, second):
        with pytest.raises(NotFoundError):
            await services.db_assist.transcription(one.id)
        with pytest.raises(NotFoundError):
            await services.data_loader.fetch_audio(one.audio_key or "")
        assert await services.data_loader.fetch_recognition(one.id) is None
    with pytest.raises(NotFoundError):
        await services.db_assist.user(anna)
    assert (await services.db_assist.work_to_forget()).people == (anna,)


async def test_an_administrator_looks_after_people(pages: Pages, samples: list[Sample]) -> None:
    """The audit contains all actions of the administrator."""
    anna, db_assist = await pages.person(), pages.services.db_assist
    sent = await archived(pages, anna, samples[0].path.read_bytes())
    second = Hypothesis(text="совсем другое", duration_s=1, model="onnx:other", model_version="4567")
    await db_assist.store_second_hypothesis(sent.id, second)
    browser, path = await administrator(pages), f"/people/{anna}"
    assert path in (await browser.get("/people", headers=HTML)).text
    for query in (anna, f" {sent.id} "):
        assert path in (await browser.get("/people", params={"q": query}, headers=HTML)).text
    assert "имена людей не хранятся" in (await browser.get("/people?q=anna", headers=HTML)).text
    page = (await browser.get(path, headers=HTML)).text
    assert HEARD not in page
    opened = (await browser.get(f"{path}/messages/{sent.id}", headers=HTML)).text
    assert HEARD in opened
    assert "75\N{NO-BREAK SPACE}%" in opened
    assert "onnx:other 4567:<br>совсем другое" in opened
    assert (await browser.get(f"{path}/messages/{sent.id}/sound")).status_code == 200
    assert (await browser.get(f"/people/{ADMIN}/messages/{sent.id}", headers=HTML)).status_code == 404
    assert (await post(browser, f"{path}/role", role=2)).status_code == 303
    assert (await post(browser, f"{path}/role", role=3)).status_code == 409
    assert (await post(browser, f"{path}/reviewer", is_reviewer=True)).status_code == 303
    for _ in range(2):
        granted = {"amount": "2,5", "reason": "за терпение", "key": "0" * 16}
        assert (await post(browser, f"{path}/grant", **granted)).status_code == 303
    assert (await post(browser, f"{path}/grant", amount="0", reason="-", key="1" * 16)).status_code == 400
    assert (await post(browser, f"{path}/grant", amount="-9", reason="-", key="2" * 16)).status_code == 409
    assert (await db_assist.user(anna)).cash_hundredths == 250
    ban = {"is_banned": True, "days": 7, "reason": "поёт весь день"}
    assert (await post(browser, f"{path}/ban", **ban)).status_code == 303
    assert "поёт весь день" in (await browser.get(path, headers=HTML)).text
    found = await db_assist.user(anna)
    assert (found.role, found.is_reviewer, found.is_banned) == (Role.UNLIMITED, True, True)
    assert (await post(browser, f"{path}/ban", is_banned=False)).status_code == 303
    assert (await post(browser, f"{path}/forget", typed="1")).headers["location"] == f"{path}#forget"
    assert (await post(browser, f"{path}/forget", typed=anna)).headers["location"] == "/people"
    with pytest.raises(NotFoundError):
        await db_assist.user(anna)
    assert [one.action for one in (await db_assist.audit()).items[::-1]] == [
        Action.READ_MESSAGE,
        Action.ROLE,
        Action.REVIEWER,
        Action.GRANT,
        Action.BAN,
        Action.BAN,
        Action.FORGET,
    ]
    audit = (await browser.get("/audit", headers=HTML)).text
    assert "заблокирован: да, до: " in audit
    assert "пользователь → без ограничений" in audit
    assert "0 → 2,5" in audit
    assert f"/people/{ADMIN}" in audit
    for action, value in (("ban", {"is_banned": True}), ("role", {"role": 0}), ("forget", {"typed": ADMIN})):
        assert (await post(browser, f"/people/{ADMIN}/{action}", **value)).status_code == 409


async def test_others_change_nothing(pages: Pages) -> None:
    """A reviewer has no rights of an administrator; each change requires the token of a form."""
    anna, boris = await pages.person(), await pages.person()
    await pages.services.db_assist.set_reviewer(anna, is_reviewer=True)
    browser = await pages.signed_in(anna)
    for path in ("/dashboard", "/people", f"/people/{boris}", "/audit"):
        assert (await browser.get(path, headers=HTML)).status_code == 403, path
    for action, value in (("ban", {"is_banned": True}), ("role", {"role": 2}), ("forget", {"typed": boris})):
        assert (await post(browser, f"/people/{boris}/{action}", **value)).status_code == 403
    admin = await administrator(pages)
    answer = await admin.post(f"/people/{boris}/ban", data={"is_banned": "true"}, headers=HTML)
    assert answer.status_code == 403
    assert not (await pages.services.db_assist.user(boris)).is_banned


async def test_the_dashboard_shows_figures_with_their_statements(pages: Pages) -> None:
    anna, db_assist = await pages.person(), pages.services.db_assist
    browser = await administrator(pages)
    empty = (await browser.get("/dashboard", headers=HTML)).text
    assert "Пока нечего показать" in empty
    sent = await db_assist.finish((await db_assist.create_transcription(message(anna))).id, heard())
    await db_assist.rate(sent.id, anna, Score.BEST)
    await db_assist.correct(sent.id, anna, f"{HEARD} наше")
    kept = (await browser.get("/dashboard", headers=HTML)).text
    assert kept == empty, "figures of some seconds ago, which say so"
    page = (await browser.get("/dashboard?fresh=true", headers=HTML)).text
    for figure in (await db_assist.dashboard()).figures.values():
        assert figure.sql.splitlines()[0] in page.replace("&#39;", "'"), figure.name
    assert "16,67\N{NO-BREAK SPACE}%" in page
    assert "Баланс 2 человек равен" in page
    assert "nn_service не отвечает" in page
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", page)


async def test_the_dashboard_shows_what_nn_service_counts(pages: Pages) -> None:
    """The dashboard reads the metrics of nn_service; metrics of another version do not count as zeros."""
    metrics = Metrics(n_in_flight=lambda: 3, n_loaded=lambda: 1, n_own_loaded=lambda: 0, is_choice_served=lambda: True)
    hypothesis = Hypothesis(text=HEARD, duration_s=10.0, segments=(), model="onnx:test")
    metrics.succeeded(Recognition(hypothesis=hypothesis, processing_s=1.5), None, elapsed_s=1.5)
    metrics.failed("audio_corrupt")
    shown = [metrics.render()]
    service = FastAPI()
    service.add_api_route("/metrics", lambda: PlainTextResponse(shown[0]))
    browser, site = await administrator(pages), pages.app.state.site
    async with open_http(url=None, app=service) as http:
        services = dataclasses.replace(site.given, nn_service=NnServiceClient(http))
        pages.app.state.site = dataclasses.replace(site, given=services)
        page = (await browser.get("/dashboard", headers=HTML)).text
        shown[0] = shown[0].replace(b"processing_seconds", b"work_seconds")
        other = (await browser.get("/dashboard", headers=HTML)).text
    assert "<code>audio_corrupt</code> 1" in page
    # Between 1 and 2 seconds, in the middle of the bucket.
    assert "<dt>Работа, p50</dt><dd>1,5 с</dd>" in page
    assert "<dd>0,15</dd>" in page
    assert "nn_service не отвечает" in other
    # Whoever copies a query into Prometheus finds its metrics there.
    rendered = metrics.render().decode()
    for query in QUERIES.splitlines():
        assert query in html.unescape(page)
        assert all(f"\n{name}" in rendered for name in re.findall(r"glas_\w+", query)), query
