"""Test captions in a real browser: the text so far while a person speaks into the microphone."""

import base64
import threading
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from glas.domain.text import normalise
from tests.conftest import Sample, Server
from tests.system.conftest import RECOGNISED_MS, open_browser

TRANSCRIPTIONS = "/v1/audio/transcriptions"
BUSY = 503
PAUSE_S = 1.0
CAPTIONED_MS = 120_000
KEPT_SOUND = """() => new Promise((done) => {
  indexedDB.open('glas-results').onsuccess = ({ target: { result: database } }) => {
    database.transaction('results').objectStore('results').getAll().onsuccess = ({ target: { result: [record] } }) => {
      database.close();
      const reader = new FileReader();
      reader.onload = () => done(reader.result.split(',')[1]);
      reader.readAsDataURL(record.file);
    };
  };
})"""
# A browser that cannot record the same stream twice at once.
ONE_RECORDER = """
const Native = MediaRecorder;
let made = 0;
window.MediaRecorder = class extends Native {
  constructor(...given) {
    made += 1;
    if (made > 1) throw new DOMException('one is enough', 'NotSupportedError');
    super(...given);
  }
};
"""


@pytest.fixture(scope="module")
def browser(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone plays two people, with pauses between them."""
    with open_browser(samples[:2], tmp_path_factory.mktemp("microphone"), pause_s=PAUSE_S) as running:
        yield running


def _text_of(server: Server, sound: bytes) -> str:
    answer = httpx.post(f"{server.url}{TRANSCRIPTIONS}", files={"file": sound}, trust_env=False, timeout=60)
    return str(answer.json()["text"])


def _begin(page: Page) -> None:
    page.locator("#microphone").press("Enter")
    expect(page.locator("#microphone")).to_have_attribute("aria-label", "Закончить и распознать")


def _finish(page: Page) -> str:
    """Stop recording; return the text of the recording."""
    page.locator("#microphone").press("Enter")
    card = page.locator(".card[data-state=done]")
    expect(card).to_have_count(1, timeout=RECOGNISED_MS)
    return card.locator(".transcript").inner_text()


def test_words_are_shown_before_the_recording_is_over(page: Page, server: Server, samples: list[Sample]) -> None:
    """Words appear after the first pause; the final text is that of the whole recording."""
    captions = page.get_by_role("log", name="Текст, пока вы говорите")
    expect(captions).to_be_hidden()
    _begin(page)
    expect(captions).not_to_be_empty(timeout=CAPTIONED_MS)
    assert page.locator("#recorder").get_attribute("data-state") == "recording"
    assert captions.get_attribute("aria-live") == "polite"
    said = normalise(_text_of(server, samples[0].path.read_bytes())).split()
    written = normalise(captions.locator("span").first.inner_text()).split()
    assert len(set(written) & set(said)) >= len(said) / 2, (written, said)

    text = _finish(page)
    expect(captions).to_be_hidden()
    assert text.split() == _text_of(server, base64.b64decode(page.evaluate(KEPT_SOUND))).split()


def test_captions_make_way_for_texts_that_somebody_waits_for(page: Page, server: Server, long_wav: bytes) -> None:
    """Captions wait while another recording is recognised, and are written afterwards."""
    page.goto("/")
    statuses: list[int] = []

    def note(answer: Response) -> None:
        if answer.url.endswith(TRANSCRIPTIONS):
            statuses.append(answer.status)

    page.on("response", note)
    form = {"stream": "true"}
    files = {"file": long_wav}
    has_begun, is_enough = threading.Event(), threading.Event()

    def ask() -> None:
        address = f"{server.url}{TRANSCRIPTIONS}"
        with httpx.Client(trust_env=False, timeout=60) as http, http.stream("POST", address, data=form, files=files):
            has_begun.set()
            is_enough.wait()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert has_begun.wait(timeout=60)
        _begin(page)
        while BUSY not in statuses:
            page.wait_for_timeout(50)
        expect(page.locator("#captions")).to_be_empty()
    finally:
        is_enough.set()
        asking.join()
    expect(page.locator("#captions")).not_to_be_empty(timeout=CAPTIONED_MS)
    page.keyboard.press("Escape")
    expect(page.locator("#captions")).to_be_hidden()


def test_who_wants_none_gets_none(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choice = page.get_by_label("Показывать текст, пока говорю")
    expect(choice).to_be_checked()
    choice.uncheck()
    page.reload()
    expect(choice).not_to_be_checked()
    _begin(page)
    page.wait_for_timeout(6_000)
    assert not [url for url in asked if url.endswith(TRANSCRIPTIONS)]
    expect(page.locator("#captions")).to_be_hidden()
    assert _finish(page)
    page.evaluate("localStorage.clear()")


def test_a_browser_that_records_only_once_recognises_all_the_same(page: Page) -> None:
    page.add_init_script(ONE_RECORDER)
    page.goto("/")
    _begin(page)
    page.wait_for_timeout(2_200)
    expect(page.locator("#captions")).to_be_hidden()
    assert _finish(page)
