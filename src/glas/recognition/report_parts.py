"""Make parts of pages about error rates: a chart with bars, and an audio player with embedded sound."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

WORST: Final = 20
"""How many recordings a page shows in its list of the recordings with the most errors."""

_LARGEST_SOUND = 400_000  # bytes; larger recordings are not embedded in the page


def bars(rows: Sequence[tuple[str, Sequence[tuple[float, str]]]]) -> str:
    """Draw a chart with bars as SVG. Each row consists of a label and of pairs: a rate and the colour of its bar.

    All rows must have the same number of rates. A rate is a fraction, and is shown in percent.
    """
    most = max((rate for _, rates in rows for rate, _ in rates), default=0) or 1
    parts, y = [], 10
    for label, rates in rows:
        parts.append(f'<text x="0" y="{y + 14}">{escape(label)}</text>')
        for rate, colour in rates:
            width = 360 * rate / most
            parts.append(f'<rect x="230" y="{y}" width="{width:.1f}" height="13" fill="{colour}"/>')
            parts.append(f'<text x="{236 + width:.1f}" y="{y + 11}">{100 * rate:.1f}</text>')
            y += 16
        y += 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 {y + 10}" font-size="13" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def player(audio: Path | None) -> str:
    """Return HTML of an audio player that contains the sound of a file.

    Return an empty text if there is no file, or if the file is too large.
    """
    if audio is None or not audio.is_file() or audio.stat().st_size > _LARGEST_SOUND:
        return ""
    sound = base64.b64encode(audio.read_bytes()).decode()
    kind = "wav" if audio.suffix == ".wav" else "ogg"
    return f'<audio controls preload="none" src="data:audio/{kind};base64,{sound}"></audio>'


STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .35rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #8884; }
.yes td:first-child { color: #1a7f37; } .no td:first-child { color: #cf222e; } .no { font-weight: 600; }
p { margin: 0 0 .3rem; } audio { width: 15rem; max-width: 40vw; }
h1, body > p { overflow-wrap: anywhere; } svg { max-width: 42rem; width: 100%; }
.big { font-size: 2rem; margin: .5rem 0; }
"""
