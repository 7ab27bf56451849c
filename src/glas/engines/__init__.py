"""Engines: loaded recognisers. A *model* is weights on disk; an *engine* is a model that is ready to hear."""

from collections.abc import Sequence
from typing import Protocol

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.transcription import Hypothesis, Samples


class Engine(Protocol):
    """A loaded recogniser. Several threads may call `recognise` at once."""

    @property
    def name(self) -> str:
        """Uniform name of the model: `embedded`, `onnx:<name or directory>`."""

    @property
    def window_s(self) -> float:
        """The longest piece of audio, in seconds, that one call may hold."""

    @property
    def abilities(self) -> Abilities:
        """What the model can do."""

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Recognise pieces of speech.

        Args:
            batch: samples, each of shape `(n_samples,)`, float32, mono, 16 kHz, no longer than `window_s`.
            options: what the caller asks for; what lies beyond `abilities` is the caller's to refuse.

        Returns:
            One hypothesis per piece, in order, with times relative to the start of its piece; its text is empty and it
            has no segments where nothing was heard.
        """

    def close(self) -> None:
        """Free the weights."""
