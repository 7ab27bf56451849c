"""All pages of a filled system, and the actions that show all their parts."""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FilePayload, Page, expect

from glas.domain.people import Locale
from glas.web.pages import PAGES
from tests.conftest import ROOT
from tests.system.conftest import RECOGNISED_MS
from tests.system.filled import ADMINS, Filled

BROWSER_LOCALES = {Locale.RU: "ru-RU", Locale.EN: "en-GB"}


def _as_it_is(page: Page) -> None:
    """Leave the page unchanged."""


def open_all(page: Page) -> None:
    """Open all closed parts of the page."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


@dataclass(frozen=True)
class View:
    """A page in one of its states.

    Attributes:
        name: of the view, for messages and files.
        path: where it lies.
        bring: brings it into its state.
        is_open: whether nobody need be signed in.
    """

    name: str
    path: str
    bring: Callable[[Page], None] = _as_it_is
    is_open: bool = False


@dataclass(frozen=True)
class Tabs:
    """A tab of a signed-in administrator, and a tab of a visitor who is not signed in."""

    member: Page
    guest: Page

    def show(self, view: View) -> Page:
        """Open a view in its tab."""
        page = self.guest if view.is_open else self.member
        page.goto(view.path)
        view.bring(page)
        return page


@contextlib.contextmanager
def open_tabs(browser: Browser, filled: Filled, locale: Locale = Locale.RU, **options: Any) -> Iterator[Tabs]:
    """Open the tabs in browsers with a language; `options` are Playwright's, for a new context."""
    given = {"base_url": filled.office.url, "locale": BROWSER_LOCALES[locale], "reduced_motion": "reduce", **options}
    with browser.new_context(**given) as member, browser.new_context(**given) as guest:
        for context in (member, guest):
            context.set_default_timeout(RECOGNISED_MS)
        tabs = Tabs(member.new_page(), guest.new_page())
        tabs.member.goto(filled.office.link(ADMINS[locale]))
        tabs.member.locator("form button.main").press("Enter")
        expect(tabs.member.locator(".entries")).to_be_visible()
        yield tabs


def views_of(filled: Filled, locale: Locale) -> list[View]:
    """Return all views of an administrator with this language."""
    own, person, message = filled.own[locale], filled.person, filled.message
    link = "/sign-in/" + "A" * 43
    brought = {"/review": heard}
    return [
        View("studio", "/", _as_it_is, is_open=True),
        View("studio-recording", "/", recording, is_open=True),
        View("studio-results", "/", recognised, is_open=True),
        View("studio-comparison", "/", compared, is_open=True),
        View("sign-in", "/sign-in", is_open=True),
        View("sign-in-link", link, is_open=True),
        View("sign-in-stale", link, refused, is_open=True),
        *(View(page.path.strip("/"), page.path, brought.get(page.path, open_all)) for page in PAGES),
        View("menu", "/home", menu),
        View("data-message", f"/data/messages/{own}", open_all),
        View("data-coins", "/data/coins"),
        View("data-forget", "/data/forget"),
        View("review-correcting", "/review", correcting),
        View("people-none", "/people?q=999999999999"),
        View("person", f"/people/{person}", open_all),
        View("person-message", f"/people/{person}/messages/{message}", open_all),
        View("model", f"/models/{filled.model}", open_all),
        View("audit-about", f"/audit?about={person}"),
        View("failure", "/data/messages/999999999"),
    ]


def refused(page: Page) -> None:
    """Open a sign-in link that is invalid."""
    page.locator("form button.main").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def recognised(page: Page) -> None:
    """Recognise two recordings; a third file is not audio."""
    files = [_file(ROOT / "samples" / f"message-{number}.ogg") for number in (1, 2)]
    choose(page, [*files, FilePayload(name="paper.pdf", mimeType="", buffer=b"%PDF-1.7 " + bytes(300))])
    expect(page.locator(".card[data-state=done]")).to_have_count(2, timeout=RECOGNISED_MS)
    expect(page.locator(".card[data-state=failed]")).to_have_count(1)


def recording(page: Page) -> None:
    """Begin to record; captions are shown."""
    page.locator("#microphone").press("Enter")
    expect(page.locator("#captions")).to_be_visible()


def compared(page: Page) -> None:
    """Recognise a recording with another model as well."""
    choose(page, [_file(ROOT / "samples" / "message-3.ogg")])
    card = page.locator(".card[data-state=done]", has_text="message-3.ogg")
    expect(card).to_have_count(1, timeout=RECOGNISED_MS)
    card.locator(".compare").select_option(index=1)
    expect(card.locator(".other-words")).not_to_be_empty(timeout=RECOGNISED_MS)


def menu(page: Page) -> None:
    """Open the navigation if it is a menu."""
    button = page.locator(".menu-open")
    if button.is_visible():
        button.press("Enter")
        expect(page.locator("#menu")).to_be_visible()


def choose(page: Page, files: list[FilePayload]) -> None:
    """Choose files as a person does."""
    page.set_input_files("#files", files)


def _file(path: Path) -> FilePayload:
    return FilePayload(name=path.name, mimeType="", buffer=path.read_bytes())


def heard(page: Page) -> None:
    """Wait until a recording can be played."""
    expect(page.locator("#review")).to_have_attribute("data-heard", re.compile(r"\d+"))


def correcting(page: Page) -> None:
    """Begin a correction."""
    heard(page)
    page.keyboard.press("2")
    expect(page.locator("#field")).to_be_focused()
