"""Train tiny Whispers once, and keep their weights in the repository, because each training takes a minute.

A change of the sources that make them trains them anew, once for a checkout. To keep what they have become:
`python -m tests.models.trained`.
"""

import fcntl
import hashlib
import importlib
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from glas.engines.whisper import mel, vocabulary
from tests.conftest import ROOT
from tests.models import tiny_tokens

NAMES = ("chords", "phrases")
_HERE = Path(__file__).parent
_OF_CHECKOUT = ROOT / ".weights" / "of-tests"
_RECIPE, _TOKENIZER = "recipe", "tokenizer"  # names in the kept file, beside those of tensors
# What changes nothing of what a source does: docstrings, comments, and how it is set out.
_IMMATERIAL = re.compile(rb'""".*?"""|#[^\n]*|\s+|,(?=\s*[)\]}])', re.DOTALL)


def trained(name: str) -> Path:
    """The checkpoint of a trained network, for reading.

    Args:
        name: of the module beside this one that trains it.
    """
    _OF_CHECKOUT.mkdir(parents=True, exist_ok=True)
    checkpoint = _OF_CHECKOUT / f"{name}-{recipe(name)}"
    with (_OF_CHECKOUT / f".{name}.lock").open("w") as lock:
        # Tests run in several processes: one writes, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not checkpoint.is_dir():
            for old in _OF_CHECKOUT.glob(f"{name}-*"):
                shutil.rmtree(old)
            _write(name, checkpoint)
    return checkpoint


def kept(name: str) -> Path:
    """The file of the repository with the weights of a network, in half precision."""
    return _HERE / f"{name}.npz"


def kept_recipe(name: str) -> str:
    """The `recipe` of the sources that made the kept weights."""
    with np.load(kept(name)) as stored:
        return str(stored[_RECIPE])


def recipe(name: str) -> str:
    """A digest of all our sources on which the weights depend."""
    sources = [_HERE / f"{name}.py", _HERE / "tiny_whisper.py", Path(tiny_tokens.__file__)]
    sources += [Path(str(one.__file__)) for one in (mel, vocabulary)]
    made = hashlib.sha256()
    for source in sources:
        made.update(_IMMATERIAL.sub(b"", source.read_bytes()))
    return made.hexdigest()[:12]


def _write(name: str, checkpoint: Path) -> None:
    """Write the checkpoint from the kept weights, or train it."""
    from tests.models.tiny_whisper import save

    if kept_recipe(name) == recipe(name):
        with np.load(kept(name)) as stored:
            tensors = {key: stored[key] for key in stored.files if key not in (_RECIPE, _TOKENIZER)}
            tokenizer = Tokenizer.from_str(str(stored[_TOKENIZER]))
    else:
        tensors, tokenizer = _train(name)
    whole = {key: tensor.astype(np.float32) for key, tensor in tensors.items()}
    save(checkpoint.with_suffix(".part"), whole, tokenizer).rename(checkpoint)


def _train(name: str) -> tuple[dict[str, Any], Tokenizer]:
    from tests.models.conftest import one_thread

    with one_thread():
        network, tokenizer = importlib.import_module(f"tests.models.{name}").train()
    return {key: tensor.numpy().astype(np.float16) for key, tensor in network.state_dict().items()}, tokenizer


def keep(name: str) -> None:
    """Train a network and keep its weights in the repository."""
    tensors, tokenizer = _train(name)
    arrays: dict[str, Any] = {**tensors, _RECIPE: recipe(name), _TOKENIZER: tokenizer.to_str()}
    np.savez_compressed(kept(name), **arrays)


if __name__ == "__main__":
    for one in NAMES:
        keep(one)
