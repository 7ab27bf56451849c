"""A tokenizer like Whisper's, for tests: byte-level BPE over a few texts, and the special tokens."""

import json
from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from glas.engines.whisper.vocabulary import EMPTY, END, NO_TIMESTAMPS, PREVIOUS, START, TRANSCRIBE, TRANSLATE

NO_SPEECH = "<|nospeech|>"
SPECIALS = (END, START, "<|en|>", "<|ru|>", TRANSLATE, TRANSCRIBE, "<|startoflm|>", PREVIOUS, NO_SPEECH, NO_TIMESTAMPS)


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token."""
    found = tokenizer.token_to_id(token)
    assert found is not None
    return int(found)


def make_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """Byte-level BPE over some texts, then Whisper's special tokens, without those of times."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The empty token, by which CTranslate2 knows a multilingual Whisper.
    saved = json.loads(tokenizer.to_str())
    saved["model"]["vocab"][EMPTY] = len(saved["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    return tokenizer
