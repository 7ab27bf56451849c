"""Tiny Whispers are trained once for a checkout, not by each worker that needs one."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glas.engines.whisper import mel, vocabulary
from tests.conftest import ROOT
from tests.models import tiny_tokens

_KEPT = ROOT / ".weights" / "of-tests"
_LIBRARIES = ("torch", "numpy", "tokenizers")
_HERE = Path(__file__).parent


def trained(name: str, train: Callable[[], tuple[Any, Any]]) -> Path:
    """The checkpoint of a network that `train` makes, for reading; a change of what makes it trains it anew.

    Args:
        name: of the module beside this one that trains it.
        train: gives the network and its tokenizer, after a minute of one processor.
    """
    from tests.models.conftest import one_thread
    from tests.models.tiny_whisper import save

    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = _KEPT / f"{name}-{_recipe(name)}"
    with (_KEPT / f".{name}.lock").open("w") as lock:
        # Tests run in several processes: one trains, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            for old in _KEPT.glob(f"{name}-*"):
                shutil.rmtree(old)
            with one_thread():
                network, tokenizer = train()
            save(kept.with_suffix(".part"), network, tokenizer).rename(kept)
    return kept


def _recipe(name: str) -> str:
    """A digest of all that the weights depend on: our sources and the libraries."""
    sources = [_HERE / f"{name}.py", _HERE / "tiny_whisper.py", Path(tiny_tokens.__file__)]
    sources += [Path(str(one.__file__)) for one in (mel, vocabulary)]
    made = hashlib.sha256(" ".join(version(library) for library in _LIBRARIES).encode())
    for source in sources:
        made.update(source.read_bytes())
    return made.hexdigest()[:12]
