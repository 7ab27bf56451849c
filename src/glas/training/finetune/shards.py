"""Names of the shards (files with clips) of a fine-tuning."""

from typing import Final

TRAIN: Final = "train"
DEV: Final = "dev"
REPLAY: Final = "replay"


def kept_shard(name: str) -> str:
    """Return the name of the shard that contains a set on which the model must not become worse."""
    return f"kept-{name}"
