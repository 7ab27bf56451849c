"""Measure everything but recognition for a 10 s message: upload, decoding, speech detection, answer.

A real server process with an engine that answers at once is asked again and again; its processor time and that of its
decoding children is read from /proc. Beside it, in the same run, the same bytes go through faster-whisper's decoder and
speech detector in one process without any server: the ratio says what the door, the queue and the sandbox add.

    python benchmarks/overhead.py [REQUESTS]
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import httpx
from faster_whisper.audio import decode_audio
from faster_whisper.vad import get_speech_timestamps

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.under_load.server import cpu_s
from benchmarks.under_load.speech import recording
from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples

CLIP_S = 10


class SilentEngine:
    """Answers at once, so that only the work around an engine is measured."""

    name = "embedded"
    window_s = 30.0
    abilities = Abilities()

    def recognise(self, batch: Sequence[Samples], _options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Return empty texts."""
        return [Hypothesis(text="", duration_s=len(samples) / SAMPLE_RATE_HZ, model=self.name) for samples in batch]

    def close(self) -> None:
        """Do nothing."""


def measure_server(data: bytes, requests: int) -> tuple[float, float]:
    """Return the processor ms per request, and the median wall ms."""
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        # What the server logs comes before the address.
        url = next((line.strip() for line in process.stdout or () if line.startswith("http")), "")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            form = {"response_format": "verbose_json"}
            for _ in range(5):
                http.post("/v1/audio/transcriptions", files={"file": data}, data=form).raise_for_status()
            before, walls = cpu_s(process.pid), []
            for _ in range(requests):
                began = time.perf_counter()
                http.post("/v1/audio/transcriptions", files={"file": data}, data=form).raise_for_status()
                walls.append(time.perf_counter() - began)
            return 1000 * (cpu_s(process.pid) - before) / requests, 1000 * statistics.median(walls)
    finally:
        process.terminate()
        process.wait()


def measure_peer(data: bytes, rounds: int) -> float:
    """Return the processor ms of faster-whisper's decoder and speech detector for the same bytes."""
    get_speech_timestamps(decode_audio(BytesIO(data)))
    before = time.process_time()
    for _ in range(rounds):
        get_speech_timestamps(decode_audio(BytesIO(data)))
    return 1000 * (time.process_time() - before) / rounds


def serve() -> None:
    """Run nn_service with the silent engine on a free port, and print the address."""
    import asyncio  # noqa: PLC0415 - only the child needs these
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from glas.launch.connections import entered  # noqa: PLC0415
    from glas.nn_service.app import create_app  # noqa: PLC0415
    from glas.settings import Settings  # noqa: PLC0415

    async def main() -> None:
        app = create_app(Settings(_env_file=None), key=None, load=lambda _name: SilentEngine())
        async with entered([app]):
            with socket.create_server(("127.0.0.1", 0)) as sock:
                print(f"http://127.0.0.1:{sock.getsockname()[1]}", flush=True)
                config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
                await uvicorn.Server(config).serve(sockets=[sock])

    asyncio.run(main())


def main() -> None:
    """Measure both and print the ratio."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    data = recording(CLIP_S)
    ours, wall = measure_server(data, requests)
    peer = measure_peer(data, requests)
    print(f"{CLIP_S} s Ogg/Opus, {len(data)} bytes, {requests} requests")
    print(f"  whole server without recognition   {ours:6.1f} ms of processor time   (median wall {wall:.1f} ms)")
    print(f"  faster-whisper decode + VAD alone  {peer:6.1f} ms of processor time")
    print(f"  ratio                              {ours / peer:6.2f}")


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
