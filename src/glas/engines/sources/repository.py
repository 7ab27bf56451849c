"""A repository of the model hub as a source."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from glas.domain.errors import ModelFileMissingError
from glas.engines.descriptions import KnownModel
from glas.engines.layouts import Layout, Precision
from glas.engines.sources import OnProgress, hub, require_room

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class RepositorySource:
    """A repository of the model hub; see `glas.engines.sources.Source`.

    Attributes:
        model: the model whose files are downloaded.
        repository: name of the repository on the hub, `owner/name`.
        precisions: variants of the weights, in the order of preference.
        endpoint: address of the hub or of a mirror.
    """

    model: KnownModel
    repository: str
    precisions: Sequence[Precision]
    endpoint: str

    @property
    def place(self) -> str:
        """Address of the hub, for messages to people."""
        return self.endpoint

    def gather(self, directory: Path, on_progress: OnProgress) -> list[str]:
        """Download the files that the engine needs; see `glas.engines.sources.Source`."""
        with hub.client() as http:
            files = self._files(hub.listing(http, self.endpoint, self.repository, self.model.revision))
            there = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
            require_room(directory, sum(file.size for file in files) - there)
            for file in files:
                on_progress(file.path, 0, file.size)
            for file in files:
                hub.download(http, file, directory / file.path, partial(on_progress, file.path))
        return [file.path for file in files]

    def _files(self, held: list[hub.RemoteFile]) -> list[hub.RemoteFile]:
        if not self.model.pinned:
            return needed(self.model.layout, self.precisions, held, self.repository)
        by_path = {file.path: file for file in held}
        if lacking := [file.name for file in self.model.pinned if file.name not in by_path]:
            raise ModelFileMissingError(f"The repository {self.repository} lacks {', '.join(lacking)}.")
        # The hashes that the hub states for these files are not used.
        return [
            replace(by_path[file.name], size=file.size, digest=file.sha256, digest_kind="sha256")
            for file in self.model.pinned
        ]


def endpoint_of_environment() -> str:
    """Return the address of the model hub: the value of HF_ENDPOINT, or `HUB` if this variable is not set."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def needed(
    layout: Layout, precisions: Sequence[Precision], held: list[hub.RemoteFile], repository: str
) -> list[hub.RemoteFile]:
    """Return the files that the engine needs, in the first precision that is complete in the repository.

    Raises:
        ModelFileMissingError: no precision is complete.
    """
    lacking = ""
    for precision in precisions:
        # Weights of over 2 GB are in a separate file `.onnx.data` beside the network.
        beside = (f"{name}?data" for name in layout.networks_in(precision))
        names = (*layout.files(precision), *layout.optional, *beside)
        wanted = [file for file in held if any(_fits(file.path, name) for name in names)]
        absent = [name for name in layout.files(precision) if not any(_fits(file.path, name) for file in wanted)]
        if not absent:
            return wanted
        lacking = lacking or ", ".join(absent)
    if layout.otherwise is not None:
        with contextlib.suppress(ModelFileMissingError):
            return needed(layout.otherwise, precisions, held, repository)
    raise ModelFileMissingError(f"The repository {repository} lacks {lacking}.")


def _fits(path: str, pattern: str) -> bool:
    return len(PurePosixPath(path).parts) == len(PurePosixPath(pattern).parts) and PurePosixPath(path).match(pattern)
