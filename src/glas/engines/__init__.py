"""Engines: loaded recognisers. A *model* is weights on disk; an *engine* is a model that is ready to hear."""

from collections.abc import Sequence
from typing import Protocol

from glas.domain.transcription import Samples, Segment


class Engine(Protocol):
    """A loaded recogniser. Instances are used by one thread at a time, unless `parallel` says more."""

    @property
    def name(self) -> str:
        """Uniform name of the model: `embedded`, `onnx:<name or directory>`."""

    @property
    def window_s(self) -> float:
        """The longest piece of audio, in seconds, that one call may hold."""

    def recognise(self, batch: Sequence[Samples]) -> list[Segment]:
        """Recognise pieces of speech.

        Args:
            batch: samples, each of shape `(n_samples,)`, float32, mono, 16 kHz, no longer than `window_s`.

        Returns:
            One segment per piece, in order, with times relative to the start of its piece (`start_s` 0, `end_s` the
            length of the piece); its text is empty where nothing was heard.
        """

    def close(self) -> None:
        """Free the weights."""
