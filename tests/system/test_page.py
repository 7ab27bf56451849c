"""The page in a real browser (headless Chromium) before a real server with the embedded model."""

# ruff: noqa: D103  a test's name is its sentence

import io
import json
import re
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from tests.conftest import Sample, Server

RECOGNISED_MS = 15_000
HOLD_MS = 2_200
INSECURE = "http://glas.test"

# Without these Chromium reaches for its maker's servers at start; the page's own requests are counted below.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@pytest.fixture(scope="module")
def browser(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone hears the first sample over and over."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    heard = tmp_path_factory.mktemp("microphone") / "voice.wav"
    heard.write_bytes(_as_wav(samples[0].path))
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={heard}"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable, args=flags) as running:
        yield running


def _as_wav(path: Path) -> bytes:
    samples = np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


class Watch:
    """Whom a page asks and what it complains about."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser itself notes every answer of 400 and more; the page shows those to the person.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    with browser.new_context(
        base_url=server.url, viewport={"width": 360, "height": 740}, permissions=["microphone"]
    ) as opened:
        opened.set_default_timeout(RECOGNISED_MS)
        yield opened


@pytest.fixture
def blank(context: BrowserContext, server: Server) -> Iterator[Page]:
    """An empty tab; afterwards: nobody but our server was asked, and nothing was complained about."""
    with context.new_page() as page:
        watch = Watch(page)
        yield page
        ours = (f"{server.url}/", f"blob:{server.url}/", f"{INSECURE}/")
        assert [url for url in watch.asked if not url.startswith(ours)] == []
        assert watch.complaints == []


@pytest.fixture
def page(blank: Page) -> Page:
    """A tab with the page in it."""
    blank.goto("/")
    return blank


def _choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files("#files", [FilePayload(name=name, mimeType="", buffer=data) for name, data in files])


def _finished(page: Page, count: int = 1) -> Locator:
    cards = page.locator(".card[data-state=done]")
    expect(cards).to_have_count(count, timeout=RECOGNISED_MS)
    return cards.first


def _no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_sample_becomes_text_that_plays_from_any_word(page: Page, server: Server) -> None:
    assert _no_sideways_scroll(page)
    page.locator(".chip").first.click()
    card = _finished(page)
    name = card.locator(".name").inner_text()
    said = httpx.get(f"{server.url}/samples/{name}", trust_env=False).content
    expected = httpx.post(f"{server.url}/v1/audio/transcriptions", files={"file": said}, trust_env=False).json()["text"]

    assert card.locator(".transcript").inner_text().split() == expected.split()
    word = card.locator(".word").last
    word.click()
    audio = card.locator("audio")
    start_s = float(word.get_attribute("data-start") or "nan")
    assert start_s > 0
    assert float(audio.evaluate("it => it.currentTime")) >= start_s - 0.05
    expect(card.locator(".spoken")).to_have_count(1)
    assert "речи" in card.locator(".figures").inner_text()
    assert _no_sideways_scroll(page)


def test_the_timeline_obeys_mouse_and_keyboard(page: Page, samples: list[Sample]) -> None:
    _choose(page, ("voice.ogg", samples[0].path.read_bytes()))
    card = _finished(page)
    timeline = card.get_by_role("slider")
    audio = card.locator("audio")

    box = timeline.bounding_box()
    assert box is not None
    timeline.click(position={"x": box["width"] * 0.5, "y": 10})
    length_s = float(timeline.get_attribute("aria-valuemax") or "nan")
    assert float(audio.evaluate("it => it.currentTime")) == pytest.approx(length_s / 2, rel=0.2)
    card.get_by_role("button", name="Пауза").click()
    timeline.press("Home")
    timeline.press(" ")
    expect(timeline).to_have_attribute("aria-valuenow", "0.0")
    assert audio.evaluate("it => it.paused")


def test_holding_the_button_records(page: Page) -> None:
    button = page.get_by_role("button", name="Записать голос")
    button.hover()
    page.mouse.down()
    expect(page.locator("#recorder-hint")).to_have_text("Говорите. Отпустите — и я распознаю")
    page.wait_for_timeout(HOLD_MS)
    assert page.locator("#clock").inner_text() in ("0:02", "0:03")
    page.mouse.up()

    card = _finished(page)
    assert card.locator(".word").count() > 0
    assert card.locator(".name").inner_text().endswith(".webm")
    # What MediaRecorder writes does not tell its length; the page must find out, or nobody can seek.
    assert 2 < float(card.locator("audio").evaluate("it => it.duration")) < 6


def test_a_key_press_records_until_the_next_and_escape_forgets(page: Page) -> None:
    button = page.locator("#microphone")
    button.press("Enter")
    expect(button).to_have_attribute("aria-label", "Закончить и распознать")
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-label", "Записать голос")
    assert page.locator(".card").count() == 0

    button.press("Enter")
    expect(button).to_have_attribute("aria-label", "Закончить и распознать")
    page.wait_for_timeout(HOLD_MS / 3)
    button.press(" ")
    _finished(page)


def test_several_files_give_cards_with_the_newest_on_top(page: Page, samples: list[Sample]) -> None:
    silence = _silent_wav(2)
    broken = b"OggS" + bytes(400)
    _choose(page, ("речь.ogg", samples[0].path.read_bytes()), ("тишина.wav", silence), ("broken.ogg", broken))

    _finished(page, 2)
    assert page.locator(".card .name").all_inner_texts() == ["broken.ogg", "тишина.wav", "речь.ogg"]
    expect(page.locator(".card").nth(1)).to_contain_text("Речи не слышно")
    expect(page.locator(".card").first.get_by_role("alert")).to_contain_text("Файл повреждён")


def _silent_wav(seconds: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(seconds * 32_000))
    return buffer.getvalue()


def test_a_foreign_format_is_named_as_such(page: Page) -> None:
    _choose(page, ("paper.pdf", b"%PDF-1.7 " + bytes(300)))

    expect(page.get_by_role("alert")).to_contain_text("Такой формат я не понимаю")
    expect(page.get_by_role("button", name="Ещё раз")).to_have_count(0)
    page.get_by_role("button", name="Eng").click()
    expect(page.get_by_role("alert")).to_contain_text("This format is not understood")
    page.evaluate("localStorage.clear()")


def test_a_busy_server_is_asked_again_by_itself(page: Page, samples: list[Sample]) -> None:
    refusals = 0

    def refuse_once(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        if refusals > 1:
            route.continue_()
            return
        error = {"message": "full", "type": "server_error", "param": None, "code": "overloaded"}
        route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": error})

    page.route("**/v1/audio/transcriptions", refuse_once)
    _choose(page, ("voice.ogg", samples[0].path.read_bytes()))

    expect(page.get_by_role("alert")).to_contain_text("Сервер занят")
    expect(page.locator(".card .buttons")).to_contain_text("Повторю сам через 1 с")
    _finished(page)


def test_a_key_is_asked_for_and_kept_in_the_tab(page: Page, samples: list[Sample]) -> None:
    given = []

    def ask_for_key(route: Route) -> None:
        given.append(route.request.headers.get("authorization"))
        if given[-1] == "Bearer right":
            route.continue_()
            return
        error = {"message": "no key", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
        route.fulfill(status=401, json={"error": error})

    page.route("**/v1/audio/transcriptions", ask_for_key)
    _choose(page, ("voice.ogg", samples[0].path.read_bytes()))
    dialog = page.get_by_role("dialog")
    for key, said in (("wrong", "не подошёл"), ("right", "")):
        field = page.get_by_label("Ключ API")
        field.fill(key)
        field.press("Enter")
        if said:
            expect(dialog).to_contain_text(said)

    _finished(page)
    assert given == [None, "Bearer wrong", "Bearer right"]
    assert page.evaluate("sessionStorage.getItem('glas-api-key')") == "right"
    assert page.evaluate("localStorage.getItem('glas-api-key')") is None


def test_subtitles_of_the_page_are_those_of_the_server(page: Page, server: Server, samples: list[Sample]) -> None:
    data = samples[0].path.read_bytes()
    _choose(page, ("voice.ogg", data))
    card = _finished(page)

    for form in ("srt", "vtt"):
        with page.expect_download() as saved:
            card.get_by_role("button", name=form.upper()).click()
        asked = httpx.post(
            f"{server.url}/v1/audio/transcriptions",
            files={"file": data},
            data={"response_format": form},
            trust_env=False,
        )
        assert saved.value.suggested_filename == f"voice.{form}"
        assert saved.value.path().read_text(encoding="utf-8") == asked.text
    with page.expect_download() as saved:
        card.get_by_role("button", name="JSON").click()
    assert json.loads(saved.value.path().read_bytes())["task"] == "transcribe"


def test_a_corrected_text_keeps_the_seconds_of_its_other_words(page: Page, samples: list[Sample]) -> None:
    _choose(page, ("voice.ogg", samples[0].path.read_bytes()))
    card = _finished(page)
    starts = card.locator(".word").evaluate_all("found => found.map(word => word.dataset.start)")
    words = card.locator(".transcript").inner_text().split()
    assert len(words) == len(starts) > 2

    card.get_by_role("button", name="Править").click()
    card.get_by_role("textbox").fill(" ".join([words[0], "совсем", "другое", *words[2:]]))
    card.get_by_role("button", name="Готово").click()

    expect(card.locator(".corrected")).to_have_text(["совсем", "другое", "слово"])  # the last one is the legend's
    after = card.locator(".transcript .word").evaluate_all("found => found.map(word => word.dataset.start)")
    assert [after[0], after[1], *after[3:]] == starts
    with page.expect_download() as saved:
        card.get_by_role("button", name="TXT").click()
    assert saved.value.path().read_text(encoding="utf-8").split()[1:3] == ["совсем", "другое"]


def test_over_plain_http_the_page_says_why_it_cannot_record(blank: Page, server: Server) -> None:
    # The name is foreign to the server, so this origin is answered from here with the server's own bytes.
    page = blank
    page.route(
        re.compile(f"^{re.escape(INSECURE)}/"),
        lambda route: route.fulfill(response=route.fetch(url=server.url + route.request.url.removeprefix(INSECURE))),
    )
    page.goto(INSECURE + "/")

    assert page.evaluate("window.isSecureContext") is False
    expect(page.locator("#recorder-hint")).to_contain_text("микрофон браузер даёт только по https://")
    expect(page.locator("#microphone")).to_be_disabled()
    expect(page.get_by_role("button", name="Выбрать файлы")).to_be_enabled()


def test_the_page_says_which_model_answers(page: Page) -> None:
    expect(page.locator("#serving")).to_have_text("Распознаёт embedded")
    expect(page.locator("#embedded")).to_contain_text("glas models get onnx:gigaam-v3-ctc")
