"""A tiny Whisper, trained once for all tests that need one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MakeWhisper = Callable[..., Path]


@pytest.fixture(scope="session")
def make_whisper(tmp_path_factory: pytest.TempPathFactory) -> MakeWhisper:
    """Save the trained network as a checkpoint, in a directory of its own each time."""
    torch = pytest.importorskip("torch", reason="training the test model needs torch: make train-setup")
    from tests.models.chords import train
    from tests.models.tiny_whisper import save

    with one_thread(torch):
        network, tokenizer = train()

    def make(*, dynamic_context: bool = False) -> Path:
        place = tmp_path_factory.mktemp("whisper") / "chords"
        return save(place, network, tokenizer, dynamic_context=dynamic_context)

    return make


@contextmanager
def one_thread(torch: Any) -> Iterator[None]:
    """Threads that wait for each other on a busy machine take minutes for what one does in seconds."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
