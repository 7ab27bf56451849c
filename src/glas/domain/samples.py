"""Samples of sound. They are apart from other types, because a decoder process would import Pydantic with those."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ: Final = 16_000

Samples: TypeAlias = npt.NDArray[np.float32]
"""Sound of one channel at 16 kHz, shape `(n_samples,)`, in -1..1."""
