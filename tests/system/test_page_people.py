"""Test the pages for administrators and about data in a real browser."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from glas.clients.learning_bodies import StepEntry
from glas.domain.audit import Action
from glas.domain.errors import NotFoundError
from glas.domain.model_records import LearningStep, ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.people import Role
from glas.engines.catalogue import choose
from glas.engines.versions import ModelVersions
from glas.localisation import catalogue
from glas.recognition.gate_report import write_report
from glas.recognition.references import ReferenceSet, Utterance
from glas.settings import Settings
from tests.conftest import Sample
from tests.models.swapped import write_weights
from tests.parts.judged import entry
from tests.parts.judged import judged as judged_trial
from tests.parts.voices import HEARD, someone
from tests.system.conftest import Watch
from tests.system.reviewing import Office, open_office

TIMEOUT_MS = 15_000
ADMIN = someone()
NARROW = {"width": 320, "height": 640}
# Whatever a finger presses; links within a sentence are as high as its lines.
PRESSED = "main :is(button, a.plain, a.main, .tall, summary, input:not([type=hidden]), select, textarea, audio)"


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two small models, the first of which is chosen."""
    directory = tmp_path_factory.mktemp("office") / "data" / "models"
    directory.mkdir(parents=True)
    for turn in (0, 1):
        write_weights(directory / f"small-{turn}", turn)
    choose(f"onnx:{directory / 'small-0'}", directory)
    return directory


@pytest.fixture(scope="module")
def office(models_dir: Path) -> Iterator[Office]:
    settings = Settings(_env_file=None, data_dir=models_dir.parent)
    assert settings.models_dir == models_dir
    with open_office(settings, has_recogniser=True) as opened:
        opened.pages.app.state.site.visitors._admins = frozenset({ADMIN})
        db_assist = opened.pages.services.db_assist
        opened.do(db_assist.register(ADMIN))
        opened.do(db_assist.set_role(ADMIN, Role.ADMIN))
        yield opened
        opened.clear()


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator[Callable[..., Page]]:
    """Sign a person in; at the end there may be no foreign requests and no error messages."""
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
    """Return whether everything fits into the width, and all buttons are large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    for one in page.locator(PRESSED).all():
        if one.is_visible():
            box = one.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (page.url, one.evaluate("it => it.outerHTML"))
    return True


def go(page: Page, title: str) -> None:
    """Choose a page in the navigation, which is a menu in a narrow window."""
    navigation = page.locator("header nav")
    expect(navigation.get_by_role("link")).to_have_count(0)
    navigation.get_by_role("button").press("Enter")
    navigation.get_by_role("link", name=title).press("Enter")


def test_a_person_deletes_a_message_and_then_everything(
    office: Office, enter: Callable[..., Page], samples: list[Sample]
) -> None:
    """The keyboard is used; the sound of the message is played before."""
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
    expect(page.get_by_label(re.compile("Чтобы подтвердить"))).to_be_visible()
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
    """Both actions are in the audit."""
    number = office.send(samples[0], HEARD)
    boris = office.speakers[-1]
    db_assist = office.pages.services.db_assist
    page = enter(ADMIN)
    for title in ("Показатели", "Журнал", "Люди"):
        go(page, title)
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
    go(page, "Журнал")
    expect(page.locator("tbody tr").first).to_contain_text("удаление всех данных")
    found = [one.action for one in office.do(db_assist.audit()).items]
    assert found == [Action.FORGET, Action.BAN, Action.BAN, Action.READ_MESSAGE]


def judged(office: Office, models_dir: Path, sample: Sample) -> None:
    """Record a round of learning with a model that passed, and a report with one recording."""
    former, model = (
        ModelRef(name=f"onnx:{place.resolve()}", version=ModelVersions(models_dir).version_in(place))
        for place in (models_dir / "small-0", models_dir / "small-1")
    )
    utterance = Utterance(sample.path, sample.path.name, sample.text, "anna")
    tried = judged_trial([utterance])
    tried = tried._replace(verdict=tried.verdict.model_copy(update={"candidate": model}))
    folder = models_dir / "promotions" / f"now-{model.version}"
    write_report(folder, tried, ReferenceSet("test", (utterance,)), catalogue("ru"))
    lineage = {"recipe": {"fit": {"epochs": 6}}, "result": {"minutes_learnt": 40.5, "chosen": {"share": 0.4}}}
    passed = entry("-", ModelState.CANDIDATE, dataset_version="3f" * 32, lineage=lineage)
    db_assist = office.pages.services.db_assist
    office.do(
        db_assist.record_model(
            passed.model_copy(update={"name": model.name, "version": model.version, "former": former})
        )
    )
    now = datetime.now(UTC)
    for number, step in enumerate(LearningStep):
        began = now + timedelta(minutes=number)
        done = StepEntry(began=began, finished=began + timedelta(seconds=61), details={"minutes": 40.5})
        office.do(db_assist.record_step("3f" * 32, step, done))


def test_an_administrator_lets_a_model_serve_and_takes_it_back(
    office: Office, enter: Callable[..., Page], samples: list[Sample], models_dir: Path
) -> None:
    """The administrator reads the gate's report first; the running service uses the model."""
    judged(office, models_dir, samples[0])
    nn_service = office.pages.services.nn_service
    assert nn_service is not None
    page = enter(ADMIN)
    go(page, "Модели")
    expect(page.get_by_text("Сейчас распознаёт small-0")).to_be_visible()
    expect(page.locator(".steps li")).to_have_count(len(LearningStep))
    assert fits(page)
    page.locator(".models").get_by_role("link", name="small-1").press("Enter")
    expect(page.locator(".checks tbody tr")).to_have_count(9)
    assert fits(page)

    page.get_by_role("link", name=re.compile("^Отчёт")).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("small-1")
    assert page.evaluate("getComputedStyle(document.querySelector('td')).borderBottomStyle") == "solid"
    expect(page.locator("svg rect").first).to_be_visible()
    page.locator("audio").first.evaluate(
        "it => new Promise(done => {"
        " it.addEventListener('timeupdate', () => it.currentTime > 0 && done()); it.play(); })"
    )
    page.go_back()

    page.get_by_role("button", name="Включить", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Вернуть прежнюю модель")).to_be_visible()
    assert office.do(nn_service.health()).model.endswith("/small-1")
    assert fits(page)
    page.get_by_label(re.compile("Причина")).fill("хуже слышит числа")
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name=re.compile("хуже слышит числа"))).to_be_visible()
    assert office.do(nn_service.health()).model.endswith("/small-0")
    assert fits(page)
    go(page, "Журнал")
    expect(page.locator("tbody tr", has_text="решение о модели")).to_have_count(2)
    expect(page.locator("tbody tr", has_text="открыт отчёт о модели")).to_have_count(1)
