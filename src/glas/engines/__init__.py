"""Engines recognise pieces of speech.

A *model* is weights on disk; an *engine* is a model that is loaded into memory.
"""

from collections.abc import Sequence
from typing import Protocol

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.transcription import Hypothesis, Samples


class Engine(Protocol):
    """A loaded model. Several threads may call `recognise` at the same time."""

    @property
    def name(self) -> str:
        """Uniform name of the model: `embedded`, `onnx:<name or directory>` or `whisper:<name or directory>`."""

    @property
    def window_s(self) -> float:
        """Length in seconds of the longest piece that one call accepts."""

    @property
    def abilities(self) -> Abilities:
        """The options that the model supports, and the best number of pieces in a batch."""

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Recognise pieces of speech.

        Args:
            batch: the samples of each piece: shape `(n_samples,)`, float32, mono, 16 kHz. No piece may be longer than
                `window_s`.
            options: options of recognition. The caller must refuse options that the model does not support; see
                `abilities`.

        Returns:
            One hypothesis for each piece, in order, with times relative to the start of the piece. If nothing was
            recognised, the hypothesis has an empty text and no segments.
        """

    def close(self) -> None:
        """Free the memory of the weights."""
