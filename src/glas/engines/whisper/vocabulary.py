"""Whisper's tokens: text tokens, and special tokens for language, task and times."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import InvalidParameterError, ModelFileMissingError, ModelLoadError
from glas.engines.json_file import read_json

END = "<|endoftext|>"
START = "<|startoftranscript|>"
TRANSLATE = "<|translate|>"
TRANSCRIBE = "<|transcribe|>"
PREVIOUS = "<|startofprev|>"
NO_TIMESTAMPS = "<|notimestamps|>"
# In the first models of openai/whisper, the token has the second name.
NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")

# The last text token of multilingual models. The English-only models of openai/whisper have GPT-2's vocabulary, which
# lacks it. CTranslate2 distinguishes them in the same way.
EMPTY = ""

# As in openai/whisper, the previous text may fill at most half of the text context.
_SHARE_OF_PROMPT = 2

_BROKEN_LETTER = "\ufffd"
_MOST_BYTES_OF_A_LETTER = 4


def load_tokenizer(directory: Path) -> Tokenizer:
    """Load the tokenizer of a checkpoint.

    Raises:
        ModelFileMissingError: there is neither tokenizer.json nor vocab.json with merges.txt.
        ModelLoadError: the files cannot be read.
    """
    whole, words, merges = (directory / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
    try:
        if whole.is_file():
            return Tokenizer.from_file(str(whole))
        if words.is_file() and merges.is_file():
            return _assembled(directory, words, merges)
    except Exception as error:  # the library's errors have no common base
        raise ModelLoadError(f"The tokenizer in {directory} cannot be read: {error}") from error
    raise ModelFileMissingError(f"{directory} lacks tokenizer.json (or vocab.json and merges.txt).")


def _assembled(directory: Path, words: Path, merges: Path) -> Tokenizer:
    """Make a byte-level BPE from the files of transformers' older tokenizers."""
    tokenizer = Tokenizer(models.BPE.from_file(str(words), str(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    added = read_json(directory / "added_tokens.json")
    specials = [END, *sorted(added, key=lambda token: int(added[token]))]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    for token, number in added.items():
        if tokenizer.token_to_id(token) != number:
            raise ModelLoadError(f"{directory}: expected {token} to be token {number}; the numbers have gaps.")
    return tokenizer


def token_list(tokenizer: Tokenizer, size: int) -> list[str]:
    """Return all tokens by id, including the time tokens, which are missing in older tokenizers.

    Raises:
        ModelLoadError: ids are missing, or there are no special tokens.
    """
    known = tokenizer.get_vocab(with_added_tokens=True)
    by_id = {number: token for token, number in known.items() if number < size}
    last = max(by_id, default=-1)
    if sorted(by_id) != list(range(last + 1)) or any(token not in known for token in (END, START, NO_TIMESTAMPS)):
        raise ModelLoadError(f"The tokenizer is not Whisper's: expected tokens 0 to {last} with {START} among them.")
    return [by_id[number] for number in range(last + 1)] + [f"<|{0.02 * step:.2f}|>" for step in range(size - last - 1)]


def language_ids(tokens: Sequence[str]) -> range:
    """Return the ids of the tokens that stand for languages.

    The tokens of languages are between the start token and the tokens of tasks. A model that has no tokens of tasks has
    no tokens of languages.
    """
    if TRANSLATE not in tokens or TRANSCRIBE not in tokens:
        return range(0)
    return range(tokens.index(START) + 1, min(tokens.index(TRANSLATE), tokens.index(TRANSCRIBE)))


class Vocabulary:
    """The tokenizer of a loaded model.

    Args:
        directory: directory with the tokenizer.
        text_context: largest number of tokens in the decoder, including the prompt.

    Attributes:
        languages: id of the token of each language, by ISO 639-1 code; empty for a model for English only.
        end: id of the token that ends a text; smaller ids are text tokens.
        start: id of the start token. After this token, the network predicts the language, or that nobody speaks.
        no_timestamps: id of the token that requests a text without times.
        no_speech: id of the token that means that nobody speaks; None if there is no such token.
    """

    def __init__(self, directory: Path, text_context: int) -> None:
        self._tokenizer = load_tokenizer(directory)
        self._context = text_context
        self._letters: dict[int, str] = {}
        self.end = self._id(END)
        self.start = self._id(START)
        found = (self._tokenizer.token_to_id(token) for token in NO_SPEECH)
        self.no_speech: int | None = next((number for number in found if number is not None), None)
        self.no_timestamps = self._id(NO_TIMESTAMPS)
        self.languages: dict[str, int] = {}
        if self._tokenizer.token_to_id(EMPTY) is not None:
            between = range(self.start + 1, min(self._id(TRANSLATE), self._id(TRANSCRIBE)))
            self.languages = {str(self._tokenizer.id_to_token(number))[2:-2]: number for number in between}

    def task(self, language: str, task: str) -> list[int]:
        """Return the tokens for the language and the task.

        Raises:
            InvalidParameterError: the model does not know the language.
        """
        if not self.languages:
            if language != "en":
                raise InvalidParameterError(
                    f"This model knows only English; expected the language 'en', got {language!r}.", param="language"
                )
            return [self.start]
        if language not in self.languages:
            raise InvalidParameterError(
                f"Expected a language that this model knows ({', '.join(sorted(self.languages))}), got {language!r}.",
                param="language",
            )
        return [self.start, self.languages[language], self._id(f"<|{task}|>")]

    def prompt(self, task: list[int], options: DecodingOptions) -> list[int]:
        """Return the tokens before the text: the previous text, the task, and the token for a text without times.

        The prompt contains no keywords, because keywords in a prompt take time, and cause errors in recordings that
        contain none of the keywords (docs/benchmarks.md).
        """
        before = self.encode(options.prompt) if options.prompt.strip() else []
        # Only the end of the previous text is kept, because it is closest to the present piece.
        before = before[-(self._context // _SHARE_OF_PROMPT - 1) :]
        previous = [self._id(PREVIOUS), *before] if before else []
        return [*previous, *task, self.no_timestamps]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; special tokens are left out."""
        return str(self._tokenizer.decode([token for token in tokens if token < self.end]))

    def letters(self, token: int) -> str:
        """Return the letters and digits of a token in lower case.

        If the token is only a part of a letter, return a text that no other token has.
        """
        if token not in self._letters:
            text = self.decode([token]).lower()
            found = "".join(sign for sign in text if sign.isalnum())
            self._letters[token] = f"{found}{_BROKEN_LETTER}{token}" if _BROKEN_LETTER in text else found
        return self._letters[token]

    def pieces(self, tokens: Sequence[int]) -> list[tuple[str, int]]:
        """Divide text tokens into groups of whole letters, because the bytes of one letter may be in two tokens.

        Returns:
            Pairs of a text and the number of its tokens.
        """
        found: list[tuple[str, int]] = []
        held: list[int] = []
        for token in tokens:
            held.append(token)
            text = self.decode(held)
            if not text.endswith(_BROKEN_LETTER) or len(held) == _MOST_BYTES_OF_A_LETTER:
                found.append((text, len(held)))
                held = []
        return [*found, (self.decode(held), len(held))] if held else found

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text without the end token."""
        return list(self._tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids)

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelLoadError(f"The tokenizer is not Whisper's: it has no {token}.")
        return int(number)
