"""Read the model from which a fine-tuning starts: weights in float32, vocabulary, and the model's own adapter."""

from dataclasses import dataclass, replace
from pathlib import Path

from glas.engines.whisper.adapter import Adapter, digest, merge, read_adapter
from glas.engines.whisper.build import with_vocabulary
from glas.engines.whisper.model import Model, read_model
from glas.engines.whisper.vocabulary import load_tokenizer
from glas.training.release import ADAPTER


@dataclass(frozen=True)
class Base:
    """A model to fine-tune.

    Attributes:
        directory: directory of the model as it is served. The new model gets the vocabulary, the settings and an
            adapted copy of the language model from this directory.
        weights: directory with the original weights of the model: without its adapter, and not quantised. For a
            checkpoint of Hugging Face, this is the same as `directory`.
    """

    directory: Path
    weights: Path

    def adapter(self) -> Adapter | None:
        """Read the adapter of the served model; return None if the model has no adapter.

        Raises:
            ModelFileMissingError, ModelLoadError: the errors of `read_adapter`.
        """
        return read_adapter(self.directory / ADAPTER) if (self.directory / ADAPTER).is_dir() else None

    def model(self) -> Model:
        """Read the served model in float32.

        Raises:
            ModelFileMissingError, ModelLoadError: a file is missing or damaged, or the parts do not belong together.
        """
        model, adapter = read_model(self.weights), self.adapter()
        if adapter is not None:
            model = replace(model, arrays=merge(model.arrays, adapter))
        if self.directory != self.weights:
            model = with_vocabulary(model, load_tokenizer(self.directory))
        return model

    def digest(self) -> str:
        """Return the hash of the original weights, without the adapter."""
        return digest(read_model(self.weights).arrays)
