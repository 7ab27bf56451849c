"""A person's and an administrator's way through all pages in a real browser, and what nobody may do there."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from glas.domain.messages import Score
from glas.domain.people import Locale, Purpose, Role
from glas.settings import Settings
from tests.conftest import Sample
from tests.parts.voices import HEARD, message, someone
from tests.system.conftest import RECOGNISED_MS, Watch
from tests.system.reviewing import Office, open_office

ADMIN = someone()
TIMEOUT_MS = 20_000
SPOKEN_MS = 2_500
# A page of somebody else on the same host, at another port: for a browser that is the same site, so it sends cookies.
FOREIGN = "http://127.0.0.1:9/"
SENT_BY_FOREIGN = """<form method="post" action="{url}/language"><input name="language" value="en">
<button>Win a prize</button></form>"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "data"


@pytest.fixture(scope="module")
def office(data_dir: Path) -> Iterator[Office]:
    settings = Settings(_env_file=None, data_dir=data_dir)
    with open_office(settings, admins=frozenset({ADMIN}), has_recogniser=True) as opened:
        db_assist = opened.pages.services.db_assist
        opened.do(db_assist.register(ADMIN))
        opened.do(db_assist.set_role(ADMIN, Role.ADMIN))
        yield opened


@pytest.fixture
def open_context(browser: Browser, office: Office) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser of its own; `options` are Playwright's."""
    opened: list[BrowserContext] = []

    def open_(**options: object) -> BrowserContext:
        given = {"base_url": office.url, "locale": "ru-RU", "permissions": ["microphone"], **options}
        context = browser.new_context(**given)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        opened.append(context)
        return context

    yield open_
    for context in opened:
        context.close()


def signed_in(context: BrowserContext, office: Office, tg_id: int) -> Page:
    page = context.new_page()
    page.goto(office.link(tg_id))
    page.get_by_role("button", name="Войти").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Здравствуйте!")).to_be_visible()
    return page


def slow_down(page: Page) -> None:
    """Let scripts run at a third of their speed, and let each answer take a third of a second."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 3})
    session.send("Network.enable")
    slow = {"offline": False, "latency": 300, "downloadThroughput": 100_000, "uploadThroughput": 100_000}
    session.send("Network.emulateNetworkConditions", slow)


def test_from_the_microphone_to_a_rating(
    office: Office, open_context: Callable[..., BrowserContext], samples: list[Sample]
) -> None:
    """Where scripts and network are slow, too: record, read, edit; then rate and correct what the bot has kept."""
    context = open_context()
    page = context.new_page()
    watch = Watch(page)
    slow_down(page)
    page.goto("/")
    microphone = page.get_by_role("button", name="Записать голос")
    microphone.press("Enter")
    expect(page.locator("#microphone")).to_have_attribute("aria-label", "Закончить и распознать")
    page.wait_for_timeout(SPOKEN_MS)
    page.locator("#microphone").press("Enter")
    card = page.locator(".card[data-state=done]")
    expect(card.locator(".word").first).to_be_visible(timeout=2 * RECOGNISED_MS)
    card.get_by_role("button", name="Править").press("Enter")
    card.get_by_role("textbox").fill("совсем другие слова")
    card.get_by_role("textbox").press("Control+Enter")
    expect(card.locator(".transcript")).to_have_text("совсем другие слова")

    number = office.send(samples[0], HEARD)
    page = signed_in(context, office, office.speakers[-1])
    slow_down(page)
    page.goto(f"/data/messages/{number}")
    page.get_by_role("button", name="Мелкие ошибки").press("Enter")
    expect(page.get_by_role("button", name="Мелкие ошибки")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("textbox").fill(f"{HEARD} наше")
    page.get_by_role("button", name="Сохранить").press("Enter")
    expect(page.locator("p.words").first).to_have_text(f"{HEARD} наше")
    kept = office.do(office.pages.services.db_assist.transcription(number))
    assert (kept.score, kept.corrected_text) == (Score.NORMAL, f"{HEARD} наше")
    assert watch.complaints == []


def test_a_persons_pages_need_no_script(
    office: Office, open_context: Callable[..., BrowserContext], samples: list[Sample]
) -> None:
    """Read, rate, consent, change the language; the page for recordings says what it lacks."""
    number = office.send(samples[0], HEARD)
    person, db_assist = office.speakers[-1], office.pages.services.db_assist
    page = signed_in(open_context(java_script_enabled=False), office, person)
    page.get_by_role("link", name="Мои данные").first.press("Enter")
    page.get_by_role("button", name="Отозвать разрешение").press("Enter")
    expect(page.get_by_text("Сейчас: не разрешено.")).to_be_visible()
    page.get_by_role("link", name="Открыть").press("Enter")
    page.get_by_role("button", name="Всё верно").press("Enter")
    expect(page.get_by_role("button", name="Всё верно")).to_have_attribute("aria-pressed", "true")
    page.goto("/home")
    page.get_by_role("button", name="English").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Welcome!")).to_be_visible()
    page.goto("/")
    expect(page.locator("noscript p")).to_contain_text("Странице нужен JavaScript")
    kept = office.do(db_assist.user(person))
    assert (kept.locale, Purpose.TRAINING in kept.consents) == (Locale.EN, False)
    assert office.do(db_assist.transcription(number)).score is Score.BEST


def test_a_link_lets_in_once_and_shows_what_its_person_may_see(
    office: Office, open_context: Callable[..., BrowserContext]
) -> None:
    """Whoever presses the button later stays outside; a reviewer is no administrator; signing out ends it."""
    reviewer = office.reviewer()
    link = office.link(reviewer)
    page, thief = open_context().new_page(), open_context().new_page()
    for one in (page, thief):
        one.goto(link)
    page.get_by_role("button", name="Войти").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Здравствуйте!")).to_be_visible()
    thief.get_by_role("button", name="Войти").press("Enter")
    expect(thief.get_by_role("alert")).to_contain_text("уже использована")
    thief.goto("/home")
    expect(thief).to_have_url(re.compile("/sign-in$"))

    titles = page.locator("header nav li a").all_inner_texts()
    assert titles == ["Обзор", "Мои данные", "Проверка"]
    for path in ("/dashboard", "/models", "/people", f"/people/{ADMIN}", "/audit"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403, path
        expect(page.get_by_role("heading", level=1, name="Не получилось")).to_be_visible()
    page.get_by_role("button", name="Выйти").press("Enter")
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.go_back()
    page.goto("/review")
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_a_foreign_page_changes_nothing(office: Office, open_context: Callable[..., BrowserContext]) -> None:
    """Although the browser sends the cookie with its form; its scripts can read nothing either."""
    person = office.reviewer()
    page = signed_in(open_context(), office, person)
    page.route(
        f"{FOREIGN}**",
        lambda route: route.fulfill(content_type="text/html", body=SENT_BY_FOREIGN.format(url=office.url)),
    )
    page.goto(FOREIGN)
    with page.expect_response(f"{office.url}/language") as refused:
        page.get_by_role("button", name="Win a prize").press("Enter")
    assert "glas-session=" in refused.value.request.all_headers().get("cookie", "")
    assert refused.value.status == 403
    expect(page.get_by_text("Обновите её и повторите.")).to_be_visible()
    page.goto(FOREIGN)
    read = "url => fetch(url, { credentials: 'include' }).then((it) => it.text(), () => 'refused')"
    assert page.evaluate(read, f"{office.url}/data") == "refused"
    assert office.do(office.pages.services.db_assist.user(person)).locale is Locale.RU


def _numbers(cells: list[str]) -> list[float]:
    """The cells of a row that are numbers, as they are written on a Russian page."""
    found = [re.sub(r"\s", "", cell).replace(",", ".") for cell in cells]
    return [float(cell) for cell in found if re.fullmatch(r"-?\d+(\.\d+)?", cell)]


def _of_statement(card: str, rows: list[tuple[object, ...]]) -> list[list[float]]:
    """The numbers of a card's table, from the rows of its statement."""
    if card in ("days", "scores"):
        rows.reverse()  # the newest first
    numbers = [[value for value in row if isinstance(value, int | float)] for row in rows]
    match card:
        case "scores":
            return [[sum(row)] for row in numbers]
        case "errors":
            return [row[:1] for row in numbers]
        case "coins":
            return [[entries, round(hundredths / 100, 2)] for entries, hundredths in numbers]
        case _:
            return [[round(value, 1) for value in row] for row in numbers]


def test_the_dashboards_numbers_are_those_of_its_statements(
    office: Office, open_context: Callable[..., BrowserContext], samples: list[Sample], data_dir: Path
) -> None:
    """Whoever copies a statement from the page into sqlite3 gets the numbers that stand beside it."""
    db_assist = office.pages.services.db_assist
    for sample, score in zip(samples, (Score.BEST, Score.NORMAL, Score.BAD), strict=False):
        number = office.send(sample, HEARD)
        office.do(db_assist.rate(number, office.speakers[-1], score))
        office.do(db_assist.correct(number, office.speakers[-1], f"{HEARD} наше"))
    failed = office.do(db_assist.create_transcription(message(office.speakers[-1])))
    office.do(db_assist.fail(failed.id, "audio_corrupt"))
    page = signed_in(open_context(), office, ADMIN)
    page.goto("/dashboard?fresh=true")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    with closing(sqlite3.connect(f"file:{data_dir / 'glas.db'}?mode=ro", uri=True)) as database:
        for name in ("days", "scores", "training", "coins", "errors"):
            card = page.locator(f".card-{name}")
            rows = database.execute(card.locator("pre").inner_text().partition("\n\n")[0]).fetchall()
            shown = [_numbers(row.locator("td").all_inner_texts()) for row in card.locator("tbody tr").all()]
            assert shown == _of_statement(name, rows) != [], name
        now = page.locator("section[aria-labelledby=now]")
        ((n_waiting, _),) = database.execute(now.locator("pre").first.inner_text()).fetchall()
        expect(now.locator("dd").nth(1)).to_have_text(str(n_waiting))
    page.locator(".card-errors").get_by_role("link").first.press("Enter")
    expect(page.get_by_role("heading", level=1, name=f"Запись № {failed.id}")).to_be_visible()
