"""Test `glas train whisper-base --smoke`, from the official weights to a model that the server uses."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.domain.metrics import error_rates
from tests.conftest import Sample, Server


@pytest.mark.slow
@pytest.mark.timeout(800)
def test_the_whole_way_and_the_server_transcribes_with_it(
    tmp_path: Path,
    whisper_base: Path,
    glas_environment: dict[str, str],
    start_glas: Callable[..., AbstractContextManager[Server]],
    samples: list[Sample],
) -> None:
    for package in ("torch", "espeakng_loader", "pymorphy3"):
        pytest.importorskip(package, reason="training dependencies are not installed (see `make train-setup`)")
    model = tmp_path / "model"
    command = [sys.executable, "-m", "glas", "train", "whisper-base", "--smoke", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "--base", str(whisper_base), "--to", str(model)],
        env=glas_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()}
    assert {"model.bin", "lm.npz", "SHA256SUMS", "README.md", "adapter/adapter_model.safetensors"} <= made
    with start_glas(GLAS_MODEL=f"whisper:{model}") as server:
        data = samples[0].path.read_bytes()
        answer = httpx.post(f"{server.url}/predict", files={"file": data}, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    # Two steps change nothing: the text is still the official weights' own.
    assert error_rates([samples[0].text], [answer.json()["prediction"]]).wer < 0.5


def test_missing_packages_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name in {"torch", "espeakng_loader"} else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    result = CliRunner().invoke(app, ["train", "whisper-base", "--smoke"])
    assert result.exit_code == 1
    assert "torch, espeakng_loader" in result.output
    assert "make train-setup" in result.output


def test_missing_weights_are_named_with_the_way_out(tmp_path: Path) -> None:
    for package in ("torch", "espeakng_loader", "pymorphy3"):
        pytest.importorskip(package, reason="training dependencies are not installed (see `make train-setup`)")
    result = CliRunner().invoke(app, ["train", "whisper-base", "--smoke", "--base", str(tmp_path / "nothing")])
    assert result.exit_code == 1
    assert "glas models get whisper-base" in result.output
