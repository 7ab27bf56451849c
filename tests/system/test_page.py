"""Test the page in headless Chromium with a real server and the embedded model."""

import io
import json
import re
import wave

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from glas.domain.transcription import SURE
from tests.conftest import Sample, Server
from tests.parts.recordings import in_noise
from tests.system.conftest import INSECURE, RECOGNISED_MS

HOLD_MS = 2_200


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
    said = httpx.get(f"{server.url}/samples/{name}", trust_env=False, timeout=60).content
    expected = httpx.post(
        f"{server.url}/v1/audio/transcriptions", files={"file": said}, trust_env=False, timeout=60
    ).json()["text"]

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


def test_what_is_doubtful_is_marked_and_explained(page: Page, server: Server, samples: list[Sample]) -> None:
    noisy = in_noise(samples[3].path.read_bytes(), snr_db=-3)
    form = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    address = f"{server.url}/v1/audio/transcriptions"
    words = httpx.post(address, data=form, files={"file": noisy}, trust_env=False, timeout=60).json()["words"]
    doubted = [word["word"] for word in words if word["confidence"] < SURE]
    assert len(doubted) > 0
    _choose(page, ("шум.ogg", noisy))
    card = _finished(page)
    assert card.locator(".word.unsure").all_inner_texts() == doubted
    # Of single words, or of the whole text where most of its words are doubted.
    expect(card.locator(".legend")).to_contain_text(re.compile("не уверен", re.IGNORECASE))
    expect(card.locator(".word.unsure").first).to_have_attribute("title", re.compile(r"уверенность \d+ %"))


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
    # Home also plays, so some tenths of a second may pass until the space pauses.
    expect(timeline).to_have_attribute("aria-valuenow", re.compile(r"0\.\d"))
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


def test_several_files_give_cards_in_their_order(page: Page, first_words: list[bytes]) -> None:
    silence = _silent_wav(2)
    broken = b"OggS" + bytes(400)
    _choose(page, ("речь.wav", first_words[0]), ("тишина.wav", silence), ("broken.ogg", broken))

    _finished(page, 2)
    assert page.locator(".card .name").all_inner_texts() == ["речь.wav", "тишина.wav", "broken.ogg"]
    expect(page.locator(".card").nth(1)).to_contain_text("Речи не слышно")
    expect(page.locator(".card").last.get_by_role("alert")).to_contain_text("Файл повреждён")


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


def test_a_busy_server_is_asked_again_by_itself(page: Page, first_words: list[bytes]) -> None:
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
    _choose(page, ("voice.wav", first_words[0]))

    expect(page.get_by_role("alert")).to_contain_text("Сервер занят")
    expect(page.locator(".card .buttons")).to_contain_text("Повторю сам через 1 с")
    _finished(page)


def test_a_key_is_asked_for_and_kept_in_the_tab(page: Page, first_words: list[bytes]) -> None:
    given = []

    def ask_for_key(route: Route) -> None:
        given.append(route.request.headers.get("authorization"))
        if given[-1] == "Bearer right":
            route.continue_()
            return
        error = {"message": "no key", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
        route.fulfill(status=401, json={"error": error})

    page.route("**/v1/audio/transcriptions", ask_for_key)
    _choose(page, ("voice.wav", first_words[0]))
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
            timeout=60,
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
    expect(page.locator("#serving")).to_have_text("Модель: Whisper base, русская")
    expect(page.locator("#embedded")).to_contain_text("glas models get onnx:gigaam-v3-ctc")


def test_another_language_is_told(page: Page, first_words: list[bytes]) -> None:
    warning = json.dumps({"code": "language_not_written", "language": "en", "message": "english is spoken"})

    def warn(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"warning": null', f'"warning": {warning}'))

    page.route("**/v1/audio/transcriptions", warn)
    _choose(page, ("voice.wav", first_words[0]))
    card = _finished(page)
    expect(card).to_contain_text("Похоже, это не русский язык (английский)")
    page.get_by_role("button", name="Eng").click()
    expect(card).to_contain_text("This does not seem to be Russian (English)")
    page.evaluate("localStorage.clear()")
