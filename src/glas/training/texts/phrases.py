"""Read the grammar of voice messages from `phrases.txt`: slots (places in a sentence) and the phrases for each slot."""

import re
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def slots() -> dict[str, list[str]]:
    """Return for each slot the phrases that can be put into it, in the order of the file."""
    text = files("glas.training.texts").joinpath("phrases.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    _, *parts = re.split(r"^\[(\w+)\]$", "\n".join(lines), flags=re.MULTILINE)
    return {
        name: [phrase.strip() for phrase in body.replace("\n", " ").split("|")]
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
