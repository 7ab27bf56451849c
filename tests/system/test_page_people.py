"""The pages about data in a real browser: a person deletes, an administrator bans and forgets."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from glas.domain.audit import Action
from glas.domain.errors import NotFoundError
from glas.domain.people import Role
from glas.settings import Settings
from tests.conftest import Sample
from tests.parts.voices import HEARD, someone
from tests.system.conftest import Watch
from tests.system.reviewing import Office, open_office

TIMEOUT_MS = 15_000
ADMIN = someone()
NARROW = {"width": 320, "height": 640}
# Whatever a finger presses; links within a sentence are as high as its lines.
PRESSED = "main :is(button, a.plain, a.main, .tall, summary, input:not([type=hidden]), select, textarea, audio)"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("office") / "data")
    with open_office(settings) as opened:
        opened.pages.app.state.site.visitors._admins = frozenset({ADMIN})
        db_assist = opened.pages.services.db_assist
        opened.do(db_assist.register(ADMIN))
        opened.do(db_assist.set_role(ADMIN, Role.ADMIN))
        yield opened
        opened.clear()


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator[Callable[..., Page]]:
    """Sign a person in; afterwards nobody else was asked, and nothing was complained about."""
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def open_(tg_id: int) -> Page:
        context = browser.new_context(base_url=office.url, locale="ru-RU", viewport=NARROW, has_touch=True)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        watches.append(Watch(page))
        page.goto(office.link(tg_id))
        page.get_by_role("button", name="Войти").press("Enter")
        return page

    yield open_
    for watch in watches:
        assert [url for url in watch.asked if not url.startswith(f"{office.url}/")] == []
        assert watch.complaints == []
    for context in contexts:
        context.close()


def fits(page: Page) -> bool:
    """Whether nothing lies beside the screen, and a finger can press everything."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    for one in page.locator(PRESSED).all():
        if one.is_visible():
            box = one.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (page.url, one.evaluate("it => it.outerHTML"))
    return True


def test_a_person_deletes_a_message_and_then_everything(
    office: Office, enter: Callable[..., Page], samples: list[Sample]
) -> None:
    """By keyboard; the sound of the message plays before."""
    first = office.send(samples[0], HEARD)
    anna = office.speakers.pop()
    db_assist = office.pages.services.db_assist
    assert office.do(db_assist.messages_of(anna)).items[0].id == first
    page = enter(anna)
    page.get_by_role("link", name="Мои данные").first.press("Enter")
    expect(page.locator(".message")).to_have_count(1)
    assert fits(page)
    # A promise of the page, since its policy forbids to evaluate text again and again.
    page.locator("audio").evaluate(
        "it => new Promise(done => {"
        " it.addEventListener('timeupdate', () => it.currentTime > 0 && done()); it.play(); })"
    )
    page.get_by_role("link", name="Открыть").press("Enter")
    expect(page.get_by_role("heading", name=f"Запись № {first}")).to_be_visible()
    page.locator("summary", has_text="Удалить эту запись").press("Enter")
    assert fits(page)
    page.get_by_role("button", name="Да, удалить запись").press("Enter")
    expect(page.get_by_text("Записей нет.")).to_be_visible()
    with pytest.raises(NotFoundError):
        office.do(db_assist.transcription(first))

    page.get_by_role("link", name="Удалить всё").press("Enter")
    assert fits(page)
    page.get_by_label(re.compile("Чтобы подтвердить")).fill("нет")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("удалить")
    page.get_by_label(re.compile("Чтобы подтвердить")).fill("Удалить")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Удалено всё")
    with pytest.raises(NotFoundError):
        office.do(db_assist.user(anna))
    page.goto("/data")
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_an_administrator_bans_and_forgets(office: Office, enter: Callable[..., Page], samples: list[Sample]) -> None:
    """And both stand in the audit."""
    number = office.send(samples[0], HEARD)
    boris = office.speakers[-1]
    db_assist = office.pages.services.db_assist
    page = enter(ADMIN)
    for title in ("Показатели", "Журнал", "Люди"):
        page.get_by_role("navigation").get_by_role("link", name=title).press("Enter")
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        assert fits(page)
    page.get_by_role("searchbox").fill(str(number))
    page.keyboard.press("Enter")
    page.get_by_role("link", name=str(boris)).press("Enter")
    page.get_by_role("link", name=str(number), exact=True).press("Enter")
    expect(page.get_by_text(HEARD).first).to_be_visible()
    assert fits(page)
    page.go_back()
    page.get_by_role("button", name="Заблокировать", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Разблокировать")).to_be_visible()
    assert office.do(db_assist.user(boris)).is_banned
    page.get_by_role("button", name="Разблокировать").press("Enter")
    expect(page.get_by_role("button", name="Заблокировать", exact=True)).to_be_visible()
    page.locator("summary", has_text="Удалить все данные").press("Enter")
    assert fits(page)
    page.get_by_label(re.compile("Чтобы подтвердить")).fill(str(boris))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/people$"))
    with pytest.raises(NotFoundError):
        office.do(db_assist.user(boris))
    page.get_by_role("navigation").get_by_role("link", name="Журнал").press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text("удаление всех данных")
    found = [one.action for one in office.do(db_assist.audit()).items]
    assert found == [Action.FORGET, Action.BAN, Action.BAN, Action.READ_MESSAGE]
