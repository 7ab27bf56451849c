"""From the model hub to a model directory: only the files that an engine needs, checked, and all of them or none."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from glas.domain.errors import HubUnreachableError, ModelError, ModelFileMissingError
from glas.engines import hub
from glas.engines.catalogue import is_on_disk, known_model, local_directory
from glas.engines.known import KnownModel
from glas.engines.layouts import PRECISIONS, Layout, Precision

HUB = "https://huggingface.co"
_LOCK = ".lock"

OnProgress = Callable[[str, int, int], None]
"""Told the file, how many bytes of it are there, and how many there will be."""


def fetch_model(
    name: str,
    models_dir: Path,
    on_progress: OnProgress = lambda _file, _done, _total: None,
    *,
    precision: Precision | None = None,
    endpoint: str | None = None,
) -> Path:
    """Fetch the weights of a known model, unless they are on disk.

    The files gather in a directory beside the final one, which appears under its name only when all are there and their
    hashes are right; nothing goes to a cache elsewhere. A fetch that broke off is continued by the next one.

    Args:
        name: of a known model, long or short.
        models_dir: where models lie; made when missing.
        on_progress: called for each piece that arrives, in the calling thread.
        precision: `int8` or `fp32`. None takes int8 where the hub has it: a quarter of the bytes, a third of memory,
            and twice the speed on a processor with int8 instructions (2.3 times measured with random weights of a
            221 M Conformer, one core of an AMD Zen 4); graphics cards want fp32.
        endpoint: address of the hub or of a mirror; None reads HF_ENDPOINT, as all that talk to this hub do.

    Returns:
        The model's directory.

    Raises:
        UnknownModelError: no such name.
        HubUnreachableError: the hub does not answer, told within ten seconds; the message says how to do it by hand.
        ModelFileMissingError: the repository lacks a file.
        ModelError: the disk has no room, or somebody else is fetching the same model.
        ModelLoadError: a file is not what its hash says.
    """
    model = known_model(name)
    if is_on_disk(models_dir, model.name):
        return local_directory(models_dir, model.name)
    if model.repository is None:
        raise ModelFileMissingError(f"{model.name} comes with Glas and is not on any hub; install Glas anew.")
    precisions = (precision,) if precision else PRECISIONS if model.int8 else PRECISIONS[1:]
    target = local_directory(models_dir, model.name)
    address = (endpoint or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    gathering = target.with_name(f"{target.name}.part")
    try:
        with hub.client() as http:
            files = _needed(model, model.layout, precisions, hub.listing(http, address, model.repository))
            _check_room(gathering, files)
            with _alone(gathering, model):
                for file in files:
                    hub.download(http, file, gathering / file.path, partial(on_progress, file.path))
                _check_whole(gathering, model)
                _publish(gathering, target, files)
    except HubUnreachableError as error:
        by_hand = _by_hand(model, model.layout.files(precisions[0]), target, address, str(error))
        raise HubUnreachableError(by_hand) from error
    return target


def _needed(
    model: KnownModel, layout: Layout, precisions: Sequence[Precision], held: list[hub.RemoteFile]
) -> list[hub.RemoteFile]:
    """Files that the engine opens, in the first precision that the repository has whole.

    Raises:
        ModelFileMissingError: it has none whole.
    """
    lacking = ""
    for precision in precisions:
        # Weights of over 2 GB lie beside their network as `.onnx.data`.
        beside = (f"{name}?data" for name in layout.networks_in(precision))
        names = (*layout.files(precision), *layout.optional, *beside)
        wanted = [file for file in held if any(_fits(file.path, name) for name in names)]
        absent = [name for name in layout.files(precision) if not any(_fits(file.path, name) for file in wanted)]
        if not absent:
            return wanted
        lacking = lacking or ", ".join(absent)
    if layout.otherwise is not None:
        with contextlib.suppress(ModelFileMissingError):
            return _needed(model, layout.otherwise, precisions, held)
    raise ModelFileMissingError(f"The repository {model.repository} lacks {lacking} for {model.name}.")


def _fits(path: str, pattern: str) -> bool:
    return len(PurePosixPath(path).parts) == len(PurePosixPath(pattern).parts) and PurePosixPath(path).match(pattern)


def _check_room(directory: Path, files: list[hub.RemoteFile]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    wanted, free = sum(file.size for file in files) - there, shutil.disk_usage(directory).free
    if wanted > free:
        raise ModelError(f"{directory}: expected {wanted / 1e6:.0f} MB of free disk, got {free / 1e6:.0f} MB.")


def _check_whole(directory: Path, model: KnownModel) -> None:
    """An index may name files that the repository lacks."""
    if not model.layout.is_whole(directory):
        layout = model.layout.otherwise or model.layout
        lacking = ", ".join(layout.missing(directory, "fp32"))
        raise ModelFileMissingError(f"The repository {model.repository} lacks {lacking} for {model.name}.")


@contextmanager
def _alone(directory: Path, model: KnownModel) -> Iterator[None]:
    """Keep others from writing the same files; the lock dies with the process that holds it."""
    with (directory / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(f"{model.name} is being fetched already; wait for that to end.") from error
        yield


def _publish(gathering: Path, target: Path, files: list[hub.RemoteFile]) -> None:
    for stale in (gathering / _LOCK, *gathering.rglob("*.part")):  # parts of what the hub has replaced meanwhile
        stale.unlink()
    if target.exists():  # somebody has begun to fill it by hand: what is ours goes in beside
        for file in files:
            (target / file.path).parent.mkdir(parents=True, exist_ok=True)
            (gathering / file.path).replace(target / file.path)
        shutil.rmtree(gathering)
    else:
        gathering.rename(target)


def _by_hand(model: KnownModel, files: tuple[str, ...], target: Path, address: str, reason: str) -> str:
    return (
        f"{model.name} cannot be fetched from {address} ({reason}). What has arrived is kept: the next try goes on "
        f"from there. By hand: on a machine with a network open {HUB}/{model.repository}/tree/main, take "
        f"{', '.join(files)} and put them into {target}; or name a mirror of the hub in HF_ENDPOINT. "
        "Meanwhile the embedded model works: GLAS_MODEL=embedded."
    )
