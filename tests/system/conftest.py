"""Headless Chromium for the tests of the page: a microphone that plays a sample, checks of every tab; an `.env`."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from tests.conftest import ROOT, Sample, Server, as_wav
from tests.system.chromium import FLAGS, MISSING, find_chromium
from tests.system.composition import dotenv
from tests.telegram.world import TOKEN

RECOGNISED_MS = 60_000
EXPECTED_MS = 30_000
INSECURE = "http://glas.test"

# What the page keeps in the browser stays out of the next test.
FORGET = """() => new Promise((done) => {
  const request = indexedDB.deleteDatabase('glas-results');
  for (const end of ['success', 'error', 'blocked']) request.addEventListener(end, done);
})"""


@pytest.fixture(scope="module")
def browser(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone plays the first sample repeatedly."""
    with open_browser(samples[:1], tmp_path_factory.mktemp("microphone")) as running:
        yield running


@contextlib.contextmanager
def open_browser(said: Sequence[Sample], directory: Path, *, pause_s: float = 0.0) -> Iterator[Browser]:
    """Open a browser whose microphone plays samples, see `hearing`."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=EXPECTED_MS)
    flags = [*FLAGS, hearing(said, directory, pause_s=pause_s)]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable, args=flags) as running:
        yield running


def hearing(said: Sequence[Sample], directory: Path, *, pause_s: float = 0.0) -> str:
    """Return Chromium's flag for a microphone that plays samples repeatedly, each followed by a pause."""
    silence = np.zeros(round(pause_s * 16_000), np.float32)
    sounds = [block for one in said for block in (*decode_blocks(one.path.read_bytes(), DecodeLimits()), silence)]
    heard = directory / "voice.wav"
    heard.write_bytes(as_wav(np.concatenate(sounds)))
    return f"--use-file-for-fake-audio-capture={heard}"


class Watch:
    """Collects the requests of a page and its error messages."""

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
    """A browser session with the size of a telephone, for the module."""
    with browser.new_context(
        base_url=server.url, viewport={"width": 360, "height": 740}, permissions=["microphone"], locale="ru-RU"
    ) as opened:
        opened.set_default_timeout(RECOGNISED_MS)
        yield opened


@pytest.fixture
def blank(context: BrowserContext, server: Server) -> Iterator[Page]:
    """An empty tab; at the end only our server may have got requests, and there may be no error messages."""
    with context.new_page() as page:
        watch = Watch(page)
        yield page
        if page.url.startswith(server.url):
            page.evaluate(FORGET)
        ours = (f"{server.url}/", f"blob:{server.url}/", f"{INSECURE}/")
        assert [url for url in watch.asked if not url.startswith(ours)] == []
        assert watch.complaints == []


@pytest.fixture
def page(blank: Page) -> Page:
    """A tab with the page."""
    blank.goto("/")
    return blank


@pytest.fixture(scope="session")
def variables_of_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables that `make env` writes, with the bot's token."""
    directory = tmp_path_factory.mktemp("env")
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, directory)
    subprocess.run(["make", "env"], cwd=directory, check=True, capture_output=True)
    assert (directory / ".env").stat().st_mode & 0o777 == 0o600
    return dotenv(directory / ".env") | {"TELEGRAM_TOKEN": TOKEN}
