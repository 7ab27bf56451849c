"""Test the command line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from glas import __version__ as version
from glas.cli import app
from glas.cli.sources import Source, file_names
from glas.domain.metrics import error_rates
from tests.conftest import Sample, Server

Glas = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def glas(glas_environment: dict[str, str], tmp_path: Path) -> Glas:
    """Run `glas …` in an empty directory; return the finished process."""

    def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "glas", *map(str, arguments)]
        return subprocess.run(
            command, input=stdin, capture_output=True, check=False, cwd=tmp_path, env=glas_environment, timeout=150
        )

    return run


@pytest.fixture
def glas_here(glas_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Glas:
    """Run `glas …` in this process, which has imported everything already."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GLAS_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [*map(str, arguments)]
        done = CliRunner().invoke(app, command, input=stdin, env=glas_environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return subprocess.CompletedProcess(command, done.exit_code, done.stdout_bytes, done.stderr_bytes)

    return run


def test_samples_become_text(glas: Glas, samples: list[Sample]) -> None:
    """All samples are recognised, in the order of the arguments."""
    done = glas("transcribe", *(sample.path for sample in samples))
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(sample.path) for sample in samples]
    heard = [line.partition(": ")[2] for line in lines]
    assert error_rates([sample.text for sample in samples], heard).wer <= 0.25


def test_a_broken_file_does_not_stop_the_others(glas_here: Glas, samples: list[Sample], tmp_path: Path) -> None:
    """The broken file is reported, the other files are recognised, and the exit code shows the error."""
    broken = tmp_path / "broken.ogg"
    broken.write_bytes(b"OggS" + bytes(100))
    out = tmp_path / "out"
    done = glas_here(
        "transcribe", broken, samples[0].path, tmp_path / "missing.wav", samples[1].path, "--format", "srt", "-o", out
    )
    assert done.returncode == 1
    assert sorted(path.name for path in out.iterdir()) == sorted(s.path.stem + ".srt" for s in samples[:2])
    complaints = done.stderr.decode()
    assert "broken.ogg" in complaints
    assert "missing.wav" in complaints
    assert "Traceback" not in complaints


def test_standard_input_and_json(glas_here: Glas, short_wav: bytes) -> None:
    """`-` reads a file from a pipe; JSON contains words with times."""
    done = glas_here("transcribe", "-", "--format", "json", stdin=short_wav)
    body = json.loads(done.stdout)
    assert body["file"] == "stdin"
    assert body["text"] == " ".join(word["word"] for word in body["words"])


def test_json_is_the_servers_verbose_json(glas_here: Glas, server: Server, samples: list[Sample]) -> None:
    """The JSON is in the server's format, with rounded numbers."""
    done = glas_here("transcribe", samples[0].path, "--format", "json")
    body = json.loads(done.stdout)
    asked = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    files = {"file": samples[0].path.read_bytes()}
    served = httpx.post(
        f"{server.url}/v1/audio/transcriptions", data=asked, files=files, trust_env=False, timeout=60
    ).json()
    for taken in ("processing_seconds", "elapsed_seconds"):
        assert body.pop(taken) > 0
        assert served.pop(taken) > 0
    assert body.pop("file") == str(samples[0].path)
    assert body == served
    assert not re.search(r"\d\.\d{7,}", done.stdout.decode())


def test_auto_needs_nothing_fetched(glas_here: Glas) -> None:
    """The service `model` of compose.yaml succeeds with GLAS_MODEL=auto, without a download."""
    done = glas_here("models", "get", "auto")
    assert (done.returncode, "скачивать нечего" in done.stdout.decode()) == (0, True), done.stderr


def test_texts_of_the_same_name_do_not_overwrite_each_other(
    glas_here: Glas, samples: list[Sample], tmp_path: Path
) -> None:
    """a/voice.ogg, b/voice.ogg and a/voice.opus give three texts."""
    names = ("a/voice.ogg", "b/voice.ogg", "a/voice.opus")
    for name, sample in zip(names, samples, strict=False):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(sample.path.read_bytes())
    assert glas_here("transcribe", *names, "-o", "out").returncode == 0
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert set(texts) == {"a_voice.ogg.txt", "b_voice.ogg.txt", "voice.opus.txt"}
    assert len(set(texts.values())) == 3


@given(st.lists(st.from_regex(r"([a-b]/){0,2}[a-b](\.(ogg|Ogg|wav)){0,2}", fullmatch=True), min_size=1, max_size=8))
@example(["a", "a", "a (2)"])
@example(["a/b.ogg", "a_b.ogg", "b/b.ogg"])
def test_names_of_outputs_are_never_the_same(names: list[str]) -> None:
    found = file_names([Source(name, limit_mb=1) for name in names])
    assert len({name.casefold() for name in found}) == len(names)
    assert not any("/" in name for name in found)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("transcribe", "a.ogg", "b.ogg", "--format", "srt"), 2, "--output"),
        (("transcribe", "-", "-"), 2, "Стандартный ввод"),
        (("transcribe", "a.ogg", "--model", "onnx:gigaam-v3-ctc"), 1, "glas models get"),
        (("transcribe", "a.ogg", "--model", "onnx:gigaam-v3-ctx"), 1, "gigaam-v3-ctc"),
    ],
)
def test_wrong_use_is_explained(glas_here: Glas, arguments: tuple[str, ...], code: int, said: str) -> None:
    """Each mistake gives an explanation and an exit code."""
    done = glas_here(*arguments)
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_an_unknown_part_is_refused(glas_here: Glas) -> None:
    done = glas_here("run", "nobody")
    assert done.returncode == 1
    assert "nn_service" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_public_address_without_a_key_is_refused(glas_here: Glas, glas_environment: dict[str, str]) -> None:
    """A public address requires a key."""
    glas_environment["GLAS_HOST"] = "0.0.0.0"  # noqa: S104
    try:
        done = glas_here("run")
    finally:
        del glas_environment["GLAS_HOST"]
    assert done.returncode == 1
    assert "GLAS_API_KEY" in done.stderr.decode()


def test_models_and_doctor(glas_here: Glas) -> None:
    """The list contains the models on disk; the doctor recognises a sample and reports no errors."""
    listed = glas_here("models").stdout.decode()
    assert "→ embedded" in listed
    assert "onnx:gigaam-v3-ctc" in listed
    checked = glas_here("doctor")
    assert checked.returncode == 0, checked.stdout.decode()
    assert "(embedded): «" in checked.stdout.decode()
    assert "база данных: встроенная" in checked.stdout.decode()


def test_the_version_is_told(glas: Glas) -> None:
    done = glas("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"Глас {version}\n")


def test_a_wrong_token_is_told_under_its_own_name(glas_here: Glas, glas_environment: dict[str, str]) -> None:
    glas_environment["TELEGRAM_TOKEN"] = "no token at all"
    try:
        done = glas_here("models")
    finally:
        del glas_environment["TELEGRAM_TOKEN"]
    assert done.returncode == 2
    assert " TELEGRAM_TOKEN" in done.stderr.decode()
    assert "GLAS_TELEGRAM_TOKEN" not in done.stderr.decode()


def test_a_model_is_chosen_and_the_choice_taken_back(glas_here: Glas) -> None:
    """A model that is not on disk cannot be chosen; the error says how to get it."""
    assert "✓ Whisper base, русская (embedded): выбрана" in glas_here("models", "use", "embedded").stdout.decode()
    assert "Whisper base, русская (выбрана: glas models use)" in glas_here("models").stdout.decode()
    refused = glas_here("models", "use", "gigaam-v3-ctc")
    assert (refused.returncode, "glas models get gigaam-v3-ctc" in refused.stderr.decode()) == (1, True)
    assert "лучшая из тех, что на диске" in glas_here("models", "use", "auto").stdout.decode()
    assert "выбрана" not in glas_here("models").stdout.decode()


@pytest.mark.parametrize(
    "command",
    [(), ("transcribe",), ("run",), ("models",), ("models", "get"), ("models", "use"), ("doctor",), ("evaluate",)],
)
def test_help_teaches(command: tuple[str, ...]) -> None:
    """Every command has a help text in Russian."""
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert len(re.findall(r"[а-яё]{3,}", done.output)) >= 8


def test_products_of_numpy_stay_in_one_thread(glas_environment: dict[str, str]) -> None:
    """Waiting threads of OpenBLAS took a third of a message's processor time."""
    code = (
        "import sys; sys.argv = ['glas', '--help']\n"
        "from glas.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "import os, numpy as np\n"
        "np.ones((512, 512), np.float32) @ np.ones((512, 512), np.float32)\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    environment = {name: value for name, value in glas_environment.items() if not name.startswith("OPENBLAS")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1"
