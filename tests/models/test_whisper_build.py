"""The reduced vocabulary and the model with it: equal tokens, equal bytes, and no incomplete model after a crash."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from glas.domain.decoding import PLAIN
from glas.domain.errors import ModelLoadError
from glas.engines.safetensors import Array
from glas.engines.whisper.adapter import Adapter, Factors, digest, write_adapter
from glas.engines.whisper.arrays import load_arrays
from glas.engines.whisper.build import build_model
from glas.engines.whisper.convert import convert
from glas.engines.whisper.model import read_model
from glas.engines.whisper.network import Network
from glas.engines.whisper.trimming import choose_tokens, kept_rows, trim
from glas.engines.whisper.vocabulary import EMPTY, load_tokenizer, token_list
from tests.models.random_whisper import TIMES, WIDTH, save_random
from tests.models.tiny_tokens import SPECIALS

SETTINGS = {"context_margin_s": 0.64}
KEPT = ("мама мыла окно", " мама", " the windows")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("whisper") / "random")


@pytest.fixture(scope="module")
def whole(base: Path) -> Tokenizer:
    return load_tokenizer(base)


@pytest.fixture(scope="module")
def small(whole: Tokenizer) -> Tokenizer:
    return trim(whole, choose_tokens(whole, KEPT))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    factors = Factors(rng.normal(0, 0.1, (4, WIDTH)), rng.normal(0, 0.1, (WIDTH, 4)))
    place = tmp_path_factory.mktemp("adapter") / "adapter"
    name = "decoder.layers.1.encoder_attn.v_proj"
    write_adapter(place, Adapter({name: factors}, 4, 4.0, "random", digest(load_arrays(base))))
    return place


def tokens(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def test_texts_are_cut_as_by_the_whole_tokenizer(whole: Tokenizer, small: Tokenizer) -> None:
    assert small.get_vocab_size() < whole.get_vocab_size()
    for text in KEPT:
        assert tokens(small, text) == tokens(whole, text)
    left_out = "папа ест, the iPhone"
    assert tokens(small, left_out) != tokens(whole, left_out), "whose tokens were not asked for"
    for text in (left_out, "ещё 日本 ©", "a\nb"):
        assert small.decode(small.encode(text).ids) == text, "bytes write everything"


def test_numbers_have_no_gaps_and_keep_the_order(whole: Tokenizer, small: Tokenizer) -> None:
    size = whole.get_vocab_size() + TIMES
    rows = kept_rows(whole, small, size)
    assert rows == sorted(set(rows))
    kept, everything = token_list(small, len(rows)), token_list(whole, size)
    assert kept == [everything[row] for row in rows]
    assert kept[-TIMES:] == everything[-TIMES:], "times stay, which older tokenizers leave out"
    assert [token for token in kept if token in (EMPTY, *SPECIALS)] == [EMPTY, *SPECIALS]


def test_a_lacking_merge_is_mended(whole: Tokenizer) -> None:
    content = json.loads(whole.to_str())
    first = content["model"]["merges"].pop(0)
    assert len("".join(first)) == 2
    damaged = Tokenizer.from_str(json.dumps(content))
    assert choose_tokens(damaged, KEPT) == choose_tokens(whole, KEPT)
    assert (
        json.loads(trim(damaged, range(whole.get_vocab_size())).to_str())["model"]
        == json.loads(whole.to_str())["model"]
    )


def test_a_foreign_tokenizer_is_refused(whole: Tokenizer, small: Tokenizer) -> None:
    content = json.loads(small.to_str())
    content["model"]["vocab"]["странное"] = content["model"]["vocab"].pop("Ġwindows")
    content["model"]["merges"] = []
    with pytest.raises(ModelLoadError, match="it has no token 'странное'"):
        kept_rows(whole, Tokenizer.from_str(json.dumps(content)), whole.get_vocab_size())


def test_the_same_parts_give_the_same_bytes(base: Path, adapter: Path, small: Tokenizer, tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        build_model(base, tmp_path / name, adapter=adapter, tokenizer=small, settings=SETTINGS)
        digests.append(sha256_of(tmp_path / name))
    assert digests[0] == digests[1]
    assert digests[0].keys() == {"config.json", "model.bin", "tokenizer.json", "vocabulary.json"}
    # A tokenizer that was written and read again gives the same model, too.
    build_model(base, tmp_path / "one", adapter=adapter, tokenizer=load_tokenizer(tmp_path / "two"), settings=SETTINGS)
    assert sha256_of(tmp_path / "one") == digests[0]
    # And so does a base in CTranslate2's format.
    build_model(in_float16(base, tmp_path), tmp_path / "three", adapter=adapter, tokenizer=small, settings=SETTINGS)
    assert sha256_of(tmp_path / "three") == digests[0]


def in_float16(base: Path, tmp_path: Path) -> Path:
    target = tmp_path / "float16"
    target.mkdir()
    convert(base, target, "float16")
    return target


def sha256_of(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def test_weights_settings_and_tokens_belong_together(
    base: Path, adapter: Path, whole: Tokenizer, small: Tokenizer, tmp_path: Path
) -> None:
    build_model(base, tmp_path / "made", adapter=adapter, share=0.5, tokenizer=small)
    before, after = read_model(base), read_model(tmp_path / "made")
    rows = kept_rows(whole, small, before.config["vocab_size"])
    assert near(after.arrays["decoder.embed_tokens.weight"], before.arrays["decoder.embed_tokens.weight"][rows])
    changed = [
        name for name in before.arrays if name in after.arrays and not near(after.arrays[name], before.arrays[name])
    ]
    assert changed == ["decoder.layers.1.encoder_attn.v_proj.weight"]
    was, now = token_list(whole, before.config["vocab_size"]), token_list(small, len(rows))
    for name in ("suppress_ids", "suppress_ids_begin", "lang_ids"):
        assert [now[number] for number in after.settings[name]] == [was[number] for number in before.settings[name]]
    assert after.settings["alignment_heads"] == before.settings["alignment_heads"]


def near(one: Array, other: Array) -> bool:
    return one.shape != other.shape or float(np.abs(one - other).max()) < 0.005


def test_languages_can_still_be_told_apart(base: Path, small: Tokenizer, tmp_path: Path) -> None:
    build_model(base, tmp_path / "made", tokenizer=small)
    network = Network(tmp_path / "made", device="cpu", precision="int8", threads=1, workers=1)
    assert network.vocabulary.languages.keys() == {"en", "ru"}
    encoded = network.encode([np.zeros((80, 600), np.float32)])
    assert network.language_probabilities(encoded)[0].keys() == {"en", "ru"}
    prompt = network.vocabulary.prompt(network.vocabulary.task("ru", "transcribe"), PLAIN)
    (drafts,) = network.generate(encoded, [prompt], most_tokens=8, temperature=0, beam_size=2, with_times=False)
    assert all(0 <= token < network.vocabulary.end for draft in drafts for token in draft.tokens)


def test_what_fails_leaves_the_older_model_in_its_place(
    base: Path, adapter: Path, small: Tokenizer, tmp_path: Path
) -> None:
    build_model(base, tmp_path / "made", tokenizer=small)
    before = sha256_of(tmp_path / "made")
    other = save_random(tmp_path / "other", seed=1)
    with pytest.raises(ModelLoadError, match="belongs to other weights"):
        build_model(other, tmp_path / "made", adapter=adapter, tokenizer=small)
    assert sha256_of(tmp_path / "made") == before
    assert {path.name for path in tmp_path.iterdir()} == {"made", "other"}
