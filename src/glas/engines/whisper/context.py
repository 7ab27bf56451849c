"""Compute the length of the encoder's input: Whisper's window of 30 s, or the sound followed by some silence.

Whisper was trained on windows that are padded with silence. Whisper's encoder accepts any length, but with the original
weights the text is wrong if no silence follows the sound. How much silence is necessary depends on the weights:

    context_margin_s: 0.64      seconds of silence; null means silence up to the end of the window
    dynamic_context: true       no silence is necessary (older notation)

These entries are in `config.json` or in the front matter of README.md. README.md has precedence over `config.json`.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from glas.domain.errors import ModelError, ModelLoadError
from glas.engines.json_file import read_json
from glas.engines.whisper.arrays import load_configuration
from glas.engines.whisper.checkpoint import CARD, CONFIG
from glas.engines.whisper.mel import FRAMES_PER_POSITION, FRAMES_PER_S

CONTEXT_MARGIN = "context_margin_s"
DYNAMIC_CONTEXT = "dynamic_context"

# The shortest encoder input with which dynamic context is known to work has 100 positions (FUTO's author in whisper.cpp
# issue 1951).
MIN_CONTEXT_FRAMES = 100 * FRAMES_PER_POSITION


@dataclass(frozen=True, slots=True)
class ContextRule:
    """The length of silence that must follow a sound in the encoder's input.

    Attributes:
        margin_s: seconds of silence; None means silence up to the end of the window.
    """

    margin_s: float | None

    def n_frames(self, longest: int, window: int) -> int:
        """Return the number of mel frames of the input.

        Args:
            longest: number of frames of the longest sound of the batch.
            window: number of frames of the whole window.
        """
        if self.margin_s is None:
            return window
        margin = FRAMES_PER_POSITION * round(self.margin_s * FRAMES_PER_S / FRAMES_PER_POSITION)
        return min(window, max(MIN_CONTEXT_FRAMES, longest + margin))


FULL_WINDOW = ContextRule(None)

# Rules for OpenAI's weights, by the width and the number of layers of the encoder. With these rules, the text was as
# good as with the whole window (docs/benchmarks.md). Other sizes were not measured, and use the whole window.
_MEASURED = {(512, 6): ContextRule(10.0)}


def context_rule(directory: Path) -> ContextRule:
    """Return how much silence must follow a sound for a model, as the model's files state it.

    If they do not state it, the result is the length that was measured for OpenAI's weights of the same size. For sizes
    that were not measured, the result is silence up to the end of the window.

    Args:
        directory: a checkpoint of Hugging Face or a CTranslate2 model.

    Raises:
        ModelLoadError: the margin is not a number of seconds.
    """
    if stated := stated_rule(directory):
        return stated
    try:
        config = load_configuration(directory)
    except ModelError:
        # The file may have an older format, which only CTranslate2 can read. If CTranslate2 cannot read it either,
        # loading fails later.
        return FULL_WINDOW
    return _MEASURED.get((config["d_model"], config["encoder_layers"]), FULL_WINDOW)


def stated_rule(directory: Path) -> ContextRule | None:
    """Return how much silence a model's card or configuration states; None if neither of them states it.

    Raises:
        ModelLoadError: the margin is not a number of seconds.
    """
    for path, entries in ((directory / CARD, _head(directory / CARD)), (directory / CONFIG, _config(directory))):
        if CONTEXT_MARGIN in entries:
            return _rule(path, entries[CONTEXT_MARGIN])
        if entries.get(DYNAMIC_CONTEXT) == "true":
            return ContextRule(0.0)
    return None


def _rule(path: Path, text: str) -> ContextRule:
    if text == "null":
        return FULL_WINDOW
    try:
        margin_s = float(text)
    except ValueError:
        margin_s = math.nan
    if not 0 <= margin_s < math.inf:
        raise ModelLoadError(f"{path}: expected seconds of silence or null for {CONTEXT_MARGIN}, got {text}.")
    return ContextRule(margin_s)


def _config(directory: Path) -> dict[str, str]:
    entries = read_json(directory / CONFIG)
    return {name: json.dumps(entries[name]) for name in (CONTEXT_MARGIN, DYNAMIC_CONTEXT) if name in entries}


def _head(card: Path) -> dict[str, str]:
    if not card.is_file():
        return {}
    head = re.match(r"\s*---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    return dict(re.findall(r"^(\w+):[ \t]*(\S.*?)\s*$", head[1], re.MULTILINE)) if head else {}
