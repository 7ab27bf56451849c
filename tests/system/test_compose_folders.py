"""The service `folders` of compose.yaml gives the directories of the host to the user of the containers."""

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.system.composition import FOR_OVERLAYS, Service, composition

OVERLAYS = sorted(path.name for path in ROOT.glob("compose.*.yaml"))
LAID_OVER = [(), *((name,) for name in OVERLAYS), *combinations(OVERLAYS, 2)]


def targets(service: Service) -> set[str]:
    return {str(volume).split(":")[1] for volume in service.get("volumes", [])}


@pytest.mark.parametrize("overlays", LAID_OVER, ids=" ".join)
def test_every_directory_gets_its_owner(
    tmp_path: Path, variables_of_env: dict[str, str], overlays: tuple[str, ...]
) -> None:
    """The script hands over what is mounted, with a `chown` and a `chattr` that write their arguments."""
    service = composition(variables_of_env)["services"]["folders"]
    mounted = targets(service)
    for overlay in overlays:
        over = composition(variables_of_env | FOR_OVERLAYS, overlay)["services"].get("folders", {})
        service, mounted = service | over, mounted | targets(over)
    for name in ("chown", "chattr"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\necho "${0##*/} $@"\n', encoding="utf-8")
        program.chmod(0o755)
    for place in mounted:
        (tmp_path / place.lstrip("/")).mkdir()
    command = [re.sub(r"(?<= )/(?=\w+[ ;])", f"{tmp_path}/", part) for part in service["command"]]
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(
        [*service["entrypoint"], *command], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    attribute, *owners = done.stdout.replace(str(tmp_path), "").splitlines()
    assert attribute == "chattr +S /s3_data"
    assert sorted(owners) == sorted(f"chown 10001:10001 {place}" for place in mounted)
