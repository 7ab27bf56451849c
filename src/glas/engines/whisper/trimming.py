"""Reduce the vocabulary of a Whisper model to the tokens that given texts need. The new ids have no gaps.

The tokenizer is a byte-level BPE: it divides a text into bytes, and then joins neighbouring tokens by a list of merges.
The reduced tokenizer must have all tokens of a text, the two tokens from which each of these tokens is merged, and so
on down to bytes. Then the reduced tokenizer gives the same tokens for this text as the whole tokenizer, because the
same merges happen in the same order. All bytes are kept, so every text can still be written.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from tokenizers import Tokenizer, pre_tokenizers

from glas.domain.errors import ModelLoadError
from glas.engines.whisper.vocabulary import EMPTY, END, token_list

_BATCH = 10_000  # texts that are divided into tokens in one call


def choose_tokens(tokenizer: Tokenizer, texts: Iterable[str]) -> list[int]:
    """Return the tokens that are needed to write texts.

    Args:
        tokenizer: tokenizer of the whole vocabulary.
        texts: the texts; if a text occurs both with and without a space before it, both forms must be given.

    Returns:
        Ids in ascending order: the tokens of the texts, the tokens from which these tokens are merged, all bytes, and
        all special tokens.

    Raises:
        ModelLoadError: the tokenizer is not a byte-level BPE.
    """
    whole = _mended(_content(tokenizer))
    vocabulary: dict[str, int] = whole["model"]["vocab"]
    parts = {left + right: (left, right) for left, right in whole["model"]["merges"]}
    kept = {*pre_tokenizers.ByteLevel.alphabet(), EMPTY}
    cut = Tokenizer.from_str(json.dumps(whole))
    used: set[int] = set()
    lines = iter(texts)
    while batch := list(islice(lines, _BATCH)):
        used.update(*(cutting.ids for cutting in cut.encode_batch_fast(batch, add_special_tokens=False)))
    to_see = {token for token, number in vocabulary.items() if number in used}
    while to_see:
        kept |= to_see
        to_see = {part for token in to_see for part in parts.get(token, ())} - kept
    special = {entry["id"] for entry in whole["added_tokens"]}
    return sorted({vocabulary[token] for token in kept if token in vocabulary} | special)


def trim(tokenizer: Tokenizer, tokens: Sequence[int]) -> Tokenizer:
    """Make the tokenizer of a smaller vocabulary.

    Args:
        tokenizer: tokenizer of the whole vocabulary.
        tokens: ids of the tokens to keep, in ascending order, as `choose_tokens` returns them. The n-th token gets the
            new id n, counted from 0.

    Raises:
        ModelLoadError: the tokenizer is not a byte-level BPE.
    """
    content = _mended(_content(tokenizer))
    ids = {old: new for new, old in enumerate(tokens)}
    model = content["model"]
    model["vocab"] = {token: ids[old] for token, old in model["vocab"].items() if old in ids}
    model["merges"] = [pair for pair in model["merges"] if {*pair, "".join(pair)} <= model["vocab"].keys()]
    content["added_tokens"] = [
        entry | {"id": ids[entry["id"]]} for entry in content["added_tokens"] if entry["id"] in ids
    ]
    for entry in (content.get("post_processor") or {}).get("special_tokens", {}).values():
        entry["ids"] = [ids[old] for old in entry["ids"]]
    return Tokenizer.from_str(json.dumps(content))


def kept_rows(whole: Tokenizer, trimmed: Tokenizer, size: int) -> list[int]:
    """Return the row of the whole model's embeddings for each token of a reduced tokenizer.

    Args:
        whole: tokenizer of the whole vocabulary.
        trimmed: the result of `trim`.
        size: number of rows of the whole model's embeddings. The rows after the tokenizer's last token belong to time
            tokens; all these rows are kept.

    Raises:
        ModelLoadError: the reduced tokenizer has tokens that the whole tokenizer lacks, or has them in another order.
    """
    tokens = token_list(whole, size)
    place = {token: index for index, token in enumerate(tokens)}
    times = size - whole.get_vocab_size()
    kept = token_list(trimmed, trimmed.get_vocab_size() + times)
    if strange := [token for token in kept if token not in place]:
        raise ModelLoadError(f"Expected a part of the model's own vocabulary; it has no token {strange[0]!r}.")
    rows = [place[token] for token in kept]
    if rows != sorted(rows):
        raise ModelLoadError("Expected the tokens of a trimmed vocabulary in the order of the whole one.")
    return rows


def _content(tokenizer: Tokenizer) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    if content["model"].get("type") != "BPE" or tokenizer.token_to_id(END) is None:
        raise ModelLoadError("Expected the tokenizer of a Whisper: byte-level BPE with special tokens.")
    return content


def _mended(content: dict[str, Any]) -> dict[str, Any]:
    """Add merges that are missing in a tokenizer.json.

    The tokenizer.json of faster-whisper-base, for example, has no merge for the token " t".

    Without this merge, " the" is never a token of a text, although the model generates it. Merges are in the order of
    the tokens that they make, so the position of a missing merge is known.
    """
    model = content["model"]
    made = {left + right: (left, right) for left, right in model["merges"]}
    bytes_ = set(pre_tokenizers.ByteLevel.alphabet())
    for token in model["vocab"]:
        if len(token) == 2 and token not in made and set(token) <= bytes_:  # noqa: PLR2004
            made[token] = (token[0], token[1])
    model["merges"] = [list(pair) for token, pair in sorted(made.items(), key=lambda item: model["vocab"][item[0]])]
    return content
