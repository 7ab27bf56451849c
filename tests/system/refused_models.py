"""Models that the gate must refuse, each for one reason, made from the embedded model's weights."""

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from glas.engines.catalogue import embedded_directory
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.safetensors import Array
from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS
from glas.engines.whisper.convert import write_model
from glas.engines.whisper.model import Model, read_model
from glas.engines.whisper.vocabulary import NO_SPEECH

Change = Callable[[Model], Model]
_NEVER = "<|startoftranscript|>"  # a token that no Whisper writes
_MORE = 18  # layers that a slower model has beyond its own, in encoder and decoder
_SURE = 3.0


def write_changed(folder: Path, change: Change) -> Path:
    """Write the embedded model with changed weights."""
    folder.mkdir()
    write_model(change(read_model(embedded_directory())), folder, "int8_float16")
    shutil.copyfile(embedded_directory() / LM_FILE, folder / LM_FILE)
    return folder


def unchanged(model: Model) -> Model:
    return model


def flipped(share: float) -> Change:
    """Flip the sign of a share of the encoder's weights, as a broken disk or conversion would."""

    def change(model: Model) -> Model:
        rng, arrays = np.random.default_rng(1), dict(model.arrays)
        for name, array in sorted(arrays.items()):
            if name.startswith("encoder.conv") and name.endswith(".weight"):
                arrays[name] = np.where(rng.random(array.shape) < share, -array, array).astype(np.float32)
        return replace(model, arrays=arrays)

    return change


def without_words(forgotten: Iterable[str], kept: Iterable[str]) -> Change:
    """Make the model unable to write some texts, if no other texts need their tokens."""

    def change(model: Model) -> Model:
        def tokens(texts: Iterable[str]) -> set[int]:
            return {number for text in texts for number in model.tokenizer.encode(text, add_special_tokens=False).ids}

        rows = sorted(tokens(forgotten) - tokens(kept))
        output = _output(model)
        output[rows] = output[model.tokenizer.token_to_id(_NEVER)]
        return replace(model, arrays=model.arrays | {"proj_out.weight": output})

    return change


def sure_of_everything(model: Model) -> Model:
    """Make the model always detect speech and always be certain."""
    output = _output(model)
    never, silence = model.tokenizer.token_to_id(_NEVER), [model.tokenizer.token_to_id(name) for name in NO_SPEECH]
    output[[number for number in silence if number is not None]] = output[never]
    norm = {f"decoder.layer_norm.{kind}": model.arrays[f"decoder.layer_norm.{kind}"] for kind in ("weight", "bias")}
    louder = {name: array * np.float32(_SURE) for name, array in norm.items()}
    return replace(model, arrays=model.arrays | louder | {"proj_out.weight": output})


def deeper(model: Model) -> Model:
    """Add layers without effect to the model: its texts are unchanged, but it is slower."""
    arrays, config = dict(model.arrays), dict(model.config)
    for side in ("encoder", "decoder"):
        n_layers = config[f"{side}_layers"]
        for number in range(n_layers, n_layers + _MORE):
            for name, array in _layer(model, side, n_layers - 1):
                is_last = ".out_proj." in name or name.startswith("fc2.")
                arrays[f"{side}.layers.{number}.{name}"] = np.zeros_like(array) if is_last else array
        config[f"{side}_layers"] = n_layers + _MORE
    return replace(model, arrays=arrays, config=config)


def _layer(model: Model, side: str, number: int) -> list[tuple[str, Array]]:
    """Return the arrays of a layer by their names within it."""
    front = f"{side}.layers.{number}."
    return [(f"{name.removeprefix(front)}", array) for name, array in model.arrays.items() if name.startswith(front)]


def _output(model: Model) -> Array:
    """Return the matrix that scores tokens, which may also be the embedding."""
    shared = model.arrays["decoder.embed_tokens.weight"]
    return np.array(model.arrays.get("proj_out.weight", shared))


def damage(folder: Path) -> None:
    """Flip a bit in one of a thousand bytes of a model's weights."""
    path = folder / CONVERTED_WEIGHTS
    data = bytearray(path.read_bytes())
    dice = random.Random(1)  # noqa: S311 - no secret
    for place in dice.sample(range(len(data) // 2, len(data)), len(data) // 1000):
        data[place] ^= 0x80
    path.write_bytes(data)
