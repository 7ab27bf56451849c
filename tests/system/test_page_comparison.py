"""Test the comparison of two models on the first page: both texts side by side, with different words marked."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from glas.web.pages.review import other_words
from tests.conftest import Sample, Server
from tests.parts.recordings import in_noise

OTHER = "whisper:openai/whisper-base"
RECOGNISED_MS = 60_000


@pytest.fixture(scope="module")
def server(
    start_glas: Callable[..., AbstractContextManager[Server]],
    whisper_base: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """Start a server that also has the official Whisper base on its disk."""
    data = tmp_path_factory.mktemp("data")
    (data / "models").mkdir()
    (data / "models" / whisper_base.name).symlink_to(whisper_base)
    with start_glas("nn_service", "web", GLAS_DATA_DIR=str(data), GLAS_MODEL="embedded") as running:
        yield running


def _recognised(page: Page, name: str, sound: bytes) -> Locator:
    page.set_input_files("#files", [FilePayload(name=name, mimeType="", buffer=sound)])
    card = page.locator(".card[data-state=done]")
    expect(card).to_have_count(1, timeout=RECOGNISED_MS)
    return card


def _text(server: Server, sound: bytes, model: str) -> str:
    address = f"{server.url}/v1/audio/transcriptions"
    answer = httpx.post(address, data={"model": model}, files={"file": sound}, trust_env=False, timeout=60)
    return str(answer.json()["text"])


def _read_differently(server: Server, samples: list[Sample]) -> bytes:
    """Return the first noisy recording in which each of the two models reads a word that the other does not read.

    Which recording that is depends on the processor: 8-bit arithmetic is not the same on all of them.
    """
    for snr_db in (3, 0, -3):
        for sample in samples:
            noisy = in_noise(sample.path.read_bytes(), snr_db=snr_db)
            ours, other = (_text(server, noisy, model) for model in ("embedded", OTHER))
            both_ways = other_words(ours, other), other_words(other, ours)
            if all(any(word.differs for word in words) for words in both_ways):
                return noisy
    pytest.fail("the two models read each noisy recording alike: expected different words in one of them")


def test_two_models_stand_side_by_side(page: Page, server: Server, samples: list[Sample]) -> None:
    """Words that only one of the texts contains are marked, as on the page of reviewers."""
    noisy = _read_differently(server, samples)
    card = _recognised(page, "voice.ogg", noisy)
    choice = card.get_by_label("Сравнить с другой моделью")
    expect(choice.locator("option")).to_have_text(["Сравнить с…", "Whisper base"])
    choice.select_option(OTHER)
    heads = [re.compile(rf"^{title}: [\d,]+ с работы$") for title in ("Whisper base, русская", "Whisper base")]
    expect(card.locator(".of-text")).to_have_text(heads, timeout=RECOGNISED_MS)

    ours, other = card.locator(".transcript").inner_text(), card.locator(".other-words").inner_text()
    assert other == _text(server, noisy, OTHER)
    here, there = other_words(other, ours), other_words(ours, other)
    assert card.locator(".differs").all_inner_texts() == [one.word for one in here if one.differs]
    assert card.locator(".other-words mark").all_inner_texts() == [one.word for one in there if one.differs] != []

    # A correction is compared as well; without a choice nothing is marked.
    card.get_by_role("button", name="Править").click()
    card.get_by_role("textbox").fill(other)
    card.get_by_role("button", name="Готово").click()
    expect(card.locator(".transcript")).to_have_text(other)
    expect(card.locator(":is(.differs, mark)")).to_have_count(0)
    choice.select_option("")
    expect(card.locator(".other-words")).to_be_hidden()
    expect(card.locator(".of-text").first).to_be_hidden()


def test_a_model_that_cannot_be_had_is_told(page: Page, server: Server, samples: list[Sample]) -> None:
    assert httpx.get(server.url, trust_env=False, timeout=60).status_code == 200
    card = _recognised(page, "voice.ogg", samples[0].path.read_bytes())
    text = card.locator(".transcript").inner_text()
    choice = card.get_by_label("Сравнить с другой моделью")
    expect(choice).to_be_visible()
    choice.locator("option").last.evaluate("one => (one.value = 'onnx:no-such-model')")
    choice.select_option("onnx:no-such-model")
    expect(card.get_by_text("Модель недоступна")).to_be_visible()
    assert card.locator(".transcript").inner_text() == text
