"""Copy the pages of the site into one directory, with links that are right there.

    python docs/stage.py DIRECTORY

README.md becomes the front page. A link to a page leads to its place on the site. A link to a file that is no page,
such as source code, becomes plain text.
"""

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Pages outside docs/, and their places on the site.
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "models/whisper-base-ru/README.md": "models/whisper-base-ru.md",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def pages() -> dict[str, str]:
    """Map each page, by its path in the repository, to its place on the site."""
    inside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    return OUTSIDE | {name: name.removeprefix("docs/") for name in sorted(inside)}


def staged(text: str, source: str) -> str:
    """Return a page with the links of the site.

    Args:
        text: of the page.
        source: its path in the repository.
    """
    places = pages()
    here = Path(places[source]).parent

    def moved(link: re.Match[str]) -> str:
        mark, words, target, anchor = link.groups()
        if "://" in target or not target:
            return link[0]
        path = os.path.normpath(Path(source).parent / target)
        place = places.get(path)
        if place is None and path.startswith("docs/") and Path(path).suffix == ".svg":
            place = path.removeprefix("docs/")
        if place is None:
            return words
        return f"{mark}[{words}]({os.path.relpath(place, here)}{anchor or ''})"

    return _LINK.sub(moved, text)


def stage(directory: Path) -> None:
    """Write all pages and pictures; what was in the directory is deleted."""
    shutil.rmtree(directory, ignore_errors=True)
    for source, place in pages().items():
        target = directory / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(staged((ROOT / source).read_text(encoding="utf-8"), source), encoding="utf-8")
    for picture in (ROOT / "docs").glob("*.svg"):
        shutil.copy(picture, directory)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
