"""Test the catalogue of models: names, places on disk, and the meaning of `auto`."""

import re
from pathlib import Path

import pytest
from onnx_asr.loader import create_asr_resolver

from glas.domain.errors import ModelFileMissingError, UnknownModelError
from glas.engines.catalogue import (
    champion,
    choose,
    embedded_directory,
    is_on_disk,
    known_model,
    known_models,
    local_directory,
    resolve,
    title_of,
)
from glas.engines.descriptions import KnownModel
from glas.engines.known import AUTO_ORDER

MODELS = pytest.mark.parametrize("model", known_models(), ids=lambda model: model.name)
ONNX_MODELS = pytest.mark.parametrize(
    "model", [model for model in known_models() if model.layout.kind != "whisper"], ids=lambda model: model.name
)


def lay_out(directory: Path, model: KnownModel) -> None:
    """Create empty files in the directory of a model."""
    for name in model.layout.files("int8" if model.int8 else "fp32"):
        path = directory / name.replace("*", "am")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_names_are_unique_long_and_short() -> None:
    names = [model.name for model in known_models()] + [m.short_name for m in known_models() if m.name != "embedded"]
    assert len(names) == len(set(names))
    assert known_models()[0].name == "embedded"


@MODELS
def test_what_is_said_of_a_model_is_whole(model: KnownModel) -> None:
    assert re.fullmatch(r"embedded|(onnx|whisper):[\w./-]+", model.name)
    assert model.licence in {"MIT", "Apache-2.0", "CC-BY-4.0", "GPL-3.0"}
    assert 20 <= model.window_s <= 30
    assert re.search("[а-я]", model.summary_ru)
    assert not re.search("[а-яА-Я]", model.summary_en)
    assert model.repository is None or model.repository.count("/") == 1
    assert model.title_ru
    assert not re.search("[а-яА-Я]", model.title_en)
    # Nobody has published figures of these two on a test that others were measured on.
    assert model.repository is None or model.wer or model.short_name in {"whisper-small", "whisper-medium"}
    for figure in model.wer:
        assert 0 < figure.wer < 0.5
        assert figure.test_set
        assert figure.normalisation
        assert figure.source
    assert model.speed is None or (model.speed.rtfx > 1 and model.speed.hardware and model.speed.source)


@ONNX_MODELS
def test_the_layouts_are_those_that_onnx_asr_looks_for(model: KnownModel, tmp_path: Path) -> None:
    precision = "int8" if model.int8 else None
    lay_out(tmp_path, model)
    files = create_asr_resolver(model.layout.kind, tmp_path).resolve_model(quantization=precision)
    assert {path.relative_to(tmp_path).as_posix() for path in files.values()} <= {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")
    }


@MODELS
def test_a_model_is_on_disk_when_all_its_files_are(model: KnownModel, tmp_path: Path) -> None:
    if model.repository is None:
        return
    assert not is_on_disk(tmp_path, model.name)
    directory = local_directory(tmp_path, model.name)
    lay_out(directory, model)
    assert is_on_disk(tmp_path, model.short_name)
    next(path for path in directory.rglob("*") if path.suffix in (".onnx", ".safetensors", ".bin")).unlink()
    assert not is_on_disk(tmp_path, model.name)


def documented_row(model: KnownModel) -> str:
    """Return a model's row in docs/models.md."""

    def percent(*sets: str) -> str:
        figures = [figure.wer for figure in model.wer if figure.test_set.startswith(sets)]
        return f"{100 * figures[-1]:.4g}" if figures else "—"

    cells = [
        f"`{model.name}`",
        "—" if model.size_mb is None else f"{model.size_mb:.0f}",
        model.licence,
        "—" if model.layout.kind == "whisper" and model.repository else "yes" if model.punctuates else "no",
        percent("Russian LibriSpeech"),
        percent("Natural Speech"),
        "—" if model.speed is None else f"{model.speed.rtfx:.0f}",
        f"{model.window_s:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "models.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [documented_row(model) for model in known_models()]


def test_directories_have_safe_names_and_are_all_different(tmp_path: Path) -> None:
    places = [local_directory(tmp_path, model.name) for model in known_models() if model.repository]
    assert len(set(places)) == len(places)
    for place in places:
        assert place.parent == tmp_path
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", place.name)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("gigam-v3-ctc", "onnx:gigaam-v3-ctc"), ("onnx:tone", "onnx:t-one"), ("Whisper-small", "whisper-small-ru")],
)
def test_an_unknown_name_is_answered_with_similar_ones(wrong: str, right: str) -> None:
    with pytest.raises(UnknownModelError, match=right):
        known_model(wrong)


@pytest.mark.parametrize("name", ["", "xyz", "../../etc", "onnx:", "onnx:/no/such/directory"])
def test_nonsense_is_no_model(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        resolve(name, tmp_path)
    with pytest.raises(UnknownModelError):
        local_directory(tmp_path, name)


def put(models_dir: Path, *names: str) -> None:
    """Create the directories of models."""
    for name in names:
        lay_out(local_directory(models_dir, name), known_model(name))


def test_auto_is_the_first_of_its_order_that_is_on_disk(tmp_path: Path) -> None:
    assert resolve("auto", tmp_path) == "embedded"
    put(tmp_path, "whisper-base")
    assert resolve("auto", tmp_path) == "embedded", "the multilingual one knows less Russian"
    for better in ("whisper-small-ru", "vosk-model-ru", "gigaam-v3-ctc", "gigaam-v3-e2e-rnnt"):
        put(tmp_path, better)
        assert resolve("auto", tmp_path) == known_model(better).name


def test_every_model_has_a_place_in_the_order() -> None:
    assert sorted(AUTO_ORDER) == sorted(model.name for model in known_models())


def test_a_chosen_model_goes_before_better_ones(tmp_path: Path) -> None:
    put(tmp_path, "gigaam-v3-ctc", "whisper-small-ru")
    choose("whisper-small-ru", tmp_path)
    assert champion(tmp_path) == resolve("auto", tmp_path) == "whisper:Dok-tor/whisper-small-ru"
    with pytest.raises(ModelFileMissingError, match="glas models get t-one"):
        choose("t-one", tmp_path)
    assert resolve("auto", tmp_path) == "whisper:Dok-tor/whisper-small-ru"
    choose("auto", tmp_path)
    assert champion(tmp_path) is None
    assert resolve("auto", tmp_path) == "onnx:gigaam-v3-ctc"


def test_a_directory_beside_the_models_can_be_the_champion(tmp_path: Path) -> None:
    own = tmp_path / "learnt" / "1"
    own.mkdir(parents=True)
    (tmp_path / "champion").write_text("whisper:learnt/1\n", encoding="utf-8")
    assert resolve("auto", tmp_path) == f"whisper:{own}"
    choose(f"whisper:{own}", tmp_path)
    assert resolve("auto", tmp_path) == f"whisper:{own}"
    own.rmdir()
    assert resolve("auto", tmp_path) == "embedded", "what is gone is not served"


@pytest.mark.parametrize("said", ["", "auto", "nobody", "onnx:gigaam-v3-ctc", "whisper:", "rm:.", "\0"])
def test_a_champion_that_is_none_is_passed_over(said: str, tmp_path: Path) -> None:
    (tmp_path / "champion").write_text(said, encoding="utf-8")
    assert resolve("auto", tmp_path) == "embedded"


def test_people_are_told_titles_and_never_paths(tmp_path: Path) -> None:
    assert title_of("whisper:openai/whisper-base") == ("Whisper base", "Whisper base")
    assert title_of(f"whisper:{tmp_path}/learnt") == ("своя модель «learnt»", "own model “learnt”")


def test_names_are_made_uniform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("gigaam-v3-ctc", tmp_path) == "onnx:gigaam-v3-ctc"
    assert resolve("embedded", tmp_path) == "embedded"
    (tmp_path / "mine").mkdir()
    (tmp_path / "gigaam-v3-ctc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("onnx:mine", tmp_path) == f"onnx:{tmp_path / 'mine'}"
    assert resolve("onnx:gigaam-v3-ctc", tmp_path) == "onnx:gigaam-v3-ctc", "a name goes before a directory"


def test_the_embedded_model_lies_beside_the_package_or_in_the_checkout() -> None:
    assert embedded_directory().name == "whisper-base-ru"
    assert embedded_directory().parent.name == "models"
