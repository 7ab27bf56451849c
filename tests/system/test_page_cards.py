"""Test several recordings on the page: order, actions on all of them, keyboard, touch, no lost text."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Locator, Page, Route, expect

from tests.conftest import Server
from tests.system.conftest import RECOGNISED_MS


def choose(page: Page, *files: tuple[str, bytes], n_before: int = 0) -> Locator:
    """Choose files together and wait for their texts; there are so many texts already."""
    page.set_input_files("#files", [FilePayload(name=name, mimeType="", buffer=data) for name, data in files])
    cards = page.locator(".card[data-state=done]")
    expect(cards).to_have_count(n_before + len(files), timeout=RECOGNISED_MS)
    return cards


@pytest.fixture
def two(page: Page, first_words: list[bytes]) -> Locator:
    return choose(page, *((f"{number}.wav", sound) for number, sound in enumerate(first_words[:2])))


def test_files_chosen_together_stand_in_their_order(page: Page, two: Locator, first_words: list[bytes]) -> None:
    assert two.locator(".name").all_inner_texts() == ["0.wav", "1.wav"]
    page.set_input_files("#files", [FilePayload(name="2.wav", mimeType="", buffer=first_words[2])])
    expect(page.locator(".card[data-state=done]")).to_have_count(3, timeout=RECOGNISED_MS)
    assert page.locator(".card .name").all_inner_texts() == ["2.wav", "0.wav", "1.wav"]


def test_all_texts_are_saved_at_once(page: Page, two: Locator) -> None:
    texts = two.locator(".transcript").all_inner_texts()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Скачать всё").click()
    assert saved.value.suggested_filename == "Тексты.txt"
    written = saved.value.path().read_text(encoding="utf-8")
    assert written.split() == ["0.wav", *texts[0].split(), "1.wav", *texts[1].split()]
    two.first.get_by_role("button", name="Убрать").click()
    expect(page.get_by_role("button", name="Скачать всё")).to_be_hidden()


def test_escape_leaves_the_editor_and_changes_nothing(two: Locator) -> None:
    card = two.first
    before = card.locator(".transcript").inner_text()
    card.get_by_role("button", name="Править").click()
    card.get_by_role("textbox").fill("совсем другое")
    card.get_by_role("textbox").press("Escape")
    assert card.locator(".transcript").inner_text() == before
    expect(card.get_by_role("button", name="Править")).to_be_focused()
    card.get_by_role("button", name="Править").click()
    card.get_by_role("textbox").fill("совсем другое")
    card.get_by_role("textbox").press("Control+Enter")
    assert card.locator(".transcript").inner_text() == "совсем другое"


def test_after_a_card_is_closed_the_keyboard_goes_on_from_the_next(page: Page, two: Locator) -> None:
    two.first.get_by_role("button", name="Убрать").press("Enter")
    close = page.locator(".card .close")
    expect(close).to_have_count(1)
    expect(close).to_be_focused()
    close.press("Enter")
    expect(page.locator("#choose")).to_be_focused()


def test_leaving_the_page_is_asked_about_only_while_something_would_be_lost(
    page: Page, first_words: list[bytes]
) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    held: list[Route] = []
    page.on("dialog", leave)
    page.route("**/v1/audio/transcriptions", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks functions
    page.set_input_files("#files", [FilePayload(name="0.wav", mimeType="", buffer=first_words[0])])
    page.locator(".card .name").click()
    page.reload()
    assert asked == ["beforeunload"]
    page.unroute("**/v1/audio/transcriptions")
    choose(page, ("0.wav", first_words[0]))
    expect(page.get_by_text("Записи и тексты хранятся в этом браузере")).to_be_visible()
    page.locator(".card .name").click()
    page.reload()
    assert asked == ["beforeunload"]


def test_results_are_there_again_until_they_are_removed(page: Page, two: Locator, first_words: list[bytes]) -> None:
    """Order, sound and corrections are restored; the button removes all."""
    two.first.get_by_role("button", name="Править").click()
    two.first.get_by_role("textbox").fill("совсем другое")
    two.first.get_by_role("textbox").press("Control+Enter")
    choose(page, ("2.wav", first_words[2]), n_before=2)
    texts = page.locator(".card .transcript").all_inner_texts()
    page.reload()
    cards = page.locator(".card[data-state=done]")
    expect(cards).to_have_count(3)
    assert cards.locator(".name").all_inner_texts() == ["2.wav", "0.wav", "1.wav"]
    assert cards.locator(".transcript").all_inner_texts() == texts
    assert texts[1] == "совсем другое"
    cards.last.locator(".word").last.click()
    expect(cards.last.locator(".spoken")).to_have_count(1)

    cards.nth(1).get_by_role("button", name="Убрать").click()
    page.reload()
    expect(cards.locator(".name")).to_have_text(["2.wav", "1.wav"])
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Убрать всё").click()
    expect(cards).to_have_count(0)
    page.reload()
    expect(page.locator(".chip").first).to_be_visible()
    expect(cards).to_have_count(0)


def test_of_a_recording_that_is_too_large_the_text_is_kept(
    page: Page, first_words: list[bytes], tmp_path: Path
) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(33 * 2**20))
    with page.expect_response("**/v1/audio/transcriptions") as answered:
        choose(page, ("small.wav", first_words[0]))
    body = answered.value.body()
    page.route("**/v1/audio/transcriptions", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    page.set_input_files("#files", large)
    expect(page.locator(".card[data-state=done]")).to_have_count(2, timeout=RECOGNISED_MS)
    text = page.locator(".card .transcript").first.inner_text()
    expect(page.get_by_text("Записи и тексты хранятся в этом браузере")).to_be_visible()
    page.reload()
    card = page.locator(".card").first
    expect(card.locator(".name")).to_have_text("large.wav")
    expect(card.locator(".transcript")).to_have_text(text)
    expect(card).to_contain_text("остался только текст")


def test_many_files_tell_how_many_are_done(page: Page, first_words: list[bytes]) -> None:
    held: list[Route] = []
    page.route("**/v1/audio/transcriptions", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks functions
    sounds = [FilePayload(name=f"{n}.wav", mimeType="", buffer=first_words[n % 6]) for n in range(4)]
    page.set_input_files("#files", sounds)
    progress = page.get_by_role("progressbar", name="Сколько записей распознано")
    for done in range(4):
        expect(page.get_by_text(f"Готово {done} из 4")).to_be_visible()
        assert done <= float(progress.evaluate("it => it.value")) < done + 1
        while not held:
            page.wait_for_timeout(20)
        held.pop(0).continue_()
        expect(page.locator(".card[data-state=done]")).to_have_count(done + 1, timeout=RECOGNISED_MS)
    expect(progress).to_be_hidden()
    assert page.locator(".card .name").all_inner_texts() == ["0.wav", "1.wav", "2.wav", "3.wav"]


def _answering(page: Page, change: Callable[[dict[str, object]], None]) -> None:
    """Rewrite the last event of the recogniser's answer with `change`."""

    def rewrite(route: Route) -> None:
        answer = route.fetch()
        events = answer.text().strip().split("\n\n")
        for index, event in enumerate(events):
            body = event.removeprefix("data: ")
            if body.startswith("{") and "transcript.text.done" in body:
                done = json.loads(body)
                change(done["result"])
                events[index] = f"data: {json.dumps(done)}"
        route.fulfill(response=answer, body="\n\n".join(events) + "\n\n")

    page.route("**/v1/audio/transcriptions", rewrite)


def test_a_long_text_has_paragraphs_on_the_page_and_in_the_file(page: Page, first_words: list[bytes]) -> None:
    sentence = "Мы долго шли вдоль реки и говорили обо всём на свете, пока не стемнело. "

    def lengthen(result: dict[str, object]) -> None:
        made = [
            {"start": number * 20.0, "end": number * 20.0 + 19.5, "text": (sentence * 4).strip()} for number in range(6)
        ]
        result |= {"segments": made, "words": [], "text": (sentence * 24).strip(), "duration": 120}

    _answering(page, lengthen)
    card = choose(page, ("long.wav", first_words[0])).first
    paragraphs = card.locator(".transcript p").all_inner_texts()
    assert len(paragraphs) == 3
    assert all(text.endswith("стемнело.") for text in paragraphs)
    with page.expect_download() as saved:
        card.get_by_role("button", name="TXT").click()
    assert saved.value.path().read_text(encoding="utf-8").strip().split("\n\n") == paragraphs


def test_the_folder_of_a_model_is_not_shown(page: Page, first_words: list[bytes]) -> None:
    _answering(page, lambda result: result.update(model="onnx:/home/anna/models/my-model"))
    card = choose(page, ("a.wav", first_words[0])).first
    model = card.locator(".figures .of-model")
    assert model.inner_text() == "my-model"
    # Styles of the list of models do not reach it: it stands on the line of its neighbours.
    tops = card.locator(".figures li").evaluate_all("found => found.map(one => one.getBoundingClientRect().height)")
    assert len(set(tops)) == 1, tops


@pytest.mark.parametrize(
    ("code", "message", "limit"),
    [
        ("upload_too_large", "expected an upload of at most 200 MiB, got 250.0 MiB", "Предел этого сервера — 200 МБ."),
        ("audio_too_long", "The recording is longer than 7200 s", "Предел этого сервера — 120 мин."),
        (
            "audio_too_long",
            "The length in the file's header is 9000 s; at most 7200 s",
            "Предел этого сервера — 120 мин.",
        ),
    ],
)
def test_the_limit_is_named(page: Page, code: str, message: str, limit: str) -> None:
    error = {"code": code, "message": message, "type": "invalid_request_error", "param": "file"}
    page.route("**/v1/audio/transcriptions", lambda route: route.fulfill(status=413, json={"error": error}))
    page.set_input_files("#files", [FilePayload(name="a.ogg", mimeType="", buffer=b"OggS")])
    expect(page.locator(".failure")).to_contain_text(limit)


def test_an_english_browser_gets_an_english_page(browser: Browser, server: Server) -> None:
    for locale, title in (
        ("en-GB", "Glas — speech to text"),
        ("ru-RU", "Глас — речь в текст"),
        ("fr-FR", "Глас — речь в текст"),
    ):
        with browser.new_context(base_url=server.url, locale=locale) as context, context.new_page() as page:
            page.goto("/")
            expect(page).to_have_title(title)


def test_what_a_finger_presses_is_large_enough(browser: Browser, server: Server, first_words: list[bytes]) -> None:
    assert httpx.get(server.url, trust_env=False, timeout=60).status_code == 200
    with (
        browser.new_context(
            base_url=server.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="ru-RU"
        ) as context,
        context.new_page() as page,
    ):
        page.goto("/")
        choose(page, ("a.wav", first_words[0]))
        for button in page.locator("button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44, button.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
