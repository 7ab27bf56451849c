"""A small network of a Whisper for tests of training: random weights, and a tokenizer with few tokens."""

import numpy as np

from glas.training.adapter.network import Arrays

WIDTH, TOKENS, POSITIONS = 64, 20, 1500


def small_arrays() -> Arrays:
    """Make random weights of a Whisper with one layer on each side."""
    rng = np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.1).astype(np.float32)

    found = {
        "encoder.conv1.weight": matrix(WIDTH, 80, 3),
        "encoder.conv1.bias": matrix(WIDTH),
        "encoder.conv2.weight": matrix(WIDTH, WIDTH, 3),
        "encoder.conv2.bias": matrix(WIDTH),
        "encoder.embed_positions.weight": matrix(POSITIONS, WIDTH),
        "decoder.embed_positions.weight": matrix(64, WIDTH),
        "decoder.embed_tokens.weight": matrix(TOKENS, WIDTH),
    }
    for side in ("encoder", "decoder"):
        norms, attentions = ["self_attn_layer_norm", "final_layer_norm"], ["self_attn"]
        if side == "decoder":
            norms, attentions = [*norms, "encoder_attn_layer_norm"], [*attentions, "encoder_attn"]
        for name in [f"{side}.layer_norm", *(f"{side}.layers.0.{norm}" for norm in norms)]:
            found[f"{name}.weight"], found[f"{name}.bias"] = np.ones(WIDTH, np.float32), matrix(WIDTH)
        for attention in attentions:
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                found[f"{side}.layers.0.{attention}.{part}.weight"] = matrix(WIDTH, WIDTH)
                if part != "k_proj":
                    found[f"{side}.layers.0.{attention}.{part}.bias"] = matrix(WIDTH)
        for part, shape in (("fc1", (128, WIDTH)), ("fc2", (WIDTH, 128))):
            found[f"{side}.layers.0.{part}.weight"], found[f"{side}.layers.0.{part}.bias"] = (
                matrix(*shape),
                matrix(shape[0]),
            )
    return found


class FewTokens:
    """A tokenizer of letters: the prompt is 1, 2; the end token is 0."""

    end, prompt_length = 0, 2

    def text(self, text: str) -> list[int]:
        return [1, 2, *(3 + ord(letter) % 16 for letter in text), 0]
