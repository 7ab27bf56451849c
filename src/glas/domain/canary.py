"""Choose the people whom a candidate answers, by a number (bucket) that does not show who the people are.

The bot sends a bucket to nn_service with each recording: a number from 0 to 99, computed from the person's pseudonym. A
person always has the same bucket, and each bucket contains about a hundredth of all people. A candidate answers the
people of some buckets.
"""

import hashlib
from typing import Final

from glas.domain.model_ref import ModelRef

N_BUCKETS: Final = 100


def chosen_buckets(model: str, share: float) -> frozenset[int]:
    """Return the buckets of the people whom a candidate answers.

    If the share is increased, the candidate keeps its buckets and gets more buckets. Different candidates get different
    buckets, so that new models are not always tried on the same people.

    Args:
        model: uniform name of the candidate, such as `onnx:gigaam-v3-ctc`.
        share: share of people, 0..1; it is rounded to hundredths.
    """
    ranked = sorted(range(N_BUCKETS), key=lambda bucket: _digest(f"{model} {bucket}"))
    return frozenset(ranked[: round(share * N_BUCKETS)])


def is_drawn(number: int, model: ModelRef, share: float) -> bool:
    """Return whether a second model also recognises a message.

    The second model recognises a random part of all messages.

    Args:
        number: id of the message. For the same message, model and share, the result is always the same.
        model: name and version of the second model.
        share: part of all messages that the second model also recognises, 0..1.
    """
    drawn = int.from_bytes(_digest(f"{model} {number}")[:8])
    return drawn < share * 2**64


def _digest(name: str) -> bytes:
    return hashlib.sha256(f"glas canary {name}".encode()).digest()
