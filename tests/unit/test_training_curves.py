"""The learning curves in the docs are drawn from the file beside them."""

from pathlib import Path
from xml.etree import ElementTree as ET

from glas.training.judged.curves import plot, read

DOCS = Path(__file__).parents[2] / "docs"


def test_the_picture_shows_the_figures_beside_it() -> None:
    assert (DOCS / "learning-curves.svg").read_text(encoding="utf-8") == plot(read(DOCS / "learning-curves.csv"))


def test_every_curve_has_its_line_and_its_name(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("run,hours,set,cer\na,1,people,50\na,100,people,25\nb,1,machines,10\n", encoding="utf-8")
    drawing = ET.fromstring(plot(read(path)))  # noqa: S314 - our own text
    lines = [one.get("points", "") for one in drawing.iter("{http://www.w3.org/2000/svg}polyline")]
    assert len(lines) == 2
    (left, top), (right, bottom) = (tuple(map(float, point.split(","))) for point in lines[0].split())
    assert right > left
    assert bottom > top  # fewer errors lie lower
    names = [one.text for one in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a: people", "b: machines"} <= set(names)
