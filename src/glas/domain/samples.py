"""Define the type of samples of sound.

The type is in a separate module, because the modules with other types of Glas import Pydantic. Importing Pydantic would
slow down the start of a decoder process.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ: Final = 16_000

Samples: TypeAlias = npt.NDArray[np.float32]
"""Sound of one channel at 16 kHz, shape `(n_samples,)`, in -1..1."""
