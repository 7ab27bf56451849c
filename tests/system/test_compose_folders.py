"""The service `folders` of compose.yaml gives the directories of the host to the user of the containers."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.system.composition import FOR_OVERLAYS, Service, composition

OVERLAYS = sorted(path.name for path in ROOT.glob("compose*.yaml") if path.name != "compose.yaml")


def targets(service: Service) -> set[str]:
    return {str(volume).split(":")[1] for volume in service.get("volumes", [])}


@pytest.mark.parametrize("overlay", [None, *OVERLAYS])
def test_every_directory_gets_its_owner(tmp_path: Path, variables_of_env: dict[str, str], overlay: str | None) -> None:
    """The program runs as Compose puts it together, with a `chown` and a `chattr` that write their arguments."""
    service = composition(variables_of_env)["services"]["folders"]
    mounted = targets(service)
    if overlay is not None:
        over = composition(variables_of_env | FOR_OVERLAYS, overlay)["services"].get("folders", {})
        service, mounted = service | over, mounted | targets(over)
    for name in ("chown", "chattr"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\necho "${0##*/} $@"\n', encoding="utf-8")
        program.chmod(0o755)
    command = [*service["entrypoint"], *service["command"]]
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=True)
    attribute, owner = done.stdout.splitlines()
    assert attribute == "chattr +S /s3_data"
    assert owner.split()[:2] == ["chown", "10001:10001"]
    assert set(owner.split()[2:]) == mounted
