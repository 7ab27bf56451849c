"""Test compose.training.yaml: with its command and variables, learning reaches the parts that compose.yaml starts."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Postgres, Sample
from tests.system.composition import composition
from tests.system.forking import Zygote
from tests.system.worlds import World, apart_world, clean_environment
from tests.telegram.server import TelegramServer


def learnt_once(world: World, variables: dict[str, str], data: Path, sets: Path) -> subprocess.CompletedProcess[str]:
    """Run the container's command once, with addresses and directories of this machine in place of the container's."""
    service = composition(variables | {"GLAS_LANGUAGE": "en"}, "compose.training.yaml")["services"]["training"]
    told = service["environment"] | {
        "GLAS_DB_ASSIST_URL": str(world.settings.db_assist_url),
        "GLAS_DATA_LOADER_URL": str(world.settings.data_loader_url),
        "GLAS_DOWNLOADS_DIR": str(world.directory / "downloads"),
        "GLAS_DATA_DIR": str(data),
    }
    command = shlex.split(service["command"].replace("/sets", str(sets)))
    every = command.index("--every")
    del command[every : every + 2]
    return subprocess.run(
        [sys.executable, "-m", "glas", *command],
        env=clean_environment() | told,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_round_of_learning_reaches_the_parts(
    *,
    postgres: Postgres,
    variables_of_env: dict[str, str],
    zygote: Zygote,
    whisper_base: Path,
    samples: list[Sample],
    tmp_path: Path,
) -> None:
    """Learning lets data_loader export, and says that there is nothing to learn from yet."""
    guard = tmp_path / "sets" / "guard"
    guard.mkdir(parents=True)
    shutil.copy(samples[0].path, guard)
    row = {"file_name": samples[0].path.name, "text": samples[0].text}
    (guard / "metadata.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    (models / whisper_base.name).symlink_to(whisper_base)
    with (
        TelegramServer() as telegram,
        apart_world(tmp_path / "world", telegram, postgres, variables_of_env, zygote=zygote) as world,
    ):
        done = learnt_once(world, variables_of_env, tmp_path / "data", guard.parent)
    # Nobody has spoken, so that is all it can say: it has asked data_loader for an export, and looked at it.
    assert done.returncode == 1
    assert "messages 0" in done.stdout
    assert "too few corrected recordings" in done.stderr
    assert not (tmp_path / "data" / "rounds").exists()


def test_only_who_may_read_peoples_recordings_sees_the_rounds(variables_of_env: dict[str, str]) -> None:
    """nn_service decodes files of strangers, and `model` calls the internet."""
    over = composition(variables_of_env, "compose.training.yaml")["services"]
    seen = {name for name, one in over.items() if any("/data/rounds" in volume for volume in one.get("volumes", []))}
    assert seen == {"training", "data_loader"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "install -d -o glas -g glas /data /data/rounds\n" in dockerfile, (
        "a new volume belongs to the user of the image"
    )
