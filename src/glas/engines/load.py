"""From the name of a model to an engine."""

from collections.abc import Sequence
from pathlib import Path

from glas.domain.errors import ModelFileMissingError, UnknownModelError
from glas.engines import Engine
from glas.engines.catalogue import is_on_disk, known_model, local_directory, resolve
from glas.engines.known import EMBEDDED
from glas.engines.onnx import CPU, OnnxEngine


def load_engine(
    name: str, *, models_dir: Path, threads: int = 1, workers: int = 1, providers: Sequence[str] = (CPU,)
) -> Engine:
    """Load a model from disk; nothing is ever downloaded here.

    Args:
        name: `auto`, the name of a known model, long or short, or `onnx:<directory>`.
        models_dir: where fetched models lie.
        threads: threads of one inference call.
        workers: calls that come at once; an engine that runs them side by side itself needs to know.
        providers: onnxruntime's execution providers, the preferred one first.

    Raises:
        UnknownModelError: no such name; the message offers similar ones.
        ModelFileMissingError: the model is known and not on disk; the message says how to get it.
        ModelLoadError: its files are broken.
    """
    del workers  # onnxruntime runs any number of calls side by side
    uniform = resolve(name, models_dir)
    match uniform.partition(":"):
        case "onnx", _, place if Path(place).is_absolute():
            return OnnxEngine(Path(place), name=uniform, threads=threads, providers=providers)
        case (("onnx" | "embedded"), _, _):
            model, directory = known_model(uniform), local_directory(models_dir, uniform)
            if uniform != EMBEDDED and not is_on_disk(models_dir, uniform):
                raise ModelFileMissingError(
                    f"{uniform} is not on disk: {directory} lacks it. Get it: glas models get {model.short_name}",
                    param="model",
                )
            return OnnxEngine(
                directory,
                name=uniform,
                layout=model.layout,
                window_s=model.window_s,
                threads=threads,
                providers=providers,
            )
        case _:
            raise UnknownModelError(f"{uniform} is known, but this version has no engine for it yet.", param="model")
