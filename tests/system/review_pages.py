"""Pages of reviewers in a browser: sign in, wait for another message, measure how long a switch takes."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.system.conftest import Watch
from tests.system.reviewing import Office

TIMEOUT_MS = 15_000
# From the key to the next recording, whose sound is there: measured in the page, frame by frame.
SWITCH = """key => new Promise((resolve) => {
  const { dataset } = document.getElementById('review');
  const before = dataset.item;
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', { code: key, key: key.at(-1), bubbles: true }));
  const look = () => {
    if (dataset.item !== before && dataset.heard === dataset.item) resolve(performance.now() - began);
    else requestAnimationFrame(look);
  };
  look();
})"""


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator[Callable[..., Page]]:
    """Sign a person in by a link and open the page; there may be no foreign requests and no error messages."""
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def open_(tg_id: int, **options: object) -> Page:
        context = browser.new_context(base_url=office.url, **{"locale": "ru-RU", **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        watches.append(Watch(page))
        page.goto(office.link(tg_id))
        page.get_by_role("button", name="Войти").press("Enter")
        page.get_by_role("link", name="Проверка").first.press("Enter")
        expect(page.locator("#review")).to_have_attribute("data-item", re.compile(r"\d*"))
        return page

    yield open_
    for watch in watches:
        assert [url for url in watch.asked if not url.startswith((f"{office.url}/", f"blob:{office.url}/"))] == []
        assert watch.complaints == []
    for context in contexts:
        context.close()


def number(page: Page) -> int:
    """Return the number of the message on the page."""
    return int(page.locator("#review").get_attribute("data-item") or "0")


def after(page: Page, former: int) -> None:
    """Wait for another message, or until no message waits."""
    expect(page.locator("#review")).not_to_have_attribute("data-item", str(former))
    expect(page.locator("#empty")).not_to_have_text("Загружаю…")


def switched(page: Page, key: str) -> float:
    """Press a key while the server does not answer; return the milliseconds until the next recording plays."""
    asked: list[Route] = []
    page.route("**/review/items**", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks functions
    waited_ms: float = page.evaluate(SWITCH, key)
    while asked:
        asked.pop(0).continue_()
    page.unroute("**/review/items**")
    return waited_ms
