"""Functions that all engines use: check the pieces of a batch, and make the result of a piece without speech."""

from collections.abc import Sequence

import numpy as np

from glas.domain.errors import AudioTooLongError, InvalidParameterError
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples

# Below a tenth of a second no word is spoken, and feature extractors fail on less than one window (25 ms).
MIN_SAMPLES = SAMPLE_RATE_HZ // 10

# If audio is cut by time, rounding may make a piece slightly too long. Such a piece must not be refused.
_WINDOW_SLACK_S = 0.1


def check_pieces(batch: Sequence[Samples], *, window_s: float, model: str) -> None:
    """Raise an error if a piece of a batch cannot be recognised.

    Raises:
        InvalidParameterError: a piece is not an array of samples (float32, one channel, finite numbers).
        AudioTooLongError: a piece is longer than `window_s`.
    """
    for index, samples in enumerate(batch):
        if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype != np.float32:
            is_array = isinstance(samples, np.ndarray)
            got = f"shape {samples.shape}, dtype {samples.dtype}" if is_array else type(samples).__name__
            raise InvalidParameterError(
                f"Piece {index} of the batch: expected samples of shape (n_samples,), dtype float32; got {got}."
            )
        if not np.isfinite(samples).all():
            raise InvalidParameterError(f"Piece {index} of the batch: expected finite samples; got NaN or infinity.")
        length_s = samples.size / SAMPLE_RATE_HZ
        if length_s > window_s + _WINDOW_SLACK_S:
            raise AudioTooLongError(
                f"Piece {index} of the batch: expected at most {window_s:g} s ({model}); got {length_s:.1f} s."
            )


def nothing_heard(samples: Samples, model: str, language: str = "ru") -> Hypothesis:
    """Return the hypothesis for a piece in which nothing was recognised."""
    return Hypothesis(text="", duration_s=samples.size / SAMPLE_RATE_HZ, language=language, model=model)
