"""Test the page of reviewers in a real browser: keyboard, speed, several reviewers."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from glas.domain.corrections import Rank
from glas.domain.reviews import Verdict
from glas.domain.transcription import Hypothesis
from glas.settings import DbAssistSettings, Settings
from tests.conftest import Sample
from tests.system.review_pages import after, number, switched
from tests.system.review_pages import enter as enter  # noqa: PLC0414 - a fixture, found here by its name
from tests.system.reviewing import Office, open_office

AT_ONCE_MS = 100
BY_KEY = (
    (1, Verdict.ACCEPT),
    (3, Verdict.BAD_AUDIO),
    (4, Verdict.NOT_SPEECH),
    (5, Verdict.OTHER_VOICE),
    (6, Verdict.SKIP),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    rules = DbAssistSettings(review_check_every=0)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("office") / "data", db_assist=rules)
    with open_office(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_is_left(office: Office) -> Iterator[None]:
    yield
    office.clear()


def test_ten_recordings_by_keyboard_alone(office: Office, enter: Callable[..., Page], samples: list[Sample]) -> None:
    """Each verdict has a key; words are typed; a mistake is undone; the next recording plays at once."""
    reviewer = office.reviewer()
    # The last word was misheard.
    texts = {office.send(one, f"{one.text.rsplit(' ', 1)[0]} мышь."): one.text for one in (samples * 2)[:10]}
    page = enter(reviewer)
    expect(page.locator("#today")).to_have_text("Сегодня: 0 записей")
    assert page.locator(".verdict kbd").all_inner_texts() == list("123456")
    expected: dict[int, Verdict] = {}
    waits: list[float] = []
    for index in range(10):
        current = number(page)
        assert page.locator("#words").inner_text().endswith("мышь.")
        expect(page.locator("#length")).not_to_have_text("0:00")
        if index == 0:
            page.keyboard.press("Space")
            expect(page.locator(".word.spoken")).to_have_count(1, timeout=20_000)  # sound begins late on a busy machine
            page.keyboard.press("ArrowUp")
            expect(page.locator("#speed")).to_have_text("1,25×")
            page.keyboard.press("l")
            expect(page.locator("#loop-span")).to_be_visible()
            page.keyboard.press("l")
        if index % 2:
            expected[current] = Verdict.CORRECT
            page.keyboard.press("2")
            field = page.get_by_role("textbox", name="Всё, что сказано")
            expect(field).to_be_focused()
            page.keyboard.press("Control+Shift+ArrowLeft")
            page.keyboard.press("Control+Shift+ArrowLeft")
            page.keyboard.type(texts[current].rsplit(" ", 1)[1])
            page.keyboard.press("Enter")
        else:
            key, expected[current] = BY_KEY[index // 2]
            expect(page.locator("#review")).to_have_attribute("data-ready", re.compile(rf"^(?!{current}$)\d+$"))
            waits.append(switched(page, f"Digit{key}"))
            if index == 4:
                page.keyboard.press("z")
                expect(page.locator("#review")).to_have_attribute("data-item", str(current))
                expect(page.locator("#told")).to_have_text("Ответ отменён.")
                page.keyboard.press("3")
                expected[current] = Verdict.BAD_AUDIO
        after(page, current)
    expect(page.locator("#empty")).to_have_text("Всё проверено. Новые записи появятся здесь сами.")
    expect(page.locator("#today")).to_have_text("Сегодня: 10 записей")
    # The machine may be busy with other tests: what counts is how long the page itself takes.
    assert min(waits) <= AT_ONCE_MS, waits
    made = office.do(office.pages.services.db_assist.export_user(reviewer)).reviews
    assert {one.transcription_id: one.verdict for one in made} == expected
    for one, verdict in expected.items():
        row = office.do(office.pages.services.db_assist.transcription(one))
        assert row.rank == (Rank.REVIEWER if verdict.gives_words else None)
        assert (row.reference == texts[one]) == (verdict is Verdict.CORRECT), row.reference


def test_what_another_model_heard_is_shown(office: Office, enter: Callable[..., Page], samples: list[Sample]) -> None:
    """The different words of the other text are marked; equal texts are not shown."""
    numbers = [office.send(samples[0], "Ага, семь мышей.") for _ in range(2)]
    for number_, text in zip(numbers, ("ага восемь мышей", "ага семь мышей"), strict=True):
        heard = Hypothesis(text=text, duration_s=1.0, model="onnx:other", model_version="1" * 12)
        office.do(office.pages.services.db_assist.store_second_hypothesis(number_, heard))
    page, seen = enter(office.reviewer()), {}
    for _ in numbers:
        current = number(page)
        expect(page.locator("#words")).to_have_text("Ага, семь мышей.")
        is_shown = page.locator("#second").is_visible()
        seen[current] = page.locator("#second mark").all_inner_texts() if is_shown else None
        page.keyboard.press("1")
        after(page, current)
    assert seen == {numbers[0]: ["восемь"], numbers[1]: None}


def test_two_reviewers_are_never_in_each_others_way(
    office: Office, enter: Callable[..., Page], samples: list[Sample]
) -> None:
    """No message is shown to both, and recordings held by another reviewer are not sent."""
    for _ in range(2):
        for sample in samples[:4]:
            office.send(sample)
    anna, boris = office.reviewer(), office.reviewer()
    pages = (enter(anna), enter(boris))
    heard: list[set[int]] = [set(), set()]
    for _ in range(4):
        for page, mine in zip(pages, heard, strict=True):
            current = number(page)
            mine.add(current)
            page.keyboard.press("1")
            after(page, current)
    for page in pages:
        expect(page.locator("#empty")).to_be_visible()
        expect(page.locator("#told")).to_have_text("Записано.")
    assert not heard[0] & heard[1]
    assert len(heard[0] | heard[1]) == 8
    office.send(samples[0])
    waiting = office.do(office.pages.services.db_assist.next_review(anna))
    assert waiting is not None
    address = f"/review/items/{waiting.transcription_id}/audio"
    assert [page.request.get(address).status for page in pages] == [200, 404]
    assert httpx.get(office.url + address, trust_env=False, timeout=60).status_code == 401
    office.do(office.pages.services.db_assist.review(waiting.transcription_id, anna, Verdict.SKIP))
    assert pages[0].request.get(address).status == 404


def test_what_cannot_be_said_comes_back(office: Office, enter: Callable[..., Page], samples: list[Sample]) -> None:
    """Too many words, an unchanged text, and a message held by another reviewer are refused."""
    first = office.send(samples[0])
    page = enter(office.reviewer())
    assert number(page) == first
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("Текст не изменён")
    page.keyboard.press("2")
    page.get_by_role("textbox").fill("слово " * 100)
    page.keyboard.press("Enter")
    expect(page.locator("#review")).to_have_attribute("data-item", str(first))
    expect(page.locator("#words")).to_contain_text("исправлено")
    expect(page.locator("#told")).to_have_class(re.compile("is-problem"))
    assert page.locator("#told").inner_text()
    page.keyboard.press("2")
    page.get_by_role("textbox").fill(samples[0].text + " да")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator("#told")).to_have_text("Записано.")
    assert office.do(office.pages.services.db_assist.transcription(first)).reference == samples[0].text + " да"

    second = office.send(samples[1])
    page.reload()
    expect(page.locator("#review")).to_have_attribute("data-item", str(second))
    office.clear()
    page.keyboard.press("1")
    expect(page.locator("#told")).to_have_text("Эту запись уже проверил кто-то другой, или её удалили.")
    expect(page.locator("#empty")).to_be_visible()


def test_what_did_not_come_is_asked_for_again(
    office: Office, enter: Callable[..., Page], samples: list[Sample]
) -> None:
    """A sound is requested a second time; if the server does not answer, the page shows an error."""
    page = enter(office.reviewer())
    first = office.send(samples[0])
    lost: list[Route] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route)
        route.abort()

    page.route("**/audio", lose_the_first)
    page.reload()
    expect(page.locator("#review")).to_have_attribute("data-heard", str(first))
    expect(page.locator("#sound-problem")).to_be_hidden()
    page.route("**/review/items", lambda route: route.abort())
    page.reload()
    expect(page.locator("#empty")).to_contain_text("Сервер не отвечает")


def test_a_part_is_repeated_and_a_finger_finds_everything(
    office: Office, enter: Callable[..., Page], samples: list[Sample]
) -> None:
    """A marked part is played repeatedly; on a small phone nothing is cut off."""
    office.send(samples[0])
    page = enter(office.reviewer(), viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    expect(page.locator("#review")).to_have_attribute("data-heard", str(number(page)))
    box = page.locator("#wave-touch").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 10, steps=3)
    page.mouse.up()
    expect(page.locator("#loop")).to_have_attribute("aria-pressed", "true")
    page.locator("#play").click()
    expect(page.locator("#position")).to_have_text("0:01")
    ended = time.monotonic() + 1.5
    while time.monotonic() < ended:
        assert page.locator("#position").inner_text() in ("0:01", "0:02")
    for control in page.locator("button:visible, .auto").all():
        size = control.bounding_box()
        assert size is not None
        assert size["height"] >= 44, control.inner_text()
        assert size["x"] >= 0, control.inner_text()
        assert size["x"] + size["width"] <= 320, control.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= 320")
    page.locator("[data-verdict=skip]").tap()
    expect(page.locator("#empty")).to_be_visible()


def test_whoever_is_dismissed_is_sent_away(
    office: Office, enter: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next action of a dismissed reviewer is refused."""
    monkeypatch.setattr("glas.web.access.rights._KEPT_S", 0.0)
    reviewer = office.reviewer()
    page = enter(reviewer)
    office.do(office.pages.services.db_assist.set_reviewer(reviewer, is_reviewer=False))
    page.reload()
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(page.get_by_text("/web")).to_be_visible()
    page.screenshot(path=tmp_path / "sign-in.png")
