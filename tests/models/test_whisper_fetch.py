"""The original system's model by its name: downloaded over real HTTP from a test hub, converted, served."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelFileMissingError, UnknownModelError
from glas.engines.catalogue import is_on_disk, local_directory, resolve
from glas.engines.fetch import fetch_model
from glas.engines.load import load_engine
from glas.engines.safetensors import read_tensors
from tests.models.conftest import MakeWhisper
from tests.models.hub_server import Hub, files_of, serving

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models.chords import speak
from tests.models.tiny_whisper import save_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NAME = "whisper:Dok-tor/whisper-small-ru"
SAID = (1, 5, 3)
TEXT = "ёжик чай объезд"


@pytest.fixture
def hub(make_whisper: MakeWhisper) -> Iterator[Hub]:
    """The repository of whisper-small-ru with a tiny Whisper, and with files that no engine needs."""
    files = files_of(make_whisper()) | {"pytorch_model.bin": b"a pickle", "training_args.bin": b"another"}
    with serving(Hub("Dok-tor/whisper-small-ru", files)) as served:
        yield served


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def hears(models_dir: Path, name: str) -> str:
    engine = load_engine(name, models_dir=models_dir)
    return engine.recognise([speak(SAID, np.random.default_rng(3)).samples])[0].text


def test_the_model_of_the_original_system_is_fetched_converted_and_served(hub: Hub, models_dir: Path) -> None:
    with pytest.raises(ModelFileMissingError, match="glas models get whisper-small-ru"):
        load_engine(NAME, models_dir=models_dir)
    directory = fetch_model("whisper-small-ru", models_dir, endpoint=hub.address)
    assert {path.name for path in directory.iterdir()} == {
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "README.md",
    }
    assert hears(models_dir, "whisper-small-ru") == TEXT
    assert resolve("auto", models_dir) == NAME
    assert hears(models_dir, "auto") == TEXT


def test_any_whisper_of_the_hub_is_fetched_by_its_place(hub: Hub, models_dir: Path) -> None:
    name = "whisper:somebody/whisper-of-mine"
    hub.repository = "somebody/whisper-of-mine"
    with pytest.raises(ModelFileMissingError, match="glas models get whisper:somebody/whisper-of-mine"):
        load_engine(name, models_dir=models_dir)
    fetch_model(name, models_dir, endpoint=hub.address)
    assert is_on_disk(models_dir, name)
    assert local_directory(models_dir, name) != local_directory(models_dir, NAME)
    assert hears(models_dir, name) == TEXT


def in_shards(checkpoint: Path) -> dict[str, bytes]:
    """The model's files with the weights in two files, as transformers saves weights above a limit."""
    tensors = read_tensors(checkpoint / "model.safetensors")
    places = {name: f"model-0000{1 + index % 2}-of-00002.safetensors" for index, name in enumerate(tensors)}
    for place in set(places.values()):
        save_tensors(checkpoint / place, {name: tensors[name] for name in tensors if places[name] == place})
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return {name: content for name, content in files_of(checkpoint).items() if name != "model.safetensors"}


def test_weights_in_several_files_are_fetched_together(hub: Hub, make_whisper: MakeWhisper, models_dir: Path) -> None:
    hub.files = in_shards(make_whisper()) | {"model.fp32-00001-of-00001.safetensors": b"another variant"}
    directory = fetch_model(NAME, models_dir, endpoint=hub.address)
    shards = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
    assert {path.name for path in directory.iterdir()} == {
        *shards,
        "model.safetensors.index.json",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "README.md",
    }
    assert is_on_disk(models_dir, NAME)
    assert hears(models_dir, NAME) == TEXT
    (directory / "model-00002-of-00002.safetensors").unlink()
    assert not is_on_disk(models_dir, NAME), "the index names what lacks"


def test_a_repository_that_lacks_a_shard_gives_no_model(hub: Hub, make_whisper: MakeWhisper, models_dir: Path) -> None:
    hub.files = in_shards(make_whisper())
    del hub.files["model-00002-of-00002.safetensors"]
    with pytest.raises(ModelFileMissingError, match=r"lacks model-00002-of-00002\.safetensors"):
        fetch_model(NAME, models_dir, endpoint=hub.address)
    assert not is_on_disk(models_dir, NAME)
    assert not local_directory(models_dir, NAME).exists()


def test_one_file_of_weights_goes_before_several(hub: Hub, make_whisper: MakeWhisper, models_dir: Path) -> None:
    checkpoint = make_whisper()
    hub.files = in_shards(checkpoint) | files_of(checkpoint)
    directory = fetch_model(NAME, models_dir, endpoint=hub.address)
    assert [path.name for path in directory.glob("*.safetensors")] == ["model.safetensors"]


def test_a_directory_may_look_like_a_place_of_the_hub(
    make_whisper: MakeWhisper, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my").mkdir()
    make_whisper().rename(tmp_path / "my" / "whisper")
    monkeypatch.chdir(tmp_path)
    assert resolve("whisper:my/whisper", models_dir) == f"whisper:{tmp_path / 'my' / 'whisper'}"
    assert hears(models_dir, "whisper:my/whisper") == TEXT
    with pytest.raises(UnknownModelError):
        resolve("whisper:nowhere", models_dir)


def test_the_commands_fetch_list_and_examine_it(hub: Hub, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GLAS_")}
    clean["GLAS_LANGUAGE"] = "ru"
    environment = clean | {"HF_ENDPOINT": hub.address, "GLAS_DATA_DIR": str(tmp_path / "data"), "GLAS_MODEL": NAME}

    def glas(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "glas", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert "✓ whisper-small-ru" in glas("models", "get", "whisper-small-ru")
    (listed,) = (line for line in glas("models").splitlines() if line.startswith(f"→ {NAME}"))
    assert "на диске" in listed
    assert f"модель Whisper small, русская ({NAME}): «" in glas("doctor")
