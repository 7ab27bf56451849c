"""An export in a separate process that kills itself.

A fork server imports the code once, because imports take seconds.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.data_loader import export
from glas.domain.transcription import Samples
from glas.settings import Settings
from tests.parts.export_world import opened_world

if TYPE_CHECKING:
    from glas.audio.decoder import DecoderPool


class InlineDecoder:
    """Decodes in this process, because starting a confined process takes a second."""

    @contextmanager
    def open(self, data: memoryview) -> Iterator[Iterator[Samples]]:
        """The blocks of a file."""
        yield decode_blocks(bytes(data), DecodeLimits())


def export_until_killed(data_dir: Path, directory: Path, step: str, times: int) -> None:
    """Export in small pages, and end the process when `step` has happened `times` times."""
    seen: Counter[str] = Counter()
    export._PAGE = 3

    def on_step(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == times:
            os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        settings = Settings(_env_file=None, data_dir=data_dir)
        async with opened_world(settings, decoder=cast("DecoderPool", InlineDecoder())) as world:
            world.directory = directory
            await world.export(on_step=on_step)

    asyncio.run(run())
