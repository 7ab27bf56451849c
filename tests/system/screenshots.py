"""Draw all pages of a small system: wide and on a phone, light and dark, the main pages also in English.

`make screenshots` runs it.

The recordings are people's, from `samples/`; the texts are what the embedded model hears in them. All of it comes
through the routes of the parts. Then times are moved back over a month, since the routes know only now.

    python -m tests.system.screenshots DIRECTORY    # all pictures as PNG; those of the documents go to docs/pictures
"""

import base64
import json
import logging
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from glas.domain.people import Locale
from glas.settings import Settings
from tests.conftest import ROOT, Sample, fetch_whisper_base
from tests.parts.recordings import in_noise
from tests.system.chromium import FLAGS, MISSING, find_chromium
from tests.system.conftest import RECOGNISED_MS, hearing
from tests.system.filled import open_filled
from tests.system.views import Tabs, View, open_all, open_tabs, recording, views_of

PICTURES: Final = ROOT / "docs" / "pictures"
SIZES: Final[dict[str, dict[str, Any]]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SHOWN: Final = {
    "studio-results-wide-light": "studio",
    "review-correcting-wide-dark": "review",
    "dashboard-wide-light": "dashboard",
    "person-wide-light": "person",
}
"""Pictures that the documents show, with their names there."""
IN_ENGLISH: Final = {"studio", "studio-results", "home", "data", "review", "dashboard", "models", "person", "audit"}
"""Views that are drawn in English as well, in light colours."""
_QUALITY: Final = 80
_N_PEOPLE: Final = 12
_SECOND: Final = "whisper:openai/whisper-base"
_NOISY: Final = (2, 4)
_SNR_DB: Final = 3.0
_CAPTIONS_MS: Final = 60_000
_NAMES: Final = ("Голосовое от Ани.ogg", "Совещание, начало.ogg", "Список покупок.ogg")


def main(directory: Path) -> None:
    """Fill a system and draw its pages."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    executable = find_chromium()
    if executable is None:
        sys.exit(MISSING)
    for place in (directory, PICTURES):
        place.mkdir(parents=True, exist_ok=True)
    lines = (ROOT / "samples" / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    samples = [Sample(ROOT / "samples" / row["file"], row["text"]) for row in map(json.loads, lines)]
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        for number in _NOISY:
            samples[number] = _in_noise(samples[number], Path(data))
        settings = Settings(_env_file=None, data_dir=Path(data) / "data", model="embedded")
        other = fetch_whisper_base()
        settings.models_dir.mkdir(parents=True)
        (settings.models_dir / other.name).symlink_to(other)
        flags = [*FLAGS, hearing(samples[:2], Path(data), pause_s=1.0)]
        with (
            open_filled(settings, samples, second=_SECOND, n_people=_N_PEOPLE) as filled,
            playwright.chromium.launch(executable_path=executable, args=flags) as browser,
        ):
            move_back(settings.data_dir / "glas.db")
            views = {locale: [_brought(view) for view in views_of(filled, locale)] for locale in Locale}
            english = [view for view in views[Locale.EN] if view.name in IN_ENGLISH]
            for size, options in SIZES.items():
                with open_tabs(browser, filled, **options) as tabs:
                    draw(tabs, views[Locale.RU], size, directory)
                with open_tabs(browser, filled, Locale.EN, **options) as tabs:
                    draw(tabs, english, f"{size}-english", directory, schemes=SCHEMES[:1])


def _in_noise(sample: Sample, directory: Path) -> Sample:
    """The same recording, as it sounds in a noisy place: there models hear wrong words, and different ones."""
    file = directory / sample.path.name
    file.write_bytes(in_noise(sample.path.read_bytes(), snr_db=_SNR_DB))
    return Sample(file, sample.text)


def move_back(file: Path) -> None:
    """Spread the messages over a month; ledger and audit are unchanged, because they cannot be changed."""
    with sqlite3.connect(file) as database:
        for table in ("transcriptions", "corrections"):
            (last,) = database.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608 - names of this file
            # Most of a month, the earlier ones first, at changing hours.
            minutes = f"({last} - id) * 40000 / {last} + id * 17 % 180"
            database.execute(
                f"UPDATE {table} SET creation_datetime = "  # noqa: S608
                f"strftime('%Y-%m-%d %H:%M:%f', creation_datetime, '-' || ({minutes}) || ' minutes') || '000'"
            )
    database.close()


def _brought(view: View) -> View:
    """Bring a view into its state for the picture; closed parts stay closed, files get ordinary names."""
    if view.name in _BROUGHT:
        return View(view.name, view.path, _BROUGHT[view.name], is_open=True)
    return View(view.name, view.path) if view.bring is open_all else view


def _captioned(page: Page) -> None:
    recording(page)
    expect(page.locator("#captions span")).to_have_count(2, timeout=_CAPTIONS_MS)


def _recognised(page: Page) -> None:
    sounds = [(ROOT / "samples" / f"message-{number}.ogg").read_bytes() for number in (1, 4)]
    files = [FilePayload(name=name, mimeType="", buffer=data) for name, data in zip(_NAMES, sounds, strict=False)]
    page.set_input_files("#files", files)
    cards = page.locator(".card[data-state=done]")
    expect(cards).to_have_count(len(files), timeout=RECOGNISED_MS)
    timeline = cards.first.get_by_role("slider")
    for key in ("ArrowRight", " "):
        timeline.press(key)


_BROUGHT: Final = {"studio-results": _recognised, "studio-recording": _captioned}


def draw(
    tabs: Tabs, views: list[View], size: str, directory: Path, schemes: Sequence[Literal["light", "dark"]] = SCHEMES
) -> None:
    """Draw views in one size of window, in both colour schemes."""
    for view in views:
        page = tabs.show(view)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            name = f"{view.name}-{size}-{scheme}"
            if name in SHOWN:
                _shoot(page, PICTURES / f"{SHOWN[name]}.webp")
            _draw_whole(page, directory / f"{name}.png")


def _draw_whole(page: Page, file: Path) -> None:
    """Draw the whole page in a larger window, because Playwright's full-page mode loses the touch mode."""
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    page.screenshot(path=file)
    page.set_viewport_size(size)


def _shoot(page: Page, file: Path) -> None:
    """Draw the content of the window as WebP, which is small."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    file.write_bytes(base64.b64decode(answer["data"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
