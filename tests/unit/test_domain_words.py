"""Test the adaptation of the embedded model's language model to corrected texts."""

from math import exp
from pathlib import Path

import pytest

pytest.importorskip("pymorphy3", reason="the packages of training are not installed (see `make train-setup`)")

from glas.engines.catalogue import embedded_directory
from glas.engines.language_model import FILE, LanguageModel
from glas.recognition.references import Utterance
from glas.training.language.domain import Domain, adapt

SHARE = 0.1
SENTENCE = "я завтра приеду на работу в десять часов"


def said(text: str, speaker: str | None) -> Utterance:
    """Return a corrected recording; its sound is not read."""
    return Utterance(Path("voice.ogg"), "voice.ogg", text, speaker)


LEARNT = [
    said("Передайте привет Асламазяну.", "first"),
    said("Мы едем на 5 % быстрее.", "second"),
    said("Асламазян в Wi-Fi не верит.", "second"),
    said("Заказал чимичурри.", "third"),
]
OTHERS = [said("Бешбармак и чимичурри!", "fourth"), said("Ещё бешбармака.", "fifth")]


def adapted(folder: Path, learnt: list[Utterance], others: list[Utterance], share: float = SHARE) -> LanguageModel:
    """Adapt the embedded model's language model and read the new file."""
    adapt(embedded_directory() / FILE, Domain(learnt, others, share), folder / FILE)
    return LanguageModel(folder / FILE)


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    """The language model of the embedded model."""
    return LanguageModel(embedded_directory() / FILE)


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """The language model that is adapted to `LEARNT` and `OTHERS`."""
    return adapted(tmp_path_factory.mktemp("lm"), LEARNT, OTHERS)


@pytest.mark.parametrize("name", ["Асламазян", "Асламазяном", "чимичурри"])
def test_a_name_that_two_people_wrote_is_known_in_all_cases(base: LanguageModel, lm: LanguageModel, name: str) -> None:
    assert not base.knows(name.lower())
    assert lm.knows(name.lower())
    assert lm.logprobs(f"это {name}")[1] > base.logprobs(f"это {name}")[1] + 3


def test_a_word_of_one_person_among_several_stays_unknown(tmp_path: Path) -> None:
    assert not adapted(tmp_path, LEARNT, []).knows("чимичурри")


def test_the_only_person_teaches_every_word(tmp_path: Path) -> None:
    assert adapted(tmp_path, [said("Заказал чимичурри.", "third")], []).knows("чимичурри")


def test_texts_beside_the_learnt_ones_count_as_people_only(lm: LanguageModel) -> None:
    assert not lm.knows("бешбармак")


def test_other_texts_lose_the_share_of_the_domain_at_most(base: LanguageModel, lm: LanguageModel) -> None:
    """A probability is stored in steps of 1/12 nats, so a word loses ln(1 - 0.1) and half a step."""
    for before, after in zip(base.logprobs(SENTENCE), lm.logprobs(SENTENCE), strict=True):
        assert after > before - 0.2
    # A pair of words that was counted in other texts is as probable as before.
    assert exp(lm.logprobs("потому что")[1]) == pytest.approx(exp(base.logprobs("потому что")[1]), rel=0.1)


def test_pairs_that_two_people_said_are_more_probable(base: LanguageModel, tmp_path: Path) -> None:
    learnt = [said("на бетонном заборе", "first"), said("бетонном заборе и бетонном подоконнике", "second")]
    lm = adapted(tmp_path, learnt, [], share=0.0001)

    def gain(word: str) -> float:
        """Return how much more probable a word became after «бетонном» than after another word."""
        return sum(
            sign * (lm.logprobs(f"{before} {word}")[1] - base.logprobs(f"{before} {word}")[1])
            for sign, before in ((1, "бетонном"), (-1, "зелёном"))
        )

    assert gain("заборе") > 1
    assert gain("подоконнике") < 0, "one person said it"


def test_a_share_of_nothing_changes_nothing(tmp_path: Path) -> None:
    adapted(tmp_path, LEARNT, OTHERS, share=0)
    assert (tmp_path / FILE).read_bytes() == (embedded_directory() / FILE).read_bytes()
