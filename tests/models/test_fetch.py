"""Download weights from a test hub over real HTTP: complete, interrupted, with wrong bytes, and missing."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glas.domain.errors import (
    HubUnreachableError,
    ModelError,
    ModelFileMissingError,
    ModelLoadError,
    UnknownModelError,
)
from glas.engines.catalogue import is_on_disk, local_directory
from glas.engines.fetch import fetch_model
from glas.engines.load import load_engine
from glas.engines.sources import hub as hub_client
from tests.models.gigaam_layout import gigaam_ctc, sing
from tests.models.hub_server import Hub, files_of, serving

NAME = "gigaam-v3-ctc"
NETWORK = "v3_ctc.int8.onnx"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "PAUSE_S", 0.01)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """The repository of GigaAM v3 with a tiny model, in both precisions, and with files that no engine needs."""
    files = files_of(gigaam_ctc(tmp_path / "repository", int8_says=("б", "в", "а")))
    files |= {"README.md": b"# GigaAM v3", "v3_rnnt_encoder.onnx": b"another model", "v3_ctc.yaml": b"x: 1"}
    with serving(Hub("istupakov/gigaam-v3-onnx", files)) as served:
        yield served


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def test_a_fetched_model_is_whole_real_and_recognises(hub: Hub, models_dir: Path) -> None:
    directory = fetch_model(NAME, models_dir, endpoint=hub.address)
    assert directory == local_directory(models_dir, NAME)
    assert {path.name for path in directory.iterdir()} == {NETWORK, "v3_vocab.txt", "config.json"}
    assert not any(path.is_symlink() for path in models_dir.rglob("*"))
    assert [path.name for path in models_dir.iterdir()] == [directory.name], "nothing temporary stays"
    assert load_engine(NAME, models_dir=models_dir).recognise([sing("абв")])[0].text == "бва"


def test_a_second_fetch_asks_nobody(hub: Hub, models_dir: Path) -> None:
    fetch_model(NAME, models_dir, endpoint=hub.address)
    asked = len(hub.requests)
    assert fetch_model(NAME, models_dir, endpoint=hub.address).is_dir()
    assert len(hub.requests) == asked


def test_fp32_is_fetched_where_it_is_asked_for(hub: Hub, models_dir: Path) -> None:
    directory = fetch_model(NAME, models_dir, precision="fp32", endpoint=hub.address)
    assert {path.name for path in directory.glob("*.onnx")} == {"v3_ctc.onnx"}


def test_fp32_is_fetched_where_the_hub_has_no_int8(hub: Hub, models_dir: Path) -> None:
    del hub.files[NETWORK]
    assert (fetch_model(NAME, models_dir, endpoint=hub.address) / "v3_ctc.onnx").is_file()


def test_the_hub_of_the_environment_is_asked(hub: Hub, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.address}/")
    fetch_model(f"onnx:{NAME}", models_dir)
    assert is_on_disk(models_dir, NAME)


def test_progress_grows_to_the_size_of_each_file(hub: Hub, models_dir: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    def note(file: str, done: int, total: int) -> None:
        told.setdefault(file, []).append((done, total))

    hub.cut_after = [30, 20]  # the first file arrives in three pieces
    fetch_model(NAME, models_dir, note, endpoint=hub.address)
    assert told.pop("config.json") == [(0, 62), (30, 62), (50, 62), (62, 62)]
    assert set(told) == {NETWORK, "v3_vocab.txt"}
    for file, steps in told.items():
        assert steps == sorted(steps)
        assert steps[-1] == (len(hub.files[file]), len(hub.files[file]))


def test_a_broken_line_is_mended_within_one_fetch(hub: Hub, models_dir: Path) -> None:
    hub.cut_after = [300, 200, 100]
    fetch_model(NAME, models_dir, endpoint=hub.address)
    assert is_on_disk(models_dir, NAME)
    assert sum(hub.sent.values()) == sum(len(hub.files[file]) for file in hub.sent), "no byte was sent twice"


def test_a_fetch_that_gave_up_is_continued_by_the_next(hub: Hub, models_dir: Path) -> None:
    hub.cut_after = [10_000, 10_000, 400, 0, 0, 0]  # the texts, then a piece of the network, then nothing thrice
    hub.files = dict(sorted(hub.files.items(), key=lambda item: item[0].endswith(".onnx")))
    with pytest.raises(HubUnreachableError):
        fetch_model(NAME, models_dir, endpoint=hub.address)
    assert not is_on_disk(models_dir, NAME), "nothing half is taken for a model"
    assert not local_directory(models_dir, NAME).exists()
    fetch_model(NAME, models_dir, endpoint=hub.address)
    assert is_on_disk(models_dir, NAME)
    assert hub.sent[NETWORK] == len(hub.files[NETWORK]), "the second fetch went on where the first one stopped"


def test_a_proxy_that_knows_no_ranges_spoils_nothing(hub: Hub, models_dir: Path) -> None:
    hub.cut_after, hub.deaf = [10_000, 10_000, 400], True
    fetch_model(NAME, models_dir, endpoint=hub.address)
    assert load_engine(NAME, models_dir=models_dir).recognise([sing("абв")])[0].text == "бва"


def test_bytes_that_are_not_those_of_the_hash_are_refused_and_deleted(hub: Hub, models_dir: Path) -> None:
    hub.lies = True
    with pytest.raises(ModelLoadError, match=r"expected (sha256|git) [0-9a-f]+, got [0-9a-f]+"):
        fetch_model(NAME, models_dir, endpoint=hub.address)
    hub.lies = False
    fetch_model(NAME, models_dir, endpoint=hub.address)
    assert is_on_disk(models_dir, NAME)


def test_a_directory_begun_by_hand_is_completed(hub: Hub, models_dir: Path) -> None:
    directory = local_directory(models_dir, NAME)
    directory.mkdir(parents=True)
    (directory / "notes.txt").write_text("mine", encoding="utf-8")
    fetch_model(NAME, models_dir, endpoint=hub.address)
    assert is_on_disk(models_dir, NAME)
    assert (directory / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in models_dir.iterdir()] == [directory.name]


def test_two_fetches_at_once_do_not_write_over_each_other(hub: Hub, models_dir: Path) -> None:
    refused: list[str] = []

    def fetch_again(*_: object) -> None:
        with pytest.raises(ModelError) as error:
            fetch_model(NAME, models_dir, endpoint=hub.address)
        refused.append(str(error.value))

    fetch_model(NAME, models_dir, fetch_again, endpoint=hub.address)
    assert is_on_disk(models_dir, NAME)
    assert all("is already being downloaded" in message for message in refused)
    assert refused


def test_files_in_folders_keep_their_folders(models_dir: Path) -> None:
    names = ["am-onnx/encoder.int8.onnx", "am-onnx/decoder.int8.onnx", "am-onnx/joiner.int8.onnx", "lang/tokens.txt"]
    files = {name: name.encode() for name in [*names, "am-onnx/encoder.onnx", "old/am-onnx/encoder.int8.onnx"]}
    with serving(Hub("alphacep/vosk-model-ru", files)) as hub:
        directory = fetch_model("vosk-model-ru", models_dir, endpoint=hub.address)
    assert set(files_of(directory)) == set(names)


def test_a_repository_without_the_files_is_refused(hub: Hub, models_dir: Path) -> None:
    del hub.files["v3_vocab.txt"]
    with pytest.raises(ModelFileMissingError, match=r"istupakov/gigaam-v3-onnx lacks v3_vocab\.txt"):
        fetch_model(NAME, models_dir, endpoint=hub.address)


def test_no_hub_is_told_at_once_with_what_to_do(models_dir: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        began_s = time.monotonic()
        with pytest.raises(HubUnreachableError) as error:
            fetch_model(NAME, models_dir, endpoint=address)
    assert time.monotonic() - began_s < 5
    for hint in (
        address,
        str(local_directory(models_dir, NAME)),
        "https://huggingface.co/istupakov/gigaam-v3-onnx/tree/main",
        f"{NETWORK}, v3_vocab.txt, config.json",
        "HF_ENDPOINT",
        "GLAS_MODEL=embedded",
    ):
        assert hint in str(error.value)


def test_a_hub_that_never_answers_is_given_up(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_client.REACH_S < 10, "a person waits no longer than that"
    monkeypatch.setattr(hub_client, "REACH_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began_s = time.monotonic()
        with pytest.raises(HubUnreachableError, match="HF_ENDPOINT"):
            fetch_model(NAME, models_dir, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began_s < 3


def test_something_else_than_a_hub_is_not_believed(models_dir: Path) -> None:
    with serving(Hub("somebody/else", {})) as hub, pytest.raises(HubUnreachableError, match="answers 404"):
        fetch_model(NAME, models_dir, endpoint=hub.address)


def test_the_hub_of_these_tests_speaks_as_the_real_one_does(hub: Hub) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="the hub's own client is not installed")
    info = huggingface_hub.HfApi(endpoint=hub.address).model_info(hub.repository, revision="main", files_metadata=True)
    told = {sibling.rfilename: sibling for sibling in info.siblings}
    with hub_client.client() as http:
        ours = {file.path: file for file in hub_client.listing(http, hub.address, hub.repository)}
    assert set(told) == set(ours)
    assert ours[NETWORK].digest == told[NETWORK].lfs["sha256"]
    assert ours["config.json"].digest == told["config.json"].blob_id
    assert [file.size for file in ours.values()] == [told[path].size for path in ours]
    # The addresses of the files too: the hub's client finds them where ours does.
    url = huggingface_hub.hf_hub_url(hub.repository, NETWORK, revision=info.sha, endpoint=hub.address)
    assert url == ours[NETWORK].url


def test_what_is_on_no_hub_is_not_fetched(models_dir: Path) -> None:
    with pytest.raises(UnknownModelError):
        fetch_model("no-such-model", models_dir, endpoint="http://127.0.0.1:9")
