"""Test the adaptation of the embedded model's language model to corrected texts."""

from math import exp
from pathlib import Path

import pytest

pytest.importorskip("pymorphy3", reason="the packages of training are not installed (see `make train-setup`)")

from glas.domain.errors import ModelLoadError
from glas.engines.catalogue import embedded_directory
from glas.engines.language_model import FILE, LanguageModel
from glas.recognition.references import Utterance
from glas.training.language.adaptation import CorrectedTexts, adapt, n_people

SHARE = 0.1
SENTENCE = "я завтра приеду на работу в десять часов"


def said(text: str, speaker: str | None) -> Utterance:
    """Return a corrected recording; its sound is not read."""
    return Utterance(Path("voice.ogg"), "voice.ogg", text, speaker)


LEARNT = [
    said("Передайте привет Асламазяну.", "first"),
    said("Мы едем на 5 % быстрее, сказал Тюхтяев.", "second"),
    said("Асламазян едет в Wi-Fi не веря, а Тюхтяев едет.", "second"),
    said("Заказал чимичурри, а Асламазян едет.", "third"),
]
OTHERS = [said("Бешбармак и чимичурри!", "fourth"), said("Ещё бешбармака.", "fifth")]


def adapted(
    folder: Path,
    learnt: list[Utterance],
    others: list[Utterance] | None = None,
    *,
    share: float = SHARE,
    is_personal: bool = False,
) -> LanguageModel:
    """Adapt the embedded model's language model and read the new file."""
    texts = CorrectedTexts(learnt, others or [], share, is_personal=is_personal)
    adapt(embedded_directory() / FILE, texts, folder / FILE)
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
def test_a_name_that_two_people_said_is_known_in_all_cases(base: LanguageModel, lm: LanguageModel, name: str) -> None:
    assert not base.knows(name.lower())
    assert lm.knows(name.lower())
    assert lm.logprobs(f"это {name}")[1] > base.logprobs(f"это {name}")[1] + 3


def test_a_name_of_one_person_among_several_is_added_in_no_case(lm: LanguageModel) -> None:
    assert not any(lm.knows(form) for form in ("тюхтяев", "тюхтяева", "тюхтяеву", "тюхтяевым", "тюхтяеве"))


def test_a_listed_word_of_one_person_is_not_more_probable(base: LanguageModel, lm: LanguageModel) -> None:
    assert base.knows("привет")
    assert lm.logprobs("привет")[0] <= base.logprobs("привет")[0] + 0.1


def test_a_personal_model_learns_every_word_of_its_person(tmp_path: Path) -> None:
    learnt = [said("Заказал чимичурри.", "third")]
    assert adapted(tmp_path, learnt, is_personal=True).knows("чимичурри")
    assert not adapted(tmp_path, learnt).knows("чимичурри"), "a model for everybody"


def test_unknown_people_may_be_one_person() -> None:
    assert (n_people({None}), n_people({None, "first"}), n_people({"first", "second"})) == (1, 1, 2)


def test_texts_beside_the_learnt_ones_count_as_people_only(lm: LanguageModel) -> None:
    assert not lm.knows("бешбармак")


def test_other_texts_hardly_lose_probability(base: LanguageModel, lm: LanguageModel) -> None:
    """A probability is stored in steps of 1/12 nats, so a word loses ln(1 - 0.1) and half a step."""
    for before, after in zip(base.logprobs(SENTENCE), lm.logprobs(SENTENCE), strict=True):
        assert after > before - 0.2
    # A pair of words that was counted in other texts is as probable as before.
    assert exp(lm.logprobs("потому что")[1]) == pytest.approx(exp(base.logprobs("потому что")[1]), rel=0.1)


def test_pairs_that_two_people_said_are_more_probable(base: LanguageModel, lm: LanguageModel) -> None:
    def gain(before: str, word: str) -> float:
        """Return how much more probable a word is after another word than after «стол», compared with the base."""
        return sum(
            sign * (one.logprobs(f"{before} {word}")[1] - one.logprobs(f"стол {word}")[1])
            for one, sign in ((lm, 1), (base, -1))
        )

    assert gain("асламазян", "едет") > 0.3
    assert gain("тюхтяев", "едет") < 0, "one person said it"


def test_no_number_of_corrections_makes_other_texts_improbable(base: LanguageModel, tmp_path: Path) -> None:
    people = ("first", "second")
    lm = adapted(tmp_path, [said("на заборе на заборе на заборе", people[number % 2]) for number in range(2000)])
    assert lm.logprobs("на работе")[1] > base.logprobs("на работе")[1] - 1
    assert lm.logprobs("на заборе")[1] > base.logprobs("на заборе")[1] + 1


@pytest.mark.parametrize(("learnt", "share"), [(LEARNT, 0), ([], SHARE), ([said("Wi-Fi", "first")], SHARE)])
def test_without_words_the_file_is_copied(tmp_path: Path, learnt: list[Utterance], share: float) -> None:
    adapted(tmp_path, learnt, share=share)
    assert (tmp_path / FILE).read_bytes() == (embedded_directory() / FILE).read_bytes()


def test_an_adapted_language_model_can_be_adapted_again_and_is_always_the_same(tmp_path: Path) -> None:
    texts = CorrectedTexts(LEARNT, OTHERS, SHARE)
    adapt(embedded_directory() / FILE, texts, tmp_path / "first.npz")
    for name in ("second.npz", "again.npz"):
        adapt(tmp_path / "first.npz", texts, tmp_path / name)
    assert (tmp_path / "second.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    assert LanguageModel(tmp_path / "second.npz").knows("асламазян")


def test_a_damaged_language_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no archive")
    with pytest.raises(ModelLoadError, match="language model"):
        adapt(tmp_path / FILE, CorrectedTexts(LEARNT, OTHERS, SHARE), tmp_path / "to.npz")
