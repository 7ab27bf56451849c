"""Test swaps: new weights for a name, aliases, versions, and the limit of models."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from glas.domain.errors import ConflictError, GlasError, OverloadedError, UnknownModelError
from glas.recognition.job import Job
from tests.unit.model_disk import Disk, is_closed, registry_of


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_a_swap_keeps_the_limit_too(disk: Disk) -> None:
    """The replaced model is unloaded, even while it is used; the default model never is."""
    registry = registry_of(disk, most=1)
    registry.load("embedded")
    with registry.lease("auto", Job()) as model:
        registry.swap("auto", "onnx:second")
        assert list(registry.loaded()) == ["onnx:second"]
        assert not is_closed(model)
    assert is_closed(model)
    with pytest.raises(OverloadedError, match="MAX_MODELS is 1"):
        registry.swap("candidate", "onnx:third")
    assert list(registry.loaded()) == ["onnx:second"]
    wider = registry_of(disk, most=2)
    for name in ("embedded", "onnx:third"):
        wider.load(name)
    wider.swap("candidate", "onnx:fourth")
    assert set(wider.loaded()) == {"embedded", "onnx:fourth"}


def test_an_alias_means_a_model_until_it_means_another(disk: Disk) -> None:
    registry = registry_of(disk)
    with pytest.raises(UnknownModelError):
        registry.find("candidate")
    registry.swap("candidate", "onnx:second")
    assert registry.find("candidate") == "onnx:second"
    assert registry.aliases_of("onnx:second") == ["candidate"]
    registry.swap("candidate", "onnx:third")
    with registry.lease(registry.canonical("candidate"), Job()) as model:
        assert model.ref.name == "onnx:third"
    assert registry.aliases_of("onnx:second") == []
    assert registry.default == "embedded"


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("onnx:second", "onnx:third", ConflictError),
        ("second", "onnx:third", ConflictError),
        ("nobody", None, UnknownModelError),
        ("A b", "embedded", UnknownModelError),
    ],
)
def test_the_name_of_a_model_means_its_own_files(
    disk: Disk, name: str, target: str | None, expected: type[GlasError]
) -> None:
    """The name of a model cannot be an alias of another model; a new alias needs a model."""
    registry = registry_of(disk)
    with pytest.raises(expected):
        registry.swap(name, target)
    assert disk.loads == []


def test_new_weights_under_the_old_name_are_another_version(disk: Disk) -> None:
    registry = registry_of(disk)
    with registry.lease("auto", Job()) as old:
        disk.versions["embedded"] = 2
        fresh = registry.swap("embedded")
        assert (str(old.ref), str(fresh.ref)) == ("embedded@version 1", "embedded@version 2")
    with registry.lease("auto", Job()) as model:
        assert model is fresh


def test_files_that_are_replaced_while_they_are_loaded_are_loaded_again(disk: Disk) -> None:
    """Otherwise texts of the old files would have the version of the new files."""
    registry = registry_of(disk)
    disk.door.clear()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(registry.load, "embedded")
        assert disk.began.acquire(timeout=20)
        disk.versions["embedded"] = 2
        disk.door.set()
        loading.result(20)
    assert disk.loads == ["embedded", "embedded"]
    assert registry.loaded()["embedded"].version == "version 2"


def test_a_load_that_began_before_a_swap_does_not_undo_it(disk: Disk) -> None:
    """If a model is swapped while it is loaded, all requests get the swapped model, and the other copy is closed."""
    registry = registry_of(disk)
    disk.door.clear()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(registry.load, "onnx:second")
        assert disk.began.acquire(timeout=20)
        disk.held = False
        fresh = registry.swap("onnx:second")
        disk.door.set()
        loading.result(20)
    assert registry.loaded() == {"onnx:second": fresh}
    assert sorted(engine.is_closed for engine in disk.engines) == [False, True]


def test_a_request_that_waited_through_a_swap_needs_no_room_for_the_old_model(disk: Disk) -> None:
    """The meaning of an alias is resolved when the request begins, not while it waits."""
    registry = registry_of(disk, most=1)
    registry.load("embedded")
    name = registry.canonical("whisper-1")
    registry.swap("auto", "onnx:second")
    with registry.lease(name, Job()) as model:
        assert model.ref.name == "onnx:second"
    assert disk.loads == ["embedded", "onnx:second"]


def test_going_back_loads_nothing(disk: Disk) -> None:
    """The previous model stays in memory longer than other models, so it can serve again at once."""
    registry = registry_of(disk, keep_alive_s=0.01, keep_former_s=60)
    registry.load("embedded")
    registry.swap("auto", "onnx:second")
    for name in ("onnx:third", "onnx:fourth"):
        registry.load(name)
    assert set(registry.loaded()) == {"embedded", "onnx:second", "onnx:fourth"}
    time.sleep(0.02)
    assert registry.unload_idle() == ["onnx:fourth"]
    disk.loads.clear()
    old = registry.loaded()["embedded"]
    assert registry.swap("auto", "embedded") is old
    assert not is_closed(old)
    assert registry.default == "embedded"
    assert disk.loads == []


def test_other_weights_of_the_model_before_are_loaded(disk: Disk) -> None:
    registry = registry_of(disk, keep_former_s=60)
    registry.load("embedded")
    old = registry.loaded()["embedded"]
    registry.swap("auto", "onnx:second")
    disk.versions["embedded"] = 2
    assert registry.swap("auto", "embedded").version == "version 2"
    assert is_closed(old)


def test_a_model_with_an_alias_is_not_unloaded_for_rest(disk: Disk) -> None:
    registry = registry_of(disk, keep_alive_s=0.01)
    registry.load("embedded")
    registry.swap("candidate", "onnx:second")
    registry.load("onnx:third")
    time.sleep(0.02)
    assert registry.unload_idle() == ["onnx:third"]
