"""A test hub and a test package index that have a pinned model, and the sources that do not answer."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from glas.engines.catalogue import directory_of
from glas.engines.sources import hub as hub_client
from tests.models import hub_server, index_server
from tests.models.hub_server import Hub, files_of
from tests.models.index_server import Index
from tests.models.pinned import REPOSITORY, REVISION, Pinned, pinned


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "PAUSE_S", 0.01)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which no server answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


@pytest.fixture
def tiny() -> Pinned:
    return pinned()


@pytest.fixture
def hub(tiny: Pinned, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub, which has the model at its pinned revision; an environment variable contains its address."""
    files = tiny.files | {"README.md": b"a card"}
    with hub_server.serving(Hub(REPOSITORY, files, revision=REVISION)) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


@pytest.fixture
def index(tiny: Pinned, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The package index with both wheels; pip's environment contains its address and no other index."""
    with index_server.serving(Index(tiny.wheels())) as served:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.address}/simple/")
        yield served


@pytest.fixture
def no_hub(index: Index, nobody: str, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The hub does not answer; the index answers."""
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    return index


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def is_whole(models_dir: Path, tiny: Pinned) -> bool:
    """Return whether the directory contains the model's files and nothing else."""
    directory = directory_of(models_dir, tiny.model)
    return files_of(models_dir) == {f"{directory.name}/{name}": content for name, content in tiny.files.items()}
