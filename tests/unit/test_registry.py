"""The registry: models come, are shared, are replaced and go, and nobody who uses one notices."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import ConflictError, GlasError, ModelLoadError, OverloadedError, UnknownModelError
from glas.domain.transcription import Hypothesis, Samples
from glas.recognition.job import AbandonedError, Job
from glas.recognition.loaded import LoadedModel
from glas.recognition.names import DEFAULT_NAMES, ModelNames
from glas.recognition.registry import Registry

ON_DISK = ("embedded", "onnx:second", "onnx:third", "onnx:fourth")


class Loaded:
    """An engine that only knows whether it is closed."""

    window_s = 30.0
    abilities = Abilities()

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_closed = False

    def recognise(self, batch: Sequence[Samples], _options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        raise NotImplementedError(batch)

    def close(self) -> None:
        self.is_closed = True


class Disk:
    """Loads models, slowly if the test wants, and counts."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.door = threading.Event()
        self.door.set()
        self.held = True  # whether loads wait for the door
        self.engines: list[Loaded] = []
        self.began = threading.Semaphore(0)
        self.broken: set[str] = set()
        self.versions = dict.fromkeys(ON_DISK, 1)

    def load(self, name: str) -> Loaded:
        self.loads.append(name)
        self.began.release()
        assert not self.held or self.door.wait(20)
        if name in self.broken:
            raise ModelLoadError(f"{name} is broken")
        self.engines.append(Loaded(name))
        return self.engines[-1]

    def version_of(self, name: str) -> str:
        return f"version {self.versions[name]}"

    def resolve(self, name: str) -> str:
        for full in ON_DISK:
            if name in (full, full.rpartition(":")[2]):
                return full
        raise UnknownModelError(f"no {name}", param="model")


def is_closed(model: LoadedModel) -> bool:
    assert isinstance(model.engine, Loaded)
    return model.engine.is_closed


@pytest.fixture
def disk() -> Disk:
    return Disk()


def registry_of(disk: Disk, *, most: int = 3, keep_alive_s: float = 0) -> Registry:
    return Registry(
        ModelNames(disk.resolve, default="embedded", available=lambda: ON_DISK),
        disk.load,
        version_of=disk.version_of,
        most=most,
        keep_alive_s=keep_alive_s,
    )


def test_names_of_openai_mean_the_default_model(disk: Disk) -> None:
    registry = registry_of(disk)
    assert {registry.find(name) for name in DEFAULT_NAMES} == {"embedded"}
    assert registry.find("second") == registry.find("onnx:second") == "onnx:second"
    assert registry.names() == list(ON_DISK)


@pytest.mark.parametrize("name", ["nobody", "onnx:/etc", "onnx:../../embedded", "fifth"])
def test_only_what_is_on_disk_can_be_asked_for(disk: Disk, name: str) -> None:
    """A caller cannot make the service open a directory of their choice."""
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
    """The one who left gets his error; those who stay get the model."""
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
    """The default changes for whoever comes next; nobody is without a model in between."""
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
    """Eight threads use the default model all the time; no engine closes under any of them."""
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


def test_a_swap_keeps_the_limit_too(disk: Disk) -> None:
    """The model that was replaced goes, even while it is used; that of the default name never does."""
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
    """It can be no alias of another model; and what is no name of a model needs one to mean."""
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
    """Otherwise the version of the new files would stand beside texts of the old ones."""
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
    """A request loads a model, slowly; it is swapped meanwhile: all get what was swapped in, and the copy is closed."""
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
    """What its alias means is looked up when its turn comes."""
    registry = registry_of(disk, most=1)
    registry.load("embedded")
    name = registry.canonical("whisper-1")
    registry.swap("auto", "onnx:second")
    with registry.lease(name, Job()) as model:
        assert model.ref.name == "onnx:second"
    assert disk.loads == ["embedded", "onnx:second"]
