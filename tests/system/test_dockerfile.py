"""Test the Dockerfile without Docker: what it copies and installs, and what a linter says of it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_GPU, _TRAINING = "nn_service_gpu", "training"
IMAGES = ("tg_bot", "nn_service", "db_assist", "data_loader", "backup", _TRAINING, "web")


def test_the_image_is_made_of_what_is_there() -> None:
    """Sources of COPY exist; requirements are pinned, hashed and minimal."""
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    sources = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == one or Path(source).match(one) for one in let_in), source
    pins = _pins("run")
    for image in IMAGES:
        assert f"requirements/{image}.txt" in sources
        own = _pins(image)
        assert own.items() <= (_pins("dev") if image == _TRAINING else pins).items(), image
        assert not {"torch", "transformers"} & {name for name, _ in own}, image
        assert ("onnxruntime" in {name for name, _ in own}) == (image in ("nn_service", _TRAINING)), image
        assert image in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"requirements/{_GPU}.txt" in sources
    added = dict(_pins(_GPU).items() - _pins("nn_service").items())
    assert {name for name, _ in added} == {"nvidia-cublas-cu12", "nvidia-cuda-nvrtc-cu12", "nvidia-cudnn-cu12"}


def _pins(name: str) -> dict[tuple[str, str], str]:
    """Return versions by package and marker; each has a hash, and no address of an index."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    found = re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==(\S+)( ;.*)? \\\n    --hash=sha256:", text)
    assert len(found) == len(re.findall(r"(?m)^\w", text))
    return {(package, ""): version for package, version, _marker in found}


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    """Hadolint knows Docker's and Debian's rules; the exceptions stand in the Dockerfile, each with its reason."""
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not there for this machine")
    done = subprocess.run([linter, "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
