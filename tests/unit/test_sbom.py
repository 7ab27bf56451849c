"""Test that the bill of materials contains all pinned packages, and no others."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.sbom import bill, images, packages
from tests.conftest import ROOT

RUN = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")


def test_every_pinned_package_is_a_component_with_its_hashes() -> None:
    """The packages are counted in the requirements file by a simpler parser."""
    found = list(packages(RUN))
    pins = re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==(\S+)", RUN)
    assert sorted((one["name"], one["version"]) for one in found) == sorted(pins)
    hashes = [note["value"] for one in found for note in one["properties"] if note["name"] == "glas:file-sha256"]
    assert hashes == re.findall(r"sha256:([0-9a-f]{64})", RUN)
    (numpy,) = {one["purl"].partition("@")[0] for one in found if one["name"] == "numpy"}
    assert numpy == "pkg:pypi/numpy"


def test_images_and_the_embedded_model_are_components() -> None:
    """Each image that is not built here is a component with its version."""
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("compose.yaml", "compose.tls.yaml"))
    named = {line.split("image: ")[1] for line in text.splitlines() if "image: " in line}
    assert {f"{one['name']}:{one['version']}" for one in images(text)} == named
    (model,) = [one for one in bill()["components"] if one["type"] == "machine-learning-model"]
    sums = (ROOT / "models" / "whisper-base-ru" / "SHA256SUMS").read_text(encoding="utf-8")
    assert f"{model['hashes'][0]['content']}  model.bin" in sums


def test_the_file_is_the_same_each_time_and_every_reference_is_unique(tmp_path: Path) -> None:
    """The file has no random parts, so that two builds can be compared."""
    for name in ("one", "two"):
        command = [sys.executable, str(ROOT / "deploy" / "sbom.py"), str(tmp_path / "made" / name)]
        subprocess.run(command, check=True, capture_output=True, env={})
    one, two = ((tmp_path / "made" / name).read_bytes() for name in ("one", "two"))
    assert one == two
    read = json.loads(one)
    assert (read["bomFormat"], read["specVersion"]) == ("CycloneDX", "1.6")
    references = [component["bom-ref"] for component in read["components"]]
    assert len(references) == len(set(references)) > 50


@pytest.mark.parametrize("line", ["numpy>=2", "numpy==2.0", "-e .", "numpy @ file:///x"])
def test_a_requirement_without_hashes_is_refused(line: str) -> None:
    """A requirement without a hash could install any file."""
    with pytest.raises(ValueError, match="pinned with hashes"):
        list(packages(f"{RUN}\n{line}\n"))
