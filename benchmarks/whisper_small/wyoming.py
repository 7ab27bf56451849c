"""A peer: the server wyoming-faster-whisper from PyPI, in a separate process."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

_CHUNK_BYTES = 32_000  # a second
_START_S = 120


@dataclass(frozen=True)
class WyomingServer:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    def recognise(self, samples: Samples) -> str:
        """Send a clip as its protocol wants it, 16-bit numbers in chunks, and wait for the text."""
        return asyncio.run(self._ask(samples))

    def cpu_s(self) -> float:
        """Processor seconds that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def _ask(self, samples: Samples) -> str:
        from wyoming.asr import Transcribe, Transcript  # noqa: PLC0415  not every environment has it
        from wyoming.audio import AudioChunk, AudioStart, AudioStop  # noqa: PLC0415
        from wyoming.client import AsyncTcpClient  # noqa: PLC0415

        sound = {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1}
        data = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()
        async with AsyncTcpClient("127.0.0.1", self.port) as client:
            await client.write_event(Transcribe(language="ru").event())
            await client.write_event(AudioStart(**sound).event())
            for begin in range(0, len(data), _CHUNK_BYTES):
                await client.write_event(AudioChunk(audio=data[begin : begin + _CHUNK_BYTES], **sound).event())
            await client.write_event(AudioStop().event())
            while (event := await client.read_event()) is not None:
                if Transcript.is_type(event.type):
                    return str(Transcript.from_event(event).text)
        raise RuntimeError("wyoming-faster-whisper gave no text")


@contextmanager
def wyoming_server(model: Path) -> Iterator[WyomingServer]:
    """Start the server with a CTranslate2 model, greedy, on one thread; its default is to write times."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "uri": f"tcp://127.0.0.1:{port}",
        "model": str(model),
        "language": "ru",
        "compute-type": "int8",
        "beam-size": "1",
        "cpu-threads": "1",
        "stt-library": "faster-whisper",
        "data-dir": tempfile.gettempdir(),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "wyoming_faster_whisper", *words, "--local-files-only"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield WyomingServer(port, process)
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("wyoming-faster-whisper did not start")
