"""Learning curves as SVG: character error rate against hours of speech heard, one line for each run and set.

`python -m glas.training.judged.curves docs/learning-curves.csv docs/learning-curves.svg` draws what the file lists, one
measurement a line: run, hours, set, cer (percent).
"""

import csv
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP = 420, 300, 48, 14
COLOURS = ("#1f6feb", "#d9730d", "#2a9d5c", "#9a3fb5", "#7a7a7a", "#b3261e")
STROKES = ("", "6 3", "2 2", "8 2 2 2")  # by run

Curves = dict[tuple[str, str], list[tuple[float, float]]]


def read(path: Path) -> Curves:
    """Points (hours, percent) of each run and set, in the order of the file."""
    curves: Curves = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curves.setdefault((row["run"], row["set"]), []).append((float(row["hours"]), float(row["cer"])))
    return curves


def plot(curves: Curves) -> str:
    """The text of an SVG file."""
    longest = max(hours for points in curves.values() for hours, _ in points)
    highest = max(cer for points in curves.values() for _, cer in points)
    sets, runs = (list(dict.fromkeys(key[place] for key in curves)) for place in (1, 0))

    def at(hours: float, cer: float) -> tuple[float, float]:
        return LEFT + hours / longest * WIDTH, TOP + (1 - cer / highest) * HEIGHT

    total = TOP + HEIGHT + 44 + 18 * len(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 16} {total}">',
        '<g font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
    ]
    parts += [
        f'<text x="{LEFT - 6}" y="{at(0, cer)[1] + 4:.1f}" text-anchor="end">{cer}</text>'
        for cer in range(0, int(highest) + 1, 10)
    ]
    parts += [
        f'<text x="{at(hours, 0)[0]:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{hours}</text>'
        for hours in range(0, int(longest) + 1, 50)
    ]
    middle = LEFT + WIDTH / 2
    parts.append(f'<text x="{middle}" y="{TOP + HEIGHT + 32}" text-anchor="middle">hours heard; CER, %, greedy</text>')
    for number, ((run, name), points) in enumerate(curves.items()):
        line = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
        style = f'fill="none" stroke="{COLOURS[sets.index(name) % len(COLOURS)]}" stroke-width="1.5"'
        style += f' stroke-dasharray="{STROKES[runs.index(run) % len(STROKES)]}"'
        parts.append(f'<polyline points="{line}" {style}/>')
        y = TOP + HEIGHT + 54 + 18 * number
        parts.append(f'<line x1="{LEFT}" y1="{y - 4}" x2="{LEFT + 30}" y2="{y - 4}" {style}/>')
        parts.append(f'<text x="{LEFT + 38}" y="{y}">{run}: {name}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(plot(read(Path(sys.argv[1]))), encoding="utf-8")
