"""How much silence a model needs after a sound, and which files state this."""

import json
from pathlib import Path
from typing import Any

import pytest

from glas.domain.errors import ModelLoadError
from glas.engines.whisper.context import FULL_WINDOW, MIN_CONTEXT_FRAMES, ContextRule, context_rule, stated_rule

WINDOW = 3000
SIZES = {"base": (512, 6), "small": (768, 12)}


def checkpoint(directory: Path, size: str = "small", card: str = "", **entries: Any) -> Path:
    width, layers = SIZES[size]
    config = {"model_type": "whisper", "d_model": width, "num_mel_bins": 80, "vocab_size": 51865}
    for part, side in (("encoder", "source"), ("decoder", "target")):
        config |= {f"{part}_layers": layers, f"{part}_attention_heads": 8, f"{part}_ffn_dim": 4 * width}
        config[f"max_{side}_positions"] = 448
    (directory / "config.json").write_text(json.dumps(config | entries), encoding="utf-8")
    if card:
        (directory / "README.md").write_text(f"---\nlicense: mit\n{card}\n---\n# A model\n", encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("margin_s", "longest", "expected"),
    [
        (None, 500, WINDOW),
        (8.0, 500, 1300),
        (8.0, 2900, WINDOW),
        (0.0, 500, 500),
        (0.0, 20, MIN_CONTEXT_FRAMES),
        (0.64, 500, 564),
        (0.333, 500, 534),
    ],
)
def test_the_input_is_as_long_as_the_sound_and_the_margin(margin_s: float | None, longest: int, expected: int) -> None:
    assert ContextRule(margin_s).n_frames(longest, WINDOW) == expected


@pytest.mark.parametrize(
    ("card", "entries", "expected"),
    [
        ("", {}, None),
        ("", {"context_margin_s": 0.64}, ContextRule(0.64)),
        ("", {"context_margin_s": 1}, ContextRule(1.0)),
        ("", {"context_margin_s": None}, FULL_WINDOW),
        ("", {"dynamic_context": True}, ContextRule(0.0)),
        ("", {"dynamic_context": False}, None),
        ("dynamic_context: true", {}, ContextRule(0.0)),
        ("dynamic_context: false", {}, None),
        ("context_margin_s: 1.5", {"context_margin_s": 0.64}, ContextRule(1.5)),
        ("context_margin_s: null", {"dynamic_context": True}, FULL_WINDOW),
        ("dynamic_context: true\ncontext_margin_s: 0.32", {}, ContextRule(0.32)),
    ],
)
def test_the_card_and_then_the_configuration_say_it(
    tmp_path: Path, card: str, entries: dict[str, Any], expected: ContextRule | None
) -> None:
    assert stated_rule(checkpoint(tmp_path, card=card, **entries)) == expected


def test_where_nothing_is_said_it_is_what_was_measured_for_the_size(tmp_path: Path) -> None:
    assert context_rule(checkpoint(tmp_path, "small")) == FULL_WINDOW
    measured = context_rule(checkpoint(tmp_path, "base"))
    assert measured.margin_s is not None
    assert measured.margin_s > 1
    assert context_rule(checkpoint(tmp_path, "base", context_margin_s=None)) == FULL_WINDOW


@pytest.mark.parametrize("margin", ["soon", -1, [], True])
def test_a_margin_that_is_no_number_is_refused(tmp_path: Path, margin: Any) -> None:
    with pytest.raises(ModelLoadError, match="expected seconds of silence or null for context_margin_s"):
        context_rule(checkpoint(tmp_path, context_margin_s=margin))
