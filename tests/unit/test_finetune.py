"""Test the parts of fine-tuning that need no weights: the learnt texts, the split, the chosen share."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.domain.errors import DataSetError, GlasError
from glas.domain.metrics import error_rates
from glas.domain.text import normalise
from glas.localisation import Value
from glas.recognition.references import ReferenceSet, Utterance
from glas.system.files import sha256_of
from glas.training.adapter.batches import Batches
from glas.training.finetune.base import Base
from glas.training.finetune.data import FinetuneData, prepare
from glas.training.finetune.examples import sounds_without_speech
from glas.training.finetune.share import MOST_RISEN, MeasuredShare, ShareLosses, between, choose_share
from glas.training.finetune.split import split
from glas.training.finetune.steps import STATE, finetune
from glas.training.finetune.targets import target_text
from glas.training.sound.channel import SAMPLE_RATE_HZ, level
from glas.training.sound.clips import write_clips


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("приезжай завтра в пять", "Приезжай завтра в 5.", "Приезжай завтра в 5."),
        ("приезжай в камышин завтра", "Приезжай в комышин, завтра.", "Приезжай в камышин, завтра."),
        ("камышин это далеко", "Комашин — это далеко!", "Камышин — это далеко!"),
        ("Позвони Зульфие, пожалуйста.", "Позвони зло фее пожалуйста", "Позвони Зульфие, пожалуйста"),
        ("всё хорошо", "", "всё хорошо"),
        ("да", "Да.", "Да."),
    ],
)
def test_the_writing_of_the_hypothesis_is_kept(reference: str, hypothesis: str, expected: str) -> None:
    assert target_text(reference, hypothesis) == expected


@pytest.mark.parametrize("hypothesis", ["", "Совсем другое.", "Мама мыла раму", "мама"])
def test_the_words_are_those_of_the_reference(hypothesis: str) -> None:
    reference = "мама мыла белую раму 3 раза"
    assert normalise(target_text(reference, hypothesis)) == normalise(reference)


def utterances(speakers: int, texts: int) -> list[Utterance]:
    return [
        Utterance(Path("a.ogg"), f"{speaker} {text}", f"текст {text}", f"speaker {speaker}" if speakers > 1 else None)
        for speaker in range(speakers)
        for text in range(texts)
    ]


def test_people_are_on_one_side() -> None:
    found = split(utterances(40, 3), 0.3)
    assert found.train
    assert found.dev
    assert not {one.speaker for one in found.train} & {one.speaker for one in found.dev}


def test_texts_of_one_person_are_on_one_side() -> None:
    found = split(utterances(1, 60), 0.3)
    assert len(found.train) + len(found.dev) == 60
    assert not {one.text for one in found.train} & {one.text for one in found.dev}


def test_sounds_without_speech_are_audible_and_always_the_same() -> None:
    first, second = list(sounds_without_speech(20)), list(sounds_without_speech(20))
    assert [one.text for one in first] == [""] * 20
    for one, again in zip(first, second, strict=True):
        assert np.array_equal(one.samples, again.samples)
        assert np.abs(one.samples).max() <= 1
        assert level(one.samples) > 0.001


def test_a_joined_sound_without_speech_adds_no_space(tmp_path: Path) -> None:
    """An additional space would be an additional token of the text."""
    voice = np.full(SAMPLE_RATE_HZ, 0.1, np.float32)
    write_clips(tmp_path, "some", [("да", "one", voice), ("", "two", voice)])
    tokens = _Tokens()
    batches = Batches(tmp_path, ["some"], tokens, lambda _rng, samples, _others: samples, size=1, joined=1.0)  # type: ignore[arg-type]
    for step in range(4):
        batches.draw(step)
    assert set(tokens.texts) == {"да"}


class _Tokens:
    """Notes the texts that are encoded."""

    end, prompt_length = 0, 1

    def __init__(self) -> None:
        self.texts: list[str] = []

    def text(self, text: str) -> list[int]:
        self.texts.append(text)
        return [1, 2, 0]


def test_too_little_to_choose_on_is_told() -> None:
    with pytest.raises(DataSetError, match="got 1 with 0 speakers"):
        split(utterances(1, 1), 0.3)


def losses(share: float, dev: float, reader: float = 0.3) -> ShareLosses:
    return ShareLosses(share=share, dev=dev, kept={"reader": reader})


def test_the_share_with_the_lowest_loss_that_forgets_nothing() -> None:
    before, small, middle = losses(0, 0.9), losses(0.2, 0.8), losses(0.6, 0.7)
    assert choose_share(before, [small, middle, losses(1, 0.75)]) == 0.6
    assert choose_share(before, [small, middle, losses(1, 0.6, 0.3 + 2 * MOST_RISEN)]) == 0.6
    assert choose_share(before, [small, middle, losses(1, 0.6, 0.3 + MOST_RISEN / 2)]) == 1
    assert choose_share(before, [losses(0.2, 0.9), losses(1, 1.1)]) is None
    assert choose_share(before, [losses(0.2, 0.8, 0.4)]) is None


@pytest.mark.parametrize(("chosen", "found"), [(0.4, [0.3, 0.5]), (0.2, [0.1, 0.3]), (1.0, [0.9]), (None, [])], ids=str)
def test_the_shares_beside_the_best_one_are_tried(chosen: float | None, found: list[float]) -> None:
    assert between(chosen, (0.2, 0.4, 0.6, 0.8, 1.0)) == pytest.approx(found)
    assert between(chosen and 1.0, (1.0,)) == []


def test_every_set_must_be_kept() -> None:
    before = ShareLosses(share=0, dev=0.9, kept={"reader": 0.3, "announcer": 0.5})
    worse = ShareLosses(share=1, dev=0.8, kept={"reader": 0.2, "announcer": 0.52})
    assert worse.worse_than(before) == ["announcer"]
    assert choose_share(before, [worse]) is None


@pytest.mark.parametrize(
    ("words", "characters", "is_better"), [(19, 40, True), (20, 39, True), (20, 40, False), (21, 30, False)]
)
def test_a_model_is_better_if_it_writes_fewer_words_or_letters_wrong(
    words: int, characters: int, *, is_better: bool
) -> None:
    assert measured(words, characters).is_better_than(measured(20, 40)) == is_better


def measured(words: int, characters: int) -> MeasuredShare:
    rates = error_rates(["а б в г д е ж з и к"] * 10, ["а б в г д е ж з и к"] * 10)
    wrong = rates.model_copy(update={"substitutions": words, "char_errors": characters})
    return MeasuredShare(share=1, dev=wrong, kept={})


def files(folder: Path, count: int) -> list[Utterance]:
    """Make recordings whose sound these tests do not decode."""
    folder.mkdir()
    found = []
    for number in range(count):
        path = folder / f"{number}.wav"
        path.write_bytes(f"{folder.name} {number}".encode())
        found.append(Utterance(path, path.name, f"слово {number}"))
    return found


def test_the_lineage_names_the_replayed_recordings_that_are_used(tmp_path: Path) -> None:
    """Used recordings come from all directories; the model can be tested with recordings that are not used."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.bin").write_bytes(b"no weights")
    corrected, first, second = (files(tmp_path / name, 300) for name in ("corrected", "first", "second"))
    told: dict[str, object] = {}

    def report(name: str, /, **values: Value) -> None:
        told[name] = values

    data = FinetuneData(corrected, [*first, *second])
    with pytest.raises(GlasError):  # the base is no model: the lineage is written before it is read
        finetune(Base(base, base), data, tmp_path / "work", tmp_path / "made", report=report)
    recordings = set(json.loads((tmp_path / "work" / STATE).read_bytes())["recordings"])
    used = [sum(sha256_of(one.audio) in recordings for one in some) for some in (corrected, first, second)]
    assert used == [300, 200, 200]
    assert told == {"finetune-replayed": {"all": 600, "used": 400}}


def test_small_sets_are_told_and_namesakes_are_told_apart(tmp_path: Path) -> None:
    small = ReferenceSet("reader", tuple(files(tmp_path / "small", 10)))
    large = ReferenceSet("reader", tuple(files(tmp_path / "large", 600)))
    told: list[tuple[str, object]] = []
    prepared = prepare(FinetuneData([], kept=[small, large]), lambda name, /, **values: told.append((name, values)))
    assert [one.name for one in prepared.kept] == ["reader (1)", "reader (2)"]
    assert told == [("finetune-few-kept", {"name": "reader (1)", "words": 20, "least": 500})]
