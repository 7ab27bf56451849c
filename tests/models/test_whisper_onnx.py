"""Whisper in onnxruntime gives what CTranslate2 gives, on a network that was trained here."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glas.domain.decoding import PLAIN, DecodingOptions
from glas.domain.errors import ModelError
from glas.engines.whisper import alternatives, decoding
from glas.engines.whisper.backend import Draft
from glas.engines.whisper.cache import converted
from glas.engines.whisper.mel import Features, filled, log_mel
from glas.engines.whisper.network import Network
from glas.engines.whisper.onnx_network import OnnxNetwork
from tests.models.conftest import MakeWhisper

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models.chords import CHORDS_HZ, MOST_WORDS, Spoken, speak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

N_SOUNDS = 8
# Drafts carry all that their times are made of.
UNUSED: Any = None


@pytest.fixture(scope="module")
def sources(make_whisper: MakeWhisper, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    source, cache = make_whisper(), tmp_path_factory.mktemp("cache")
    return {"float32": converted(source, cache, "float32"), "int8": converted(source, cache, "int8")}


@pytest.fixture(scope="module")
def reference(sources: dict[str, Path]) -> Network:
    return Network(sources["float32"], device="cpu", precision="float32", threads=1, workers=1)


@pytest.fixture(scope="module")
def network(sources: dict[str, Path]) -> OnnxNetwork:
    return OnnxNetwork(sources["float32"], precision="float32", threads=1)


@pytest.fixture(scope="module")
def messages() -> list[Spoken]:
    rng = np.random.default_rng(7)
    return [speak(rng.integers(0, len(CHORDS_HZ), 1 + index % MOST_WORDS), rng) for index in range(N_SOUNDS)]


@pytest.fixture(scope="module")
def sounds(network: OnnxNetwork, messages: list[Spoken]) -> list[Features]:
    return [filled(*log_mel(message.samples, network.n_mels), network.n_frames) for message in messages]


def generated(network: Any, features: list[Features], **given: Any) -> list[Draft]:
    options = {"most_tokens": 40, "temperature": 0.0, "beam_size": 1, "with_times": True} | given
    asked = options.pop("options", PLAIN)
    task = network.vocabulary.task("ru", "transcribe")
    prompt = network.vocabulary.prompt(task, asked)
    texts: list[list[Draft]] = network.generate(network.encode(features), [prompt] * len(features), **options)
    return [found[0] for found in texts]


@pytest.mark.parametrize("options", [PLAIN, DecodingOptions(prompt="ми соль")])
def test_texts_and_scores_are_those_of_ctranslate2(
    reference: Network,
    network: OnnxNetwork,
    sounds: list[Features],
    options: DecodingOptions,
) -> None:
    for sound in sounds:
        (expected,) = generated(reference, [sound], options=options)
        (got,) = generated(network, [sound], options=options)
        assert got.tokens == expected.tokens
        assert got.has_ended == expected.has_ended
        # Tokens that are no text are barred here, and have a little probability there.
        assert got.avg_logprob == pytest.approx(expected.avg_logprob, abs=5e-3)
        assert got.no_speech_probability == pytest.approx(expected.no_speech_probability, abs=1e-3)


def test_a_text_that_is_broken_off_is_as_long_as_it_may_be(
    reference: Network, network: OnnxNetwork, sounds: list[Features]
) -> None:
    whole = max(sounds, key=lambda sound: len(generated(network, [sound])[0].tokens))
    for beam_size in (1, 5):
        (expected,) = generated(reference, [whole], most_tokens=3, beam_size=beam_size)
        (got,) = generated(network, [whole], most_tokens=3, beam_size=beam_size)
        assert got.tokens == expected.tokens
        assert len(got.tokens) == 3
        assert not got.has_ended
        task = network.vocabulary.task("ru", "transcribe")
        (timing,) = network.align(UNUSED, task, [got], [network.n_frames])
        assert len(timing.starts_s) == 3


@pytest.mark.parametrize("beam_size", [1, 5])
def test_sounds_that_are_generated_together_get_the_texts_that_they_get_alone(
    network: OnnxNetwork, sounds: list[Features], beam_size: int
) -> None:
    together = generated(network, sounds, beam_size=beam_size)
    for draft, sound in zip(together, sounds, strict=True):
        (alone,) = generated(network, [sound], beam_size=beam_size)
        assert draft.tokens == alone.tokens
        assert draft.avg_logprob == pytest.approx(alone.avg_logprob, abs=1e-4)
        assert draft.attention is not None
        assert alone.attention is not None
        np.testing.assert_allclose(draft.attention, alone.attention, atol=1e-4)


def test_memory_that_is_short_changes_no_text(
    network: OnnxNetwork, sounds: list[Features], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory is made larger again and again."""
    expected = generated(network, sounds, beam_size=5)
    monkeypatch.setattr(decoding, "_ROOM", 1)
    got = generated(network, sounds, beam_size=5)
    assert [draft.tokens for draft in got] == [draft.tokens for draft in expected]
    assert [draft.avg_logprob for draft in got] == pytest.approx([draft.avg_logprob for draft in expected], abs=1e-4)


def test_other_texts_differ_in_the_tokens_that_they_replace(
    network: OnnxNetwork, sounds: list[Features], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network is quite sure of these sounds: what is much less probable is followed, too.
    monkeypatch.setattr(alternatives, "DEPTH", 12.0)
    monkeypatch.setattr(alternatives, "MOST_LOST", 60.0)
    prompt = network.vocabulary.prompt(network.vocabulary.task("ru", "transcribe"), PLAIN)
    options: dict[str, Any] = {"most_tokens": 40, "temperature": 0.0, "with_times": True}
    n_others = 0
    for sound in sounds:
        encoded = network.encode([sound])
        ((first, *others),) = network.generate(encoded, [prompt], beam_size=5, **options)
        ((greedy,),) = network.generate(encoded, [prompt], beam_size=1, **options)
        assert first.tokens == greedy.tokens
        assert first.avg_logprob == pytest.approx(greedy.avg_logprob, abs=1e-4)
        n_others += len(others)
        for other in others:
            assert other.replaced is not None
            assert other.attention is not None
            start, end = other.replaced
            behind = first.tokens[end:]
            assert other.tokens[:start] == first.tokens[:start]
            assert other.tokens[len(other.tokens) - len(behind) :] == behind
            assert other.tokens != first.tokens
            assert len(other.attention) == len(prompt) + len(other.tokens)
    assert n_others >= 3


def test_probabilities_of_tokens_make_the_mean(network: OnnxNetwork, sounds: list[Features]) -> None:
    for draft in generated(network, sounds, beam_size=5):
        assert draft.logprobs is not None
        assert len(draft.logprobs) == len(draft.tokens)
        # The end is the one token more that the mean counts.
        end = draft.avg_logprob * (len(draft.tokens) + 1) - sum(draft.logprobs)
        assert end <= 1e-4


@pytest.mark.parametrize("beam_size", [1, 5])
def test_times_are_near_those_of_ctranslate2(
    reference: Network, network: OnnxNetwork, sounds: list[Features], messages: list[Spoken], beam_size: int
) -> None:
    task = network.vocabulary.task("ru", "transcribe")
    frames = [len(message.samples) // 320 * 2 for message in messages]
    drafts = generated(network, sounds, beam_size=beam_size)
    expected = reference.align(reference.encode(sounds), task, drafts, frames)
    got = network.align(UNUSED, task, drafts, frames)
    apart, differences = [], []
    for ours, theirs in zip(got, expected, strict=True):
        assert len(ours.starts_s) == len(theirs.starts_s)
        assert ours.starts_s == sorted(ours.starts_s)
        apart += (np.abs(np.subtract(ours.starts_s, theirs.starts_s))).tolist()
        differences += np.abs(np.subtract(ours.probabilities, theirs.probabilities)).tolist()
    # CTranslate2 leaves the end token out of what it divides by.
    assert float(np.mean(np.array(differences) <= 0.02)) >= 0.9
    assert float(np.median(apart)) <= 0.04
    assert float(np.mean(np.array(apart) <= 0.2)) >= 0.9


def test_the_language_is_that_of_ctranslate2(reference: Network, network: OnnxNetwork, sounds: list[Features]) -> None:
    for sound in sounds:
        try:
            (expected,) = reference.language_probabilities(reference.encode([sound]))
        except Exception as error:  # noqa: BLE001 - CTranslate2 takes small vocabularies for monolingual ones
            pytest.skip(str(error))
        assert network.language_probabilities(network.encode([sound]))[0] == pytest.approx(expected, abs=0.05)


def test_a_text_by_chance_is_the_same_each_time_and_not_always_the_best(
    network: OnnxNetwork, sounds: list[Features]
) -> None:
    best = generated(network, sounds)
    wild = generated(network, sounds, temperature=3.0)
    assert [draft.tokens for draft in wild] == [draft.tokens for draft in generated(network, sounds, temperature=3.0)]
    assert [draft.tokens for draft in wild] != [draft.tokens for draft in best]
    calm = generated(network, sounds, temperature=0.01)
    assert [draft.tokens for draft in calm] == [draft.tokens for draft in best]


def test_int8_writes_the_same_texts(sources: dict[str, Path], network: OnnxNetwork, sounds: list[Features]) -> None:
    small = OnnxNetwork(sources["int8"], precision="int8", threads=1)
    expected = [draft.tokens for draft in generated(network, sounds, beam_size=5)]
    got = [draft.tokens for draft in generated(small, sounds, beam_size=5)]
    assert sum(one == other for one, other in zip(got, expected, strict=True)) >= N_SOUNDS - 1


def test_weights_in_another_precision_than_the_file_are_used(
    sources: dict[str, Path], network: OnnxNetwork, sounds: list[Features]
) -> None:
    expected = [draft.tokens for draft in generated(network, sounds[:3])]
    for stored, precision in (("int8", "float32"), ("float32", "int8")):
        other = OnnxNetwork(sources[stored], precision=precision, threads=1)  # type: ignore[arg-type]
        assert [draft.tokens for draft in generated(other, sounds[:3])] == expected


def test_threads_share_a_network(network: OnnxNetwork, sounds: list[Features]) -> None:
    expected = [generated(network, [sound], beam_size=5)[0].tokens for sound in sounds]
    with ThreadPoolExecutor(4) as pool:
        drafts = pool.map(lambda sound: generated(network, [sound], beam_size=5)[0], sounds)
        assert [draft.tokens for draft in drafts] == expected


def test_a_closed_network_says_so(sources: dict[str, Path], sounds: list[Features]) -> None:
    closed = OnnxNetwork(sources["int8"], precision="int8", threads=1)
    closed.close()
    with pytest.raises(ModelError, match="closed"):
        closed.encode(sounds[:1])
