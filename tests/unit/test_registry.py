"""Test the registry: models are loaded, shared, replaced and unloaded without an effect on running requests."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from glas.domain.errors import ModelLoadError, OverloadedError, UnknownModelError
from glas.recognition.job import AbandonedError, Job
from glas.recognition.names import DEFAULT_NAMES
from tests.unit.model_disk import ON_DISK, Disk, is_closed, registry_of


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_names_of_openai_mean_the_default_model(disk: Disk) -> None:
    registry = registry_of(disk)
    assert {registry.find(name) for name in DEFAULT_NAMES} == {"embedded"}
    assert registry.find("second") == registry.find("onnx:second") == "onnx:second"
    assert registry.names() == list(ON_DISK)


@pytest.mark.parametrize("name", ["nobody", "onnx:/etc", "onnx:../../embedded", "fifth"])
def test_only_what_is_on_disk_can_be_asked_for(disk: Disk, name: str) -> None:
    """A caller cannot make the service open an arbitrary directory."""
    with pytest.raises(UnknownModelError, match="embedded"):
        registry_of(disk).find(name)
    assert disk.loads == []


def test_many_who_ask_at_once_load_once(disk: Disk) -> None:
    registry = registry_of(disk)
    disk.door.clear()

    def use() -> int:
        with registry.lease("onnx:second", Job()) as model:
            return id(model)

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(use) for _ in range(8)]
        assert disk.began.acquire(timeout=20)
        disk.door.set()
        assert len({user.result(20) for user in users}) == 1
    assert disk.loads == ["onnx:second"]


def test_a_model_that_cannot_be_loaded_is_everybody_s_error_and_tried_again(disk: Disk) -> None:
    registry = registry_of(disk)
    disk.broken.add("onnx:second")
    disk.door.clear()
    with ThreadPoolExecutor(3) as pool:
        users = [pool.submit(registry.load, "onnx:second") for _ in range(3)]
        assert disk.began.acquire(timeout=20)
        disk.door.set()
        for user in users:
            with pytest.raises(ModelLoadError):
                user.result(20)
    disk.broken.clear()
    registry.load("onnx:second")
    assert "onnx:second" in registry.loaded()


def test_whoever_waits_for_a_model_may_go_away(disk: Disk) -> None:
    """A cancelled request gets an error; the other waiting requests get the model."""
    registry, impatient = registry_of(disk), Job()
    disk.door.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(registry.load, "onnx:second")
        assert disk.began.acquire(timeout=20)
        second, third = pool.submit(registry.load, "onnx:second", impatient), pool.submit(registry.load, "onnx:second")
        impatient.give_up()
        with pytest.raises(AbandonedError):
            second.result(20)
        disk.door.set()
        first.result(20)
        third.result(20)
    assert disk.loads == ["onnx:second"]


def test_what_is_unloaded_closes_after_its_last_user(disk: Disk) -> None:
    registry = registry_of(disk)
    with registry.lease("onnx:second", Job()) as model:
        assert registry.unload("onnx:second")
        assert not is_closed(model)
        with registry.lease("onnx:second", Job()) as other:
            assert other is not model
    assert is_closed(model)
    assert not registry.unload("onnx:third")


def test_a_swap_serves_new_weights_and_leaves_the_old_to_those_who_began(disk: Disk) -> None:
    """New requests get the new default model, running requests keep the old one, and there is always a model."""
    registry = registry_of(disk)
    with registry.lease(registry.find("auto"), Job()) as old:
        registry.swap("embedded")  # new files under the same name
        with registry.lease("embedded", Job()) as fresh:
            assert fresh is not old
        registry.swap("auto", "onnx:second")  # another model under the same alias
        assert registry.find("whisper-1") == registry.default == "onnx:second"
        assert not is_closed(old)
    assert is_closed(old)
    assert disk.loads == ["embedded", "embedded", "onnx:second"]


def test_a_swap_that_fails_changes_nothing(disk: Disk) -> None:
    registry = registry_of(disk)
    registry.load("embedded")
    disk.broken |= {"embedded", "onnx:second"}
    for name, target in (("embedded", None), ("auto", "onnx:second")):
        with pytest.raises(ModelLoadError):
            registry.swap(name, target)
    assert registry.default == "embedded"
    assert list(registry.loaded()) == ["embedded"]
    with registry.lease("embedded", Job()) as model:
        assert not is_closed(model)


def test_no_request_fails_while_weights_are_swapped_again_and_again(disk: Disk) -> None:
    """Eight threads use the default model all the time; no engine is closed while it is used."""
    registry, stop = registry_of(disk), threading.Event()

    def use() -> int:
        uses = 0
        while not stop.is_set():
            with registry.lease(registry.find("auto"), Job()) as model:
                time.sleep(0.0002)
                assert not is_closed(model)
            uses += 1
        return uses

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(use) for _ in range(8)]
        for turn in range(100):
            disk.versions[ON_DISK[turn % 2]] = turn  # else it would not be loaded again
            registry.swap("auto", ON_DISK[turn % 2])
        stop.set()
        assert all(user.result(20) > 0 for user in users)
    assert all(not model.n_leases for model in registry.loaded().values())


def test_idle_models_go_and_the_default_stays(disk: Disk) -> None:
    registry = registry_of(disk, keep_alive_s=0.01)
    for name in ON_DISK[:3]:
        registry.load(name)
    with registry.lease("onnx:third", Job()):
        time.sleep(0.02)
        assert registry.unload_idle() == ["onnx:second"]
    assert set(registry.loaded()) == {"embedded", "onnx:third"}
    assert registry_of(disk).unload_idle() == []


def test_there_is_room_for_so_many_and_the_one_used_least_lately_makes_it(disk: Disk) -> None:
    registry = registry_of(disk, most=3)
    for name in ("embedded", "onnx:second", "onnx:third", "onnx:second"):
        registry.load(name)
    registry.load("onnx:fourth")
    assert set(registry.loaded()) == {"embedded", "onnx:second", "onnx:fourth"}
    with (
        registry.lease("onnx:second", Job()),
        registry.lease("onnx:fourth", Job()),
        pytest.raises(OverloadedError) as full,
    ):
        registry.load("onnx:third")
    assert full.value.retry_after_s is not None
    registry.load("onnx:third")
