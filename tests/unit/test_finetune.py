"""Parts of fine-tuning that need no weights: the texts that are learnt, the split, the share that is kept."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.domain.errors import DataSetError
from glas.domain.metrics import error_rates
from glas.domain.text import normalise
from glas.recognition.references import Utterance
from glas.training.finetune.share import MeasuredShare, choose_share
from glas.training.finetune.split import split
from glas.training.finetune.targets import target_text


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


def test_too_little_to_choose_on_is_told() -> None:
    with pytest.raises(DataSetError, match="got 1 with 0 speakers"):
        split(utterances(1, 1), 0.3)


def trial(share: float, wrong: int, kept_wrong: int) -> MeasuredShare:
    def rates(n: int) -> object:
        return error_rates(["а б в г д е ж з и к"] * 10, ["а б в г д е ж з и к"] * 10).model_copy(
            update={"wer": n / 100, "substitutions": n, "char_errors": n}
        )

    return MeasuredShare(share=share, dev=rates(wrong), kept={"reader": rates(kept_wrong)})


def test_the_best_share_that_forgets_nothing() -> None:
    before = trial(0, 20, 10)
    assert choose_share(before, [trial(0.2, 18, 10), trial(0.6, 15, 10), trial(1, 12, 14)]) == trial(0.6, 15, 10)
    assert choose_share(before, [trial(0.2, 18, 10), trial(0.6, 18, 10)]) == trial(0.2, 18, 10)
    assert choose_share(before, [trial(0.2, 20, 10), trial(1, 22, 9)]) is None
