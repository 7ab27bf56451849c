"""Load a model by its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from glas.domain.errors import ModelFileMissingError
from glas.engines import Engine, allocator
from glas.engines.catalogue import is_on_disk, known_model, known_models, local_directory, resolve
from glas.engines.descriptions import KnownModel
from glas.engines.known import EMBEDDED
from glas.engines.onnx import CPU, CUDA, OnnxEngine
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.backend import Precision

# Name of the directory of converted Whisper checkpoints, inside the directory of models.
CONVERTED = "converted"


class _Located(NamedTuple):
    """A model on disk: its uniform name, its directory and its description.

    The description `known` is None for a directory that the caller named.
    """

    name: str
    directory: Path
    known: KnownModel | None
    is_whisper: bool


def load_engine(
    name: str,
    *,
    models_dir: Path,
    threads: int = 1,
    workers: int = 1,
    beam_size: int = 5,
    providers: Sequence[str] = (CPU,),
    precision: Precision | None = None,
) -> Engine:
    """Load a model from disk; nothing is downloaded.

    Args:
        name: `auto`; the uniform name or short name of a known model; `whisper:<owner>/<name>`, a model of the model
            hub; `onnx:<directory>`; or `whisper:<directory>`.
        models_dir: directory of downloaded models and of converted Whisper checkpoints.
        threads: number of threads of one inference call.
        workers: number of parallel calls of a Whisper model on a graphics card. In all other cases, the number of
            parallel calls is not limited.
        beam_size: beam size of Whisper; 1 means greedy decoding.
        providers: onnxruntime's execution providers (the devices), the preferred one first. If `CUDA` is the first one,
            Whisper runs on the graphics card, too.
        precision: precision of Whisper's matrices; None means int8 on a processor and float16 on a graphics card. For
            other models, this argument is ignored, because other models run in the precision of their files.

    Raises:
        UnknownModelError: there is no such model; the error message suggests similar names.
        ModelFileMissingError: the model is known but not on disk; the error message says how to get the model.
        ModelLoadError: the files of the model are damaged.
        ConfigurationError: onnxruntime lacks one of the `providers`, there is no graphics card for Whisper, or the
            device does not support `precision`.
    """
    found = _locate(name, models_dir)
    # onnxruntime's arena is switched off, because it never frees the memory of the longest piece. So the allocator of
    # the C library must return freed memory.
    allocator.return_large_blocks()
    if found.is_whisper:
        return WhisperEngine(
            found.directory,
            name=found.name,
            cache=models_dir / CONVERTED,
            device="cuda" if providers[0] == CUDA else "cpu",
            threads=threads,
            workers=workers,
            beam_size=beam_size,
            precision=precision,
        )
    return _load_onnx(found, threads=threads, providers=providers)


def _load_onnx(found: _Located, *, threads: int, providers: Sequence[str]) -> OnnxEngine:
    """Load a model that onnx-asr decodes; the engine runs any number of calls at the same time."""
    if found.known is None:
        return OnnxEngine(found.directory, name=found.name, threads=threads, providers=providers)
    return OnnxEngine(
        found.directory,
        name=found.name,
        layout=found.known.layout,
        window_s=found.known.window_s,
        punctuates=found.known.punctuates,
        threads=threads,
        providers=providers,
    )


def _locate(name: str, models_dir: Path) -> _Located:
    """Find the files of a model; see `load_engine` for the errors."""
    uniform = resolve(name, models_dir)
    kind, _, place = uniform.partition(":")
    if Path(place).is_absolute():
        return _Located(uniform, Path(place), None, is_whisper=kind == "whisper")
    _check_on_disk(models_dir, uniform)
    known = known_model(uniform)
    is_whisper = kind == "whisper" or (known.layout is not None and known.layout.kind == "whisper")
    return _Located(uniform, local_directory(models_dir, uniform), known, is_whisper=is_whisper)


def _check_on_disk(models_dir: Path, uniform: str) -> None:
    """Raise a `ModelFileMissingError` if the uniform name `uniform` means a known model that is not on disk."""
    if uniform == EMBEDDED or is_on_disk(models_dir, uniform):
        return
    model, directory = known_model(uniform), local_directory(models_dir, uniform)
    name = model.short_name if model in known_models() else uniform
    raise ModelFileMissingError(
        f"{uniform} is not on disk: {directory} lacks it. Get it: glas models get {name}", param="model"
    )
