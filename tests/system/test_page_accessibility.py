"""Test the accessibility of every page: axe-core, keyboard, size of buttons, no cut-off text."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from glas.domain.people import Locale
from glas.settings import Settings
from tests.conftest import Sample
from tests.models.gigaam_layout import gigaam_ctc
from tests.system.filled import Filled, open_filled
from tests.system.views import heard, open_tabs, recognised, views_of

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
# The narrowest phone; a window of 1280 pixels at a zoom of 200 %.
NARROW = ({"width": 320, "height": 640}, {"width": 640, "height": 400})
FINGER_PX = 44

AXE_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
AXE = "options => axe.run(options).then(({ violations }) => violations)"
OF_COLOURS = ("color-contrast", "link-in-text-block")
# Colours have changed by then.
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# What can be used on the page now. A control in a label is as large as the label.
CONTROLS = """() => {
  const wanted = 'a[href], button, input, select, textarea, summary, audio, [tabindex="0"]';
  const all = [...document.querySelectorAll(wanted)];
  window.controls = all.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
  return window.controls.map((one) => one.outerHTML.slice(0, 160));
}"""
FOCUSED = """async () => {
  await new Promise(requestAnimationFrame);
  const it = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  const { top, bottom, left, right } = it.getBoundingClientRect();
  return {
    place: window.controls.indexOf(it),
    isMarked: it.matches('audio') || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2),
    isInSight: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth && bottom > top && right > left,
  };
}"""
# A link within a sentence is as high as the line; a region that scrolls is no target.
SMALL = """least => window.controls
  .filter((one) => !one.matches('[role=region], pre, main, .skip'))
  .filter((one) => !(one.matches('a') && one.parentElement.innerText.trim() !== one.innerText.trim()
    && getComputedStyle(one).display === 'inline'))
  .map((one) => one.closest('label') ?? one)
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, { width, height }]) => Math.min(width, height) < least - 0.5)
  .map(([one, { width, height }]) => `${width} × ${height}: ${one.outerHTML.slice(0, 160)}`)
"""
# Where the system gives the colours, a background shows nothing.
BARE = """() => [...document.querySelectorAll('button, [aria-pressed=true], [aria-current]')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => {
    const { borderStyle, borderWidth, outlineStyle } = getComputedStyle(one);
    const isOn = one.matches('[aria-pressed=true], [aria-current]');
    return outlineStyle === 'none' && (isOn || borderStyle === 'none' || parseFloat(borderWidth) === 0);
  })
  .map((one) => one.outerHTML.slice(0, 160))
"""
# Words of a plot that run into each other.
OVERLAPPING = """() => [...document.querySelectorAll('svg.plot')].flatMap((plot) => {
  const words = [...plot.querySelectorAll('text')].map((one) => [one.textContent, one.getBoundingClientRect()]);
  return words.flatMap(([one, a], place) => words.slice(place + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
    .map(([other]) => `${plot.getAttribute('aria-label')}: ${one} × ${other}`));
})"""
# The frame of the pages is one line, however narrow it is.
BROKEN_HEADER = """() => {
  const height = document.querySelector('header.frame')?.getBoundingClientRect().height ?? 0;
  return height > 80 ? [`the header is ${height} pixels high`] : [];
}"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> Iterator[Filled]:
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("filled") / "data", model="embedded")
    settings.models_dir.mkdir(parents=True)
    gigaam_ctc(settings.models_dir / "onnx--gigaam-v3-ctc")
    with open_filled(settings, samples, second="onnx:gigaam-v3-ctc") as opened:
        yield opened


def _listed(faults: dict[str, list[str]]) -> str:
    return "\n".join(f"{view}: {fault}" for view, found in faults.items() for fault in found)


def _serious(page: Page, **options: object) -> list[str]:
    """Return the serious and critical results of axe-core, with element and reason."""
    # Without `preload` it does not wait for the metadata of recordings.
    found = page.evaluate(AXE, {"resultTypes": ["violations"], "preload": False, **options})
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("locale", Locale)
def test_axe_finds_nothing_serious_and_the_keyboard_reaches_everything(
    browser: Browser, filled: Filled, locale: Locale
) -> None:
    """Colours and controls are the same in both languages, so they are tested in Russian only."""
    faults: dict[str, list[str]] = {}
    with open_tabs(browser, filled, locale, viewport=WIDE) as tabs:
        for view in views_of(filled, locale):
            page = tabs.show(view)
            page.evaluate(AXE_SCRIPT)
            if locale is Locale.RU:
                found = [*_serious_in_any_colours(page), *_out_of_reach(page)]
            else:
                found = _serious(page, rules={name: {"enabled": False} for name in OF_COLOURS})
            if found:
                faults[view.name] = found
    assert not faults, _listed(faults)


def _serious_in_any_colours(page: Page) -> list[str]:
    """Return faults in light, dark and system colours; in dark colours, only rules about colours are checked."""
    _show_in(page, color_scheme="light", forced_colors="none")
    found = _serious(page)
    _show_in(page, color_scheme="dark")
    found += _serious(page, runOnly=OF_COLOURS)
    _show_in(page, forced_colors="active")
    found += page.evaluate(BARE)
    _show_in(page, color_scheme="light", forced_colors="none")
    return found


def _show_in(page: Page, **media: Any) -> None:
    page.emulate_media(**media)
    page.evaluate(SETTLED)


def _out_of_reach(page: Page) -> list[str]:
    """Press Tab through the page; return elements without focus, and elements that are hidden while they have it."""
    controls = page.evaluate(CONTROLS)
    missing = dict(enumerate(controls))
    found = []
    for _ in range(6 * len(controls) + 10):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        html = missing.pop(focused["place"], None)
        if html and not (focused["isMarked"] and focused["isInSight"]):
            found.append(f"{focused}: {html}")
        if not missing:
            break
    return [*found, *(f"never reached: {html}" for html in missing.values())]


def test_fingers_hit_and_nothing_is_cut(browser: Browser, filled: Filled) -> None:
    """The sizes are a phone, a narrow phone, a zoom of 200 %, and letters of twice the size."""
    faults: dict[str, list[str]] = {}
    with open_tabs(browser, filled, viewport=PHONE, has_touch=True, is_mobile=True) as tabs:
        for view in views_of(filled, Locale.RU):
            page = tabs.show(view)
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.evaluate(CONTROLS)
            found = page.evaluate(SMALL, FINGER_PX) + page.evaluate(OVERLAPPING)
            for size in NARROW:
                page.set_viewport_size(size)  # type: ignore[arg-type]
                found += _beside(page, size["width"]) + page.evaluate(BROKEN_HEADER)
            page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            found += _beside(page, WIDE["width"])
            if found:
                faults[view.name] = found
    assert not faults, _listed(faults)


def _beside(page: Page, width: int) -> list[str]:
    """Return whether something is outside of the width of the screen."""
    needed = page.evaluate("document.documentElement.scrollWidth")
    return [] if needed <= width else [f"needs {needed} pixels of {width}"]


def test_what_was_loaded_works_without_the_server(browser: Browser, filled: Filled) -> None:
    """Recordings can be played, texts corrected, copied and saved; other actions show an error."""
    with open_tabs(browser, filled) as tabs:
        page = tabs.guest
        context = page.context
        page.goto("/")
        recognised(page)
        context.set_offline(True)
        card = page.locator(".card[data-state=done]").first
        card.locator(".word").last.click()
        expect(card.locator(".spoken")).to_have_count(1)
        card.get_by_role("button", name="Править").click()
        card.get_by_role("textbox").fill("другие слова")
        card.get_by_role("button", name="Готово").click()
        with page.expect_download() as saved:
            card.get_by_role("button", name="TXT").click()
        assert saved.value.path().read_text(encoding="utf-8").strip() == "другие слова"
        page.get_by_role("button", name="Eng").click()
        expect(card.get_by_role("button", name="Edit")).to_be_visible()
        page.get_by_role("button", name="Рус").click()
        page.locator(".chip").first.click()
        expect(page.locator("#serving")).to_have_text("Сервер не отвечает")

        page = tabs.member
        context = page.context
        page.goto("/review")
        heard(page)
        expect(page.locator("#review")).to_have_attribute("data-ready", re.compile(r"\d+"))
        current = page.locator("#review").get_attribute("data-item") or ""
        context.set_offline(True)
        page.keyboard.press("Space")
        expect(page.locator("#position")).to_have_text(re.compile("0:0[1-9]"))
        page.keyboard.press("6")
        expect(page.locator("#told")).to_contain_text("не дошёл до сервера")
        expect(page.locator("#review")).to_have_attribute("data-item", current)
