"""`glas train embedded --smoke` from nothing to a model that the real server hears with."""

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
from tests.conftest import Sample, Server


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_whole_way_and_the_server_hears_with_it(
    tmp_path: Path,
    glas_environment: dict[str, str],
    start_glas: Callable[..., AbstractContextManager[Server]],
    samples: list[Sample],
) -> None:
    for package in ("torch", "espeakng_loader", "pymorphy3", "onnx"):
        pytest.importorskip(package, reason="training dependencies are not installed (see `make train-setup`)")
    model = tmp_path / "model"
    command = [sys.executable, "-m", "glas", "train", "embedded", "--smoke", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "--to", str(model)], env=glas_environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"model.int8.onnx", "vocab.txt", "config.json", "lm.npz", "SHA256SUMS", "README.md"} <= {
        path.name for path in model.iterdir()
    }
    assert "Held-out espeak-ng voices" in (model / "README.md").read_text(encoding="utf-8")
    with start_glas(GLAS_MODEL=f"onnx:{model}") as server:
        data = samples[0].path.read_bytes()
        answer = httpx.post(f"{server.url}/predict", files={"file": data}, timeout=60, trust_env=False)
        served = httpx.get(f"{server.url}/v1/models", trust_env=False).json()
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["prediction"], str)
    assert str(model) in str(served)


def test_missing_packages_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name in {"torch", "espeakng_loader"} else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    result = CliRunner().invoke(app, ["train", "embedded", "--smoke"])
    assert result.exit_code == 1
    assert "torch, espeakng_loader" in result.output
    assert "make train-setup" in result.output


def test_real_readers_without_the_stranger_are_refused(tmp_path: Path) -> None:
    for package in ("torch", "espeakng_loader", "pymorphy3", "onnx"):
        pytest.importorskip(package, reason="training dependencies are not installed (see `make train-setup`)")
    (tmp_path / "voxforge").mkdir()
    result = CliRunner().invoke(
        app, ["train", "embedded", "prepare", "--data", str(tmp_path), "--voxforge", str(tmp_path / "voxforge")]
    )
    assert result.exit_code == 1
    assert "festvox-ru" in result.output
