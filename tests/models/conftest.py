"""A tiny Whisper for all tests that need one."""

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.models.trained import trained

MakeWhisper = Callable[..., Path]


@pytest.fixture(scope="session")
def make_whisper(tmp_path_factory: pytest.TempPathFactory) -> MakeWhisper:
    """Copy the trained network's checkpoint, into a directory of its own each time."""
    pytest.importorskip("torch", reason="training the test model needs torch: make train-setup")
    from tests.models.tiny_whisper import write_card

    kept = trained("chords")

    def make(*, dynamic_context: bool = False) -> Path:
        made: Path = shutil.copytree(kept, tmp_path_factory.mktemp("whisper") / "chords")
        write_card(made, dynamic_context=dynamic_context)
        return made

    return make


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one: threads that wait for each other on a busy machine take minutes for a few seconds."""
    torch: Any = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
