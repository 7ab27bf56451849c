"""Test the page's dialog of models in a real browser: visibility, downloads with progress, no restart."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from glas.settings.keys import new_key
from tests.conftest import Server
from tests.models.gigaam_layout import gigaam_ctc
from tests.models.hub_server import Hub, files_of, serving
from tests.system.conftest import Watch

START = Callable[..., AbstractContextManager[Server]]
MODEL = "onnx:gigaam-v3-ctc"
TITLE = "GigaAM v3"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A repository of GigaAM v3 with a tiny model; it sends files when `pause` is set."""
    files = files_of(gigaam_ctc(tmp_path / "repository", int8_says=("б", "в", "а")))
    with serving(Hub("istupakov/gigaam-v3-onnx", files, pause=threading.Event())) as served:
        yield served
        assert served.pause is not None
        served.pause.set()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page of a server, optionally with a key in the tab; there may be no foreign requests and no errors."""
    contexts, watches = [], []

    def open_(server: Server, key: str = "") -> Page:
        context = browser.new_context(base_url=server.url, viewport={"width": 360, "height": 740}, locale="ru-RU")
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        watches.append((server, Watch(page)))
        if key:
            page.add_init_script(f"sessionStorage.setItem('glas-api-key', '{key}')")
        page.goto("/")
        return page

    yield open_
    for server, watch in watches:
        assert [url for url in watch.asked if not url.startswith(server.url)] == []
        assert watch.complaints == []
    for context in contexts:
        context.close()


def row(page: Page, name: str = MODEL) -> Locator:
    return page.locator(f"[data-model='{name}']")


def opened(page: Page) -> Locator:
    """Open the dialog."""
    page.get_by_role("button", name="Модели", exact=True).click()
    dialog = page.get_by_role("dialog", name="Модели")
    expect(dialog).to_be_visible()
    return dialog


def test_a_model_is_fetched_and_serves_without_a_restart(
    hub: Hub, start_glas: START, open_page: Callable[..., Page]
) -> None:
    with start_glas("nn_service", "web", HF_ENDPOINT=hub.address) as server:
        page = open_page(server)
        dialog = opened(page)
        expect(row(page, "embedded")).to_contain_text("распознаёт сейчас")
        assert dialog.locator("h3").first.inner_text().startswith("GigaAM v3 RNN-T"), "the best one first"
        expect(row(page)).to_contain_text("225 МБ · MIT")

        row(page).get_by_role("button", name="Скачать и включить").click()
        expect(row(page)).to_contain_text("скачиваю… 0 %")
        expect(row(page).locator("progress")).to_be_visible()
        expect(row(page, "onnx:t-one").get_by_role("button")).to_be_disabled()
        assert bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
        assert hub.pause is not None
        hub.pause.set()
        expect(row(page)).to_contain_text("на диске · распознаёт сейчас")

        page.get_by_role("button", name="Закрыть").click()
        expect(page.locator("#serving")).to_have_text(f"Модель: {TITLE}")
        expect(page.locator("#embedded")).to_be_hidden()
        assert httpx.get(f"{server.url}/health", trust_env=False, timeout=60).json()["model"] == MODEL
        page.get_by_role("button", name="Eng").click()
        expect(page.locator("#serving")).to_have_text(f"Model: {TITLE}")


def test_what_goes_wrong_is_told_and_can_be_stopped(
    hub: Hub, start_glas: START, open_page: Callable[..., Page]
) -> None:
    with start_glas("nn_service", "web", HF_ENDPOINT=hub.address, GLAS_MODEL="embedded") as server:
        page = open_page(server)
        opened(page)
        row(page).get_by_role("button", name="Скачать и включить").click()
        row(page).get_by_role("button", name="Остановить").click()
        assert hub.pause is not None
        hub.pause.set()
        expect(row(page)).to_contain_text("остановлено; продолжится с того же места")

        row(page, "onnx:t-one").get_by_role("button", name="Скачать и включить").click()
        alert = row(page, "onnx:t-one").get_by_role("alert")
        expect(alert).to_contain_text("Модель сейчас неоткуда скачать.")
        expect(alert).to_contain_text("t-tech/T-one")

        row(page).get_by_role("button", name="Скачать и включить").click()
        expect(row(page)).to_contain_text("распознаёт до перезапуска: в GLAS_MODEL указана другая")


def test_only_administrators_are_offered_it(start_glas: START, open_page: Callable[..., Page]) -> None:
    anna, anna_entry = new_key("anna", "user")
    boss, boss_entry = new_key("boss", "admin")
    with start_glas("nn_service", "web", GLAS_API_KEYS=f"{anna_entry},{boss_entry}") as server:
        for key, is_offered in (("", False), (anna, False), (boss, True)):
            page = open_page(server, key)
            expect(page.locator("#serving")).to_have_text("Модель: Whisper base, русская")
            page.wait_for_load_state("networkidle")
            assert page.locator("#models-open").is_visible() is is_offered
            assert page.locator("#models-better").is_visible() is is_offered
