"""Test that text that nobody said is removed, and that spoken text is kept."""

import pytest

from glas.domain.hallucination import Evidence, compression_ratio, cut_credits, without_inventions
from glas.domain.transcription import Hypothesis, Segment, Word

SPOKEN = Evidence(speech_s=2.0, probability=0.97, level_db=-20)


def _heard(
    text: str, logprob: float | None = None, no_speech: float | None = None, duration_s: float = 3
) -> Hypothesis:
    words = tuple(Word(text=word, start_s=i / 2, end_s=i / 2 + 0.4) for i, word in enumerate(text.split()))
    segment = Segment(
        start_s=0, end_s=duration_s, text=text, words=words, avg_logprob=logprob, no_speech_probability=no_speech
    )
    return Hypothesis(text=text, duration_s=duration_s, segments=(segment,), model="test")


CREDITS = [
    "Субтитры сделал DimaTorzok",
    "Субтитры создавал DimaTorzok.",
    "субтитры делал dimatorzok",
    "Субтитры добавил DimaTorzok",
    "Субтитры подогнал «Симон»!",
    "Субтитры подготовила NikSempai",
    "Субтитры от DimaTorzok",
    "Субтитры сделал Дима Торжок",
    "Редактор субтитров А.Семкин Корректор А.Егорова",
    "Редактор субтитров А. Синецкая. Корректор А. Егорова.",
    "Редактор субтитров Т.Горелова",
    "Корректор А.Кулакова",
    "Субтитры создавал DimaTorzok Субтитры создавал DimaTorzok",
    "Субтитры сообщества Amara.org",
    "Subtitles by the Amara.org community",
    "DimaTorzok",
]


@pytest.mark.parametrize("credit", CREDITS)
def test_credits_go_wherever_they_stand(credit: str) -> None:
    assert without_inventions(_heard(credit), SPOKEN).text == ""
    assert without_inventions(_heard(f"Перезвони мне завтра. {credit}"), SPOKEN).text == "Перезвони мне завтра."
    between = without_inventions(_heard(f"Перезвони мне. {credit} Завтра в пять."), SPOKEN)
    assert between.text == "Перезвони мне. Завтра в пять."
    assert " ".join(word.text for word in between.words) == between.text
    assert [word.start_s for word in between.words][:2] == [0, 0.5]


@pytest.mark.parametrize(
    "said",
    [
        "А кто субтитры сделал? Вася?",
        "Субтитры сделал мой брат, посмотри.",
        "Редактор субтитров не открывается, что делать?",
        "Корректор Анна просит прислать текст.",
        "Поставь субтитры от первого сезона.",
        "Субтитры создавались вручную.",
    ],
)
def test_talk_about_subtitles_stays(said: str) -> None:
    heard = _heard(said)
    assert without_inventions(heard, SPOKEN) is heard
    assert cut_credits(said) == said


ORDINARY = ["Спасибо за просмотр!", "Продолжение следует...", "Пока.", "Спасибо. Пока.", "ДИНАМИЧНАЯ МУЗЫКА"]


@pytest.mark.parametrize("phrase", ORDINARY)
@pytest.mark.parametrize(
    ("silence", "no_speech"),
    [
        (SPOKEN._replace(level_db=-72), None),
        (SPOKEN._replace(probability=0.55), None),
        (SPOKEN._replace(speech_s=0.1), None),
        (SPOKEN, 0.8),
    ],
)
def test_ordinary_phrases_go_only_alone_and_over_silence(
    phrase: str, silence: Evidence, no_speech: float | None
) -> None:
    assert without_inventions(_heard(phrase, no_speech=no_speech), silence).text == ""
    spoken = _heard(phrase, no_speech=0.1)
    assert without_inventions(spoken, SPOKEN) is spoken
    longer = _heard(f"Ну всё, {phrase.lower()}", no_speech=no_speech)
    assert without_inventions(longer, silence) is longer


def test_a_credit_that_leaves_an_ordinary_phrase_over_silence_leaves_nothing() -> None:
    faint = SPOKEN._replace(probability=0.5)
    assert without_inventions(_heard("Продолжение следует... Субтитры сделал DimaTorzok"), faint).segments == ()


def test_a_loop_goes_unless_somebody_can_have_said_it() -> None:
    loop = "и вот так вот " * 30
    assert compression_ratio(loop) > 2.4
    assert without_inventions(_heard(loop), SPOKEN).text == ""
    slow = SPOKEN._replace(speech_s=30)
    assert without_inventions(_heard(loop, logprob=-1.3, duration_s=32), slow).text == ""
    assert without_inventions(_heard(loop, logprob=-0.2, duration_s=32), slow).text == loop


def test_a_sentence_that_is_too_long_for_its_sound_goes_however_sure_the_engine_is() -> None:
    text = "Перезвони мне завтра утром."
    hum = Evidence(speech_s=0.26, probability=0.76, level_db=-15)
    assert without_inventions(_heard(text, logprob=-0.01, no_speech=0, duration_s=0.55), hum).segments == ()
    fast = _heard(text, logprob=-0.01, duration_s=1.2)
    assert without_inventions(fast, hum._replace(speech_s=0.8)) is fast, "as fast as people speak"
    assert without_inventions(_heard("Да.", duration_s=0.5), hum).text == "Да."


def test_what_the_engine_itself_takes_for_silence_and_doubts_goes() -> None:
    text = "какие-то слова"
    assert without_inventions(_heard(text, logprob=-1.2, no_speech=0.9), SPOKEN).text == ""
    assert without_inventions(_heard(text, logprob=-0.3, no_speech=0.9), SPOKEN).text == text
    assert without_inventions(_heard(text, logprob=-1.2, no_speech=0.2), SPOKEN).text == text
    assert without_inventions(_heard(text), SPOKEN).text == text
    unclear = SPOKEN._replace(probability=0.75)
    assert without_inventions(_heard(text, logprob=-1.2), unclear).text == ""
    assert without_inventions(_heard(text, logprob=-0.6), unclear).text == text


def test_other_segments_of_the_piece_stay() -> None:
    first, second = _heard("Завтра в пять."), _heard("Субтитры сделал DimaTorzok")
    both = first.model_copy(
        update={"text": f"{first.text} {second.text}", "segments": (*first.segments, *second.segments)}
    )
    left = without_inventions(both, SPOKEN)
    assert (left.text, left.segments) == ("Завтра в пять.", first.segments)
