"""Compare the processor time of two recognisers on the same recordings."""

import time
from collections.abc import Sequence
from statistics import median

from glas.recognition.recogniser import Recogniser
from glas.recognition.references import Utterance

ROUNDS = 3
RECORDINGS = 24


def slower_by(champion: Recogniser, candidate: Recogniser, utterances: Sequence[Utterance]) -> float:
    """Return the relative difference in processor time: 0.05 means that the candidate needs 5 % more processor time.

    Each recording is recognised several times by each of the two models. Only the shortest time of each model for each
    recording is used, because other programs on the machine can increase this time, but cannot decrease it. The result
    is the median of the relative differences of all recordings. Decoding runs in other processes and is the same for
    both models, so it is not counted. Nothing else may run in this process during the measurement.

    Args:
        champion: a recogniser with the present default model.
        candidate: a recogniser with the model that is compared with the champion.
        utterances: recordings. If there are more than `RECORDINGS`, this number of them is used, at equal distances in
            the sequence.
    """
    step = max(1, len(utterances) // RECORDINGS)
    ratios = []
    for one in utterances[::step][:RECORDINGS]:
        data = one.audio.read_bytes()
        times = [(_cost(champion, data), _cost(candidate, data)) for _ in range(ROUNDS)]
        before, after = (min(column) for column in zip(*times, strict=True))
        ratios.append(after / max(before, 1e-6))
    return float(median(ratios)) - 1


def _cost(recogniser: Recogniser, data: bytes) -> float:
    """Recognise one recording, and return the processor time that this process needed for it, in seconds."""
    began = time.process_time()
    recogniser.transcribe(data)
    return time.process_time() - began
