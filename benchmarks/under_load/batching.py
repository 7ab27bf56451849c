"""Measure the time for a piece of speech alone and in a batch, without a server."""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.under_load.speech import SAMPLES, decoded
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.load import load_engine
from glas.settings import Settings

BATCHES = (1, 4, 8)


def batching(lengths_s: Sequence[int]) -> None:
    """Processor time of a piece in calls of one, four and eight pieces of a length."""
    settings = Settings()
    engine = load_engine(settings.model, models_dir=settings.models_dir)
    speech = np.tile(np.concatenate([decoded(path) for path in SAMPLES]), 4)
    print(f"{engine.name}: wants {engine.abilities.batch_size} pieces in a call; one thread")
    print("length  " + "".join(f"  cpu ms/piece by {size}" for size in BATCHES))
    for length_s in lengths_s:
        pieces = [speech[start : start + length_s * SAMPLE_RATE_HZ] for start in range(0, 8 * 16_000, 16_000)]
        costs: dict[int, list[float]] = {size: [] for size in BATCHES}
        for _ in range(3):  # in turns, so that whatever else runs harms all alike
            for size in BATCHES:
                began = time.process_time()
                for first in range(0, len(pieces), size):
                    engine.recognise(pieces[first : first + size])
                costs[size].append((time.process_time() - began) / len(pieces))
        print(f"{length_s:4d} s  " + "".join(f"{1000 * min(costs[size]):19.0f}" for size in BATCHES))
