"""The Whisper engine with a network that was trained here: converted, loaded and run by the real code."""

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import AudioTooLongError, InvalidParameterError, ModelLoadError
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples
from glas.engines.load import load_engine
from glas.engines.whisper import WhisperEngine, clip, network, recognition_call
from glas.engines.whisper.backend import Timing
from glas.engines.whisper.context import MIN_CONTEXT_FRAMES
from tests.models.conftest import MakeWhisper

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models.chords import CHORDS_HZ, MOST_WORDS, Spoken, speak
from tests.models.tiny_whisper import POSITIONS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def stock(make_whisper: MakeWhisper, cache: Path) -> WhisperEngine:
    """A model that does not state a dynamic context."""
    return WhisperEngine(make_whisper(), name="whisper:chords", cache=cache)


@pytest.fixture(scope="module")
def dynamic(make_whisper: MakeWhisper, cache: Path) -> WhisperEngine:
    """The same network with a card that states a dynamic context."""
    return WhisperEngine(make_whisper(dynamic_context=True), name="whisper:chords", cache=cache)


@pytest.fixture(scope="module")
def messages() -> list[Spoken]:
    """Sentences of one word to `MOST_WORDS` words that were not used in training."""
    rng = np.random.default_rng(2026)
    return [speak(rng.integers(0, len(CHORDS_HZ), 1 + index % MOST_WORDS), rng) for index in range(16)]


class Steps:
    """The calls of an engine to its network: the mel frames of each batch, and how its texts were written."""

    def __init__(self, engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[tuple[int, int]] = []
        self.temperatures: list[float] = []
        self.timed = 0
        network = engine._network
        assert network is not None
        hear, write, tell = network.encode, network.generate, network.align

        def hear_(features: list[Any]) -> Any:
            self.heard.append((len(features), features[0].shape[1]))
            return hear(features)

        def write_(heard: Any, prompts: list[list[int]], **options: Any) -> Any:
            self.temperatures.append(options["temperature"])
            return write(heard, prompts, **options)

        def tell_(*given: Any) -> Any:
            self.timed += 1
            return tell(*given)

        for name, step in (("encode", hear_), ("generate", write_), ("align", tell_)):
            monkeypatch.setattr(network, name, step)


def samples_of(messages: list[Spoken]) -> list[Samples]:
    return [message.samples for message in messages]


def shares_right(heard: list[Hypothesis], messages: list[Spoken], language: str) -> float:
    pairs = zip(heard, messages, strict=True)
    return sum(one.text == message.text(language) for one, message in pairs) / len(messages)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("kind", ["stock", "dynamic"])
def test_texts_are_right_in_the_language_that_is_asked_for(
    kind: str, language: str, messages: list[Spoken], request: pytest.FixtureRequest
) -> None:
    engine: WhisperEngine = request.getfixturevalue(kind)
    heard = engine.recognise(samples_of(messages), DecodingOptions(language=language))
    assert shares_right(heard, messages, language) >= 0.9
    assert {one.language for one in heard} == {language}
    assert [one.duration_s for one in heard] == [len(one.samples) / SAMPLE_RATE_HZ for one in messages]


def test_a_stock_model_always_hears_its_whole_window(
    stock: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(stock, monkeypatch)
    stock.recognise(samples_of(messages))
    assert steps.heard == [(1, 2 * POSITIONS)] * len(messages), "full windows gain nothing by batches on a processor"
    assert stock.window_s == POSITIONS * 0.02


def test_a_model_with_dynamic_context_hears_no_padding(
    dynamic: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(dynamic, monkeypatch)
    longest = max(messages, key=lambda message: len(message.samples))
    dynamic.recognise([longest.samples])
    ((_, n_frames),) = steps.heard
    assert n_frames == 2 * -(-len(longest.samples) // 320) < 2 * POSITIONS
    dynamic.recognise([messages[0].samples[:8000]])
    assert steps.heard[-1] == (1, MIN_CONTEXT_FRAMES), "less than two seconds was never trained"


def test_pieces_of_like_length_are_heard_together_and_come_back_in_order(
    dynamic: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [dynamic.recognise([message.samples])[0] for message in messages]
    steps = Steps(dynamic, monkeypatch)
    together = dynamic.recognise(samples_of(messages))
    assert [one.text for one in together] == [one.text for one in alone]
    assert len(steps.heard) < len(messages)
    assert dynamic.abilities.batch_size == 1, "on a processor no piece waits for others"


def test_words_have_times_that_rise_lie_inside_and_are_true(
    stock: WhisperEngine, dynamic: WhisperEngine, messages: list[Spoken]
) -> None:
    off_s = []
    for engine in (stock, dynamic):
        for message, heard in zip(messages, engine.recognise(samples_of(messages)), strict=True):
            words = heard.words
            assert " ".join(word.text for word in words) == heard.text
            assert all(0 <= word.start_s <= word.end_s <= heard.duration_s for word in words)
            assert all(one.end_s <= other.start_s for one, other in pairwise(words))
            assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in words)
            if heard.text == message.text("ru"):
                off_s += [abs(word.start_s - start) for word, (start, _) in zip(words, message.times_s, strict=True)]
    assert np.median(off_s) < 0.15


def test_words_and_tokens_are_worked_out_only_where_they_are_wanted(
    dynamic: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = [messages[3].samples]
    (timed,) = dynamic.recognise(piece, DecodingOptions(wants_tokens=True))
    steps = Steps(dynamic, monkeypatch)
    (plain,) = dynamic.recognise(piece, DecodingOptions(wants_words=False))
    assert (steps.timed, plain.words, plain.segments[0].tokens) == (0, (), ())
    assert plain.text == timed.text
    (segment,) = timed.segments
    assert "".join(token.text for token in segment.tokens).strip() == timed.text
    assert all(token.logprob <= 0 for token in segment.tokens)
    assert segment.avg_logprob is not None
    assert -1 < segment.avg_logprob <= 0
    assert segment.no_speech_probability is not None
    assert segment.no_speech_probability < 0.1


@pytest.mark.parametrize("kind", ["stock", "dynamic"])
def test_where_nobody_speaks_there_is_no_text(kind: str, request: pytest.FixtureRequest) -> None:
    engine: WhisperEngine = request.getfixturevalue(kind)
    noise = (0.002 * np.random.default_rng(5).standard_normal(3 * SAMPLE_RATE_HZ)).astype(np.float32)
    for piece in (noise, np.zeros(100, np.float32), np.zeros(0, np.float32)):
        (heard,) = engine.recognise([piece])
        assert (heard.text, heard.segments) == ("", ())
        assert heard.duration_s == len(piece) / SAMPLE_RATE_HZ
    assert engine.recognise([]) == []


def test_a_text_without_an_end_is_written_again_padded_then_with_chance(
    dynamic: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(dynamic, monkeypatch)
    monkeypatch.setattr(clip, "SPARE_TOKENS", 1)
    monkeypatch.setattr(clip, "MOST_TOKENS_PER_S", 0)
    (heard,) = dynamic.recognise([messages[3].samples], DecodingOptions(wants_words=False))
    assert [n_frames < 2 * POSITIONS for _, n_frames in steps.heard] == [True, False]
    assert steps.temperatures == [0, 0, recognition_call.SECOND_TEMPERATURE]
    assert heard.text, "what was written is given, and judged elsewhere"
    assert heard.segments[0].temperature in {0, recognition_call.SECOND_TEMPERATURE}
    (asked,) = dynamic.recognise([messages[3].samples], DecodingOptions(wants_words=False, temperature=0.3))
    assert asked.segments[0].temperature == 0.3


def test_after_its_time_is_up_nothing_is_written_again(
    make_whisper: MakeWhisper, cache: Path, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhisperEngine(make_whisper(dynamic_context=True), name="chords", cache=cache, retry_within_s=0)
    steps = Steps(engine, monkeypatch)
    monkeypatch.setattr(clip, "SPARE_TOKENS", 1)
    monkeypatch.setattr(clip, "MOST_TOKENS_PER_S", 0)
    assert all(one.text for one in engine.recognise(samples_of(messages[:4])))
    assert steps.temperatures == [0] * len(steps.heard)


def test_a_loop_looks_wrong_and_long_russian_does_not(samples: list[SimpleNamespace]) -> None:
    of_100 = SimpleNamespace(most_tokens=100)
    draft = SimpleNamespace(tokens=[1] * 50, has_ended=True)
    said = " ".join(sample.text for sample in samples)
    assert len(said) > 200
    doubled = "После сигнала произнесите имя. После сигнала, произнесите имя!"
    loops = ("да " * 40, "Продолжение следует... " * 8, doubled)
    for text, is_wrong in ((said, False), *((loop, True) for loop in loops), ("Да, да. Да, да.", False), ("", False)):
        assert clip.looks_wrong(SimpleNamespace(draft=draft, text=text), of_100) is is_wrong  # type: ignore[arg-type]


def test_a_temperature_that_is_asked_for_is_used_once(
    stock: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(stock, monkeypatch)
    stock.recognise([messages[0].samples], DecodingOptions(temperature=0.3))
    assert steps.temperatures == [0.3]


def test_what_was_said_before_stands_before_the_task_and_keywords_do_not(stock: WhisperEngine) -> None:
    network = stock._network
    assert network is not None
    vocabulary = network.vocabulary
    task = vocabulary.task("ru", "transcribe")
    plain = vocabulary.prompt(task, DecodingOptions())
    asked = vocabulary.prompt(task, DecodingOptions(hotwords="ёжик", prompt="мама хлеб"))
    assert asked[-len(plain) :] == plain
    assert vocabulary.decode(asked[: -len(plain)][1:]) == " мама хлеб"
    long = vocabulary.prompt(task, DecodingOptions(prompt="мама " * 500))
    assert len(long) <= network.text_context // 2 + len(plain), "half of the text context is left for the text"


def test_a_prompt_changes_what_is_written_before_but_not_what_is_given(
    stock: WhisperEngine, messages: list[Spoken]
) -> None:
    (heard,) = stock.recognise([messages[1].samples], DecodingOptions(prompt="хлеб чай"))
    assert not heard.text.startswith("хлеб чай")


def test_a_language_that_is_not_named_is_found_out(dynamic: WhisperEngine, messages: list[Spoken]) -> None:
    # Chords belong to no language: the network takes them for either, and must write what it took them for.
    heard = dynamic.recognise(samples_of(messages), DecodingOptions(language=None))
    assert {one.language for one in heard} <= {"ru", "en"}
    right = [one.text == message.text(one.language) for one, message in zip(heard, messages, strict=True)]
    assert sum(right) / len(right) >= 0.9


def test_a_model_may_say_that_it_was_made_for_one_of_its_languages(
    make_whisper: MakeWhisper, tmp_path: Path, messages: list[Spoken]
) -> None:
    load_engine(f"whisper:{make_whisper()}", models_dir=tmp_path)
    (converted,) = (path for path in (tmp_path / "converted").iterdir() if path.is_dir())
    config = json.loads((converted / "config.json").read_text(encoding="utf-8"))
    (converted / "config.json").write_text(json.dumps(config | {"languages": ["ru"]}), encoding="utf-8")
    engine = load_engine(f"whisper:{converted}", models_dir=tmp_path)
    assert engine.abilities.languages == {"ru"}
    assert not engine.abilities.translates
    heard = engine.recognise(samples_of(messages), DecodingOptions(language=None))
    assert {one.language for one in heard} == {"ru"}
    assert shares_right(heard, messages, "ru") >= 0.9
    for wrong in ([], ["fr"], "ru"):
        (converted / "config.json").write_text(json.dumps(config | {"languages": wrong}), encoding="utf-8")
        with pytest.raises(ModelLoadError, match="languages"):
            load_engine(f"whisper:{converted}", models_dir=tmp_path)


def test_what_cannot_be_heard_is_refused(stock: WhisperEngine) -> None:
    with pytest.raises(AudioTooLongError, match=r"at most 6 s.*got 7\.0 s"):
        stock.recognise([np.zeros(7 * SAMPLE_RATE_HZ, np.float32)])
    with pytest.raises(InvalidParameterError, match="float64"):
        stock.recognise([np.zeros(16_000)])  # type: ignore[list-item]


def test_a_path_that_begins_before_the_sound_gives_times_within_it() -> None:
    """CTranslate2 uses -1 for a place before the first token and before the first position."""
    alignments = [(-1, 0), (0, -1), (1, -1), (1, 0), (1, 1), (2, 2), (3, 3)]
    found = SimpleNamespace(alignments=alignments, text_token_probs=[0.5, 0.25, 0.125])
    assert network._timing(found, 3) == Timing([0.0, 0.0, 0.04], [0.5, 0.25, 0.125])
