"""Test the documentation as a site: every page is in the navigation, and every link has a target."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from os.path import normpath
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT


def _stage() -> ModuleType:
    spec = spec_from_file_location("stage", ROOT / "docs" / "stage.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STAGE = _stage()
PLACES: dict[str, str] = STAGE.pages()
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in PLACES}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads mkdocs.yml, whose tags name Python functions."""


def _ignored(_loader: yaml.SafeLoader, _suffix: str, _node: yaml.Node) -> None:
    """Ignore a function that only the builder of the site needs."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _ignored)
CONFIG = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader


def entries(nav: list[dict[str, Any]]) -> Iterator[str]:
    """Return the pages of a navigation, in order."""
    for one in nav:
        for value in one.values():
            if isinstance(value, str):
                yield value
            else:
                yield from entries(value)


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as GitHub and the site make them; a repeated heading counts once."""
    prose = re.sub(r"(?ms)^```.*?^```", "", text)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", prose)
    }


def test_every_page_is_in_the_navigation_once() -> None:
    assert Counter(entries(CONFIG["nav"])) == Counter(PLACES.values())


@pytest.mark.parametrize("name", PLACES)
def test_every_link_leads_somewhere(name: str) -> None:
    """Each link inside the repository has an existing file and heading as target."""
    for target, anchor in re.findall(r"\]\(([^)\s#]*)#?([^)\s]*)\)", TEXTS[name]):
        if "://" in target:
            continue
        path = normpath(Path(name).parent / target) if target else name
        assert (ROOT / path).exists(), target
        assert not anchor or anchor in anchors(TEXTS[path]), (target, anchor)


@pytest.mark.parametrize("name", PLACES)
def test_every_link_of_the_site_leads_to_a_page(name: str) -> None:
    here = Path(PLACES[name]).parent
    known = set(PLACES.values()) | {path.name for path in (ROOT / "docs").glob("*.svg")}
    links = re.findall(r"\]\(([^)\s#]+)", STAGE.staged(TEXTS[name], name))
    assert {normpath(here / link) for link in links if "://" not in link} <= known


def test_a_link_to_source_code_becomes_text_and_one_to_a_page_moves() -> None:
    staged = STAGE.staged("[a](docs/api.md#errors) [b](LICENSE) [c](https://example.org) [d](#here)", "README.md")
    assert staged == "[a](api.md#errors) b [c](https://example.org) [d](#here)"
    assert STAGE.staged("[front](../../README.md)", "docs/ru/start.md") == "[front](../index.md)"


def test_the_site_loads_nothing_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False
    assert [script for script in CONFIG["extra_javascript"] if "://" in script] == []
