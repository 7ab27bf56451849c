"""Test `glas run` as a process: its output, its end, and its parts in separate processes."""

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from benchmarks.under_load.server import cpu_s
from glas.launch.lock import holder_of
from tests.conftest import Sample, Server
from tests.parts.hostile import silent_flac, silent_opus
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN as TOKEN_OF_BOT

Start = Callable[..., AbstractContextManager[Server]]
KEY = "a-key-of-callers-that-is-long-enough"
TOKEN = "a-token-between-parts-long-enough"


def test_the_start_shows_that_it_hears(server: Server, samples: list[Sample]) -> None:
    """The greeting contains the recognised text of a sample, the speed, and the address of the page."""
    assert "Глас запущен и распознаёт речь" in server.greeting
    assert samples[0].path.name in server.greeting
    assert re.search("раза? быстрее речи", server.greeting)
    assert "glas models get onnx:" in server.greeting.replace(str(Path(sys.executable).parent) + "/", "")
    assert httpx.get(server.url, trust_env=False, timeout=60).headers["content-type"].startswith("text/html")


def test_a_log_for_programs_has_nothing_but_json(glas_environment: dict[str, str], tmp_path: Path) -> None:
    environment = glas_environment | {"GLAS_LOG__FORMAT": "json", "GLAS_DATA_DIR": str(tmp_path)}
    environment |= {"GLAS_DB_ASSIST__PORT": "0", "GLAS_DB_ASSIST_TOKEN": TOKEN}
    command = [sys.executable, "-m", "glas", "run", "db_assist"]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, **output) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        lines: list[str] = []
        while "Glas has started" not in (line := process.stdout.readline()) and line:
            lines.append(line)
        process.terminate()
        entries: list[dict[str, Any]] = [json.loads(one) for one in [*lines, line, *process.stdout]]
    assert entries[-1]["event"] == "stopped"
    (started,) = (entry for entry in entries if entry["event"] == "Glas has started")
    assert (started["parts"], list(started["addresses"])) == (["db_assist"], ["db_assist"])


def test_the_bot_is_said_to_run_only_once_telegram_has_answered(start_glas: Start) -> None:
    with (
        TelegramServer() as telegram,
        start_glas(TELEGRAM_TOKEN=TOKEN_OF_BOT, GLAS_TELEGRAM_API_URL=telegram.url) as heard,
    ):
        assert "Бот       запущен" in heard.greeting
    with start_glas(TELEGRAM_TOKEN=TOKEN_OF_BOT, GLAS_TELEGRAM_API_URL="http://127.0.0.1:9") as alone:
        assert "Бот       Telegram пока не отвечает" in alone.greeting
        assert "запущен:" not in alone.greeting
        assert httpx.get(f"{alone.url}/health", trust_env=False, timeout=60).status_code == 200


def test_a_server_that_listens_everywhere_says_where_to_go(start_glas: Start) -> None:
    with start_glas(GLAS_HOST="0.0.0.0", GLAS_API_KEY=KEY) as server:  # noqa: S104
        assert "0.0.0.0" not in server.greeting  # noqa: S104
        assert re.search(r"Страница  http://127\.0\.0\.1:\d+", server.greeting)
        assert httpx.get(f"{server.url}/health", trust_env=False, timeout=60).status_code == 200


def test_a_signal_lets_running_work_finish(start_glas: Start, long_wav: bytes) -> None:
    """After SIGTERM a running recording is still recognised completely, and the exit code is 0."""
    part = long_wav[: 44 + 20 * 32_000]
    with ThreadPoolExecutor(1) as callers, start_glas(is_new=True) as server:
        url = f"{server.url}/predict"
        call = callers.submit(httpx.post, url, files={"file": part}, timeout=90, trust_env=False)
        while not httpx.get(f"{server.url}/health", trust_env=False, timeout=60).json()["in_flight"]:
            assert not call.done(), "it was over before the signal; the recording must be longer"
        server.process.terminate()
        answer = call.result()
    assert answer.status_code == 200
    assert answer.json()["prediction"]
    assert server.process.returncode == 0


@pytest.mark.parametrize("delay_s", [0.0, 2.0, 4.0])
def test_a_signal_during_the_start_is_an_end_like_any_other(
    delay_s: float, glas_environment: dict[str, str], tmp_path: Path
) -> None:
    """The exit code is 0, there is no traceback, and the directory is free."""
    environment = glas_environment | {"GLAS_DATA_DIR": str(tmp_path), "GLAS_PORT": "0"}
    command = [sys.executable, "-m", "glas", "run"]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "Загружаю" in process.stderr.readline()
        time.sleep(delay_s)
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    assert holder_of(tmp_path) is None


def test_bombs_are_refused_quickly_and_in_little_memory(server: Server, samples: list[Sample]) -> None:
    """A day of silence in a few megabytes takes much less processor time than its decoding, and no memory."""
    voice = {"file": samples[0].path.read_bytes()}
    # Decoders start with the first recording.
    httpx.post(f"{server.url}/predict", files=voice, trust_env=False, timeout=30).raise_for_status()
    before, most_kb = cpu_s(server.process.pid), peak_kb(server.process.pid, anew=True) + 64 * 1024
    for bomb in (silent_flac(86_400), silent_opus(86_400)):
        answer = httpx.post(f"{server.url}/predict", files={"file": bomb}, timeout=60, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "audio_too_long")
    spent_s = cpu_s(server.process.pid) - before
    # The same machine decodes an hour of each file to the end. The server needs about a sixth of the time for a day.
    assert spent_s <= 0.4 * 24 * sum(decoding_s(bomb) for bomb in (silent_flac(3_600), silent_opus(3_600)))
    heard = httpx.post(f"{server.url}/predict", files=voice, trust_env=False, timeout=30)
    assert heard.json()["prediction"]
    assert peak_kb(server.process.pid) <= most_kb


def decoding_s(data: bytes) -> float:
    """Return the processor time in seconds that decoding a file takes."""
    began_s = time.process_time()
    with av.open(io.BytesIO(data), "r") as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 0
    return time.process_time() - began_s


def peak_kb(pid: int, *, anew: bool = False) -> int:
    """Return the largest memory of a process, in kB; with `anew` the measurement restarts."""
    if anew:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


def test_a_foreign_host_name_is_refused(server: Server) -> None:
    """A foreign page whose name points to 127.0.0.1 cannot read answers."""
    answer = httpx.get(f"{server.url}/health", headers={"Host": "evil.example"}, trust_env=False, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_page_and_recogniser_apart(start_glas: Start, samples: list[Sample]) -> None:
    """With two processes, callers need the key and parts their token; streams are passed on, the key is not."""
    data = samples[0].path.read_bytes()
    with (
        start_glas("nn_service", is_new=True, GLAS_NN_SERVICE_TOKEN=TOKEN) as recogniser,
        start_glas("web", GLAS_NN_SERVICE_URL=recogniser.url, GLAS_NN_SERVICE_TOKEN=TOKEN, GLAS_API_KEY=KEY) as page,
        httpx.Client(timeout=30, trust_env=False) as http,
    ):
        for url, key in ((page.url, TOKEN), (page.url, "-"), (recogniser.url, KEY)):
            refused = http.post(f"{url}/predict", files={"file": data}, headers={"Authorization": f"Bearer {key}"})
            assert refused.status_code == 401
            assert refused.json()["error"]["code"] == "invalid_api_key"
        mine = {"Authorization": f"Bearer {KEY}"}
        heard = http.post(f"{page.url}/predict", files={"file": data}, headers=mine).json()["prediction"]
        assert heard
        form = {"stream": "true"}
        events = http.post(f"{page.url}/v1/audio/transcriptions", files={"file": data}, data=form, headers=mine)
        assert events.headers["content-type"].startswith("text/event-stream")
        assert heard in events.text
        recogniser.process.kill()
        recogniser.process.wait()
        gone = http.post(f"{page.url}/predict", files={"file": data}, headers=mine)
        assert (gone.status_code, gone.json()["error"]["code"]) == (502, "service_unreachable")


def test_command_line_asks_a_remote_service(
    start_glas: Start, samples: list[Sample], glas_environment: dict[str, str]
) -> None:
    """With GLAS_NN_SERVICE_URL the command line loads no model."""
    with start_glas("nn_service", GLAS_NN_SERVICE_TOKEN=TOKEN) as recogniser:
        remote = {"GLAS_NN_SERVICE_URL": recogniser.url, "GLAS_NN_SERVICE_TOKEN": TOKEN, "GLAS_MODEL": "onnx:absent"}
        done = subprocess.run(
            [sys.executable, "-m", "glas", "transcribe", str(samples[0].path)],
            env=glas_environment | remote,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip()
