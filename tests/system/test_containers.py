"""compose.yaml in containers made from namespaces: which ports they reach, what they may do, and a message through all.

`make containers` runs these tests, and `test_whole` in such containers. `make test` does not, because they take half a
minute of processor time. They need root with CAP_SYS_ADMIN and CAP_NET_ADMIN, like `test_machines`.
"""

import contextlib
import io
import os
import re
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from glas.domain.metrics import error_rates
from tests.conftest import Sample
from tests.system.acting import final_replies
from tests.system.composition import CALL_THE_INTERNET, CALLS, composition
from tests.system.containers import INTERNET, Containers, open_containers, open_host
from tests.system.namespaces import Namespace, why_impossible
from tests.telegram.server import TelegramServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif("IN_CONTAINERS" not in os.environ, reason="runs with IN_CONTAINERS; see `make containers`"),
]
PATIENCE_S = 60.0
PERSON = 6_300_000_001
PORTS = {
    "db": {5432},
    # The parts of SeaweedFS; only the first port requires keys.
    "s3": {8333, 8888, 9333, 9340, 18333, 18888, 19333, 19340, 23646, 33646},
    "db_assist": {8002},
    "data_loader": {8003},
    "nn_service": {8001},
    "tg_bot": {8005},
    "web": {8000},
}
"""The ports on which each container listens for others."""
ROWS = "SELECT status, audio_key, text FROM transcriptions"


@pytest.fixture(scope="module")
def internet() -> Iterator[tuple[Namespace, TelegramServer]]:
    """Start the host, and Telegram in the internet."""
    if reason := why_impossible():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(open_host())
        listener = host.call(lambda: socket.create_server((INTERNET, 0)))
        yield host, stack.enter_context(TelegramServer(listener=listener))


@pytest.fixture(scope="module")
def running(internet: tuple[Namespace, TelegramServer], variables_of_env: dict[str, str]) -> Iterator[Containers]:
    """Start all containers."""
    host, telegram = internet
    described = composition(variables_of_env | {"GLAS_TELEGRAM_API_URL": telegram.url})
    with (
        TemporaryDirectory(prefix="glas-") as directory,
        open_containers(described, host, Path(directory)) as containers,
    ):
        for batch in containers.batches():
            for part in batch:
                part.start()
            for part in batch:
                part.wait()
        yield containers


def test_a_message_passes(
    running: Containers,
    internet: tuple[Namespace, TelegramServer],
    samples: list[Sample],
    variables_of_env: dict[str, str],
) -> None:
    """A recording gets its text; both are in the database and in the object store, which returns the same bytes."""
    _, telegram = internet
    sound = samples[0].path.read_bytes()
    telegram.say(PERSON, "/start")
    message = telegram.speak(PERSON, sound)["message_id"]
    _until(lambda: message in final_replies(telegram), running)
    text: str = final_replies(telegram)[message][0]["text"]
    assert error_rates([samples[0].text], [text]).wer < 0.3
    query = ["psql", "-h", "/run/postgresql", "-U", variables_of_env["DB_USER"], "-d", variables_of_env["DB_NAME"]]
    _until(lambda: "_audio" in _ask(running, "db", [*query, "-Atc", ROWS]), running)
    assert _ask(running, "db", [*query, "-Atc", ROWS]).strip() == f"done|1/1_audio.ogg|{text}"
    telegram.say(PERSON, "/mydata")
    _until(lambda: bool(_archives(telegram)), running)
    with zipfile.ZipFile(io.BytesIO(_archives(telegram)[0])) as archive:
        assert sound in [archive.read(name) for name in archive.namelist()]


def _archives(telegram: TelegramServer) -> list[bytes]:
    return [data for data in telegram.world.documents.values() if data.startswith(b"PK")]


def test_only_allowed_ports_answer(running: Containers, internet: tuple[Namespace, TelegramServer]) -> None:
    """From each container, only ports of containers that it calls or that call it can be reached."""
    listening = {name: one.open_ports() for name, one in running.all.items() if one.open_ports()}
    assert listening == PORTS | {"s3_fsync": PORTS["s3"]}
    calls = {(caller, one) for caller, called in CALLS.items() for one in called}
    partners = calls | {(called, caller) for caller, called in calls}
    _, telegram = internet
    port = int(telegram.url.rpartition(":")[2])
    for name, container in running.all.items():
        if container.service.get("network_mode", "").startswith("service:"):
            continue
        found = container.call(partial(_scan, running, name))
        assert found == {(one, at) for one in PORTS if (name, one) in partners for at in PORTS[one]}, name
        assert container.call(lambda: _is_open(INTERNET, port)) == (name in CALL_THE_INTERNET), name


def _scan(running: Containers, source: str) -> set[tuple[str, int]]:
    """Return the ports of other containers that this thread can reach from its network."""
    return {
        (name, port)
        for name, ports in PORTS.items()
        for port in ports
        for address in running.all[name].addresses.values()
        if name != source and _is_open(address, port)
    }


def _is_open(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), 0.3):
        return True
    return False


def test_no_program_has_rights(running: Containers) -> None:
    """No process is root, or has or can get capabilities; only the stated directories can be written."""
    own = {"db": {"/run/postgresql", "/var/lib/postgresql/data"}, "s3": {"/data"}, "data_loader": {"/downloads"}}
    for name in PORTS:
        pids = running.parts[name].pids()
        assert pids, name
        for pid in pids:
            try:
                text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            except (FileNotFoundError, ProcessLookupError):
                # It has ended, as a decoder or a health check does.
                continue
            status = dict(re.findall(r"(?m)^(\w+):\s+(.*)$", text))
            assert set(status["Uid"].split()) == {"999" if name == "db" else "10001"}, (name, status)
            assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0, (name, status)
            # PostgreSQL began as root, and cannot get the capabilities back.
            assert name == "db" or int(status["CapBnd"], 16) == 0, (name, status)
            assert status["NoNewPrivs"] == "1", (name, status)
            assert len(status["NSpid"].split()) == 2, (name, status)
        mounts = [line.split() for line in Path(f"/proc/{pids[0]}/mountinfo").read_text(encoding="utf-8").splitlines()]
        assert {one[4] for one in mounts if one[5].startswith("rw") and one[4] not in _KERNEL} == own.get(
            name, set()
        ) | _MEMORY, name


_MEMORY = {"/tmp", "/dev/shm"}  # noqa: S108 - as in the containers
_KERNEL = {"/proc", *(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))}


def test_all_end_when_asked(running: Containers) -> None:
    """Each program ends with exit code 0."""
    for batch in reversed(running.batches()):
        for part in batch:
            assert part.stop() == 0, (part.name, part.tail())


def _ask(running: Containers, name: str, program: list[str]) -> str:
    """Run a program in a container, and return its output."""
    container = running.all[name]
    done = subprocess.run(
        container.inside(program), env=container.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _until(condition: Callable[[], bool], running: Containers) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        tails = "\n".join(f"--- {name}\n{part.tail()}" for name, part in running.parts.items())
        assert time.monotonic() < deadline, tails
        time.sleep(0.2)
