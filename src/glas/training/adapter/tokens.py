"""Encode texts as the tokens of a Russian transcription without times."""

from pathlib import Path

from glas.domain.errors import ModelLoadError
from glas.engines.whisper.vocabulary import END, NO_TIMESTAMPS, START, TRANSCRIBE, load_tokenizer

RUSSIAN = "<|ru|>"


class Tokens:
    """The tokenizer of a Whisper model, for training.

    Args:
        directory: directory that contains the tokenizer.

    Attributes:
        end: id of the token that ends a text.
        prompt_length: number of tokens before the text.
    """

    def __init__(self, directory: Path) -> None:
        self._tokenizer = load_tokenizer(directory)
        self._prompt = [self._id(name) for name in (START, RUSSIAN, TRANSCRIBE, NO_TIMESTAMPS)]
        self.end = self._id(END)
        self.prompt_length = len(self._prompt)

    def text(self, text: str) -> list[int]:
        """Return the token ids of the prompt, of a space and the text, and of the token that ends the text.

        If the text is empty, no space is added.
        """
        words = self._tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
        return [*self._prompt, *words, self.end]

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelLoadError(f"The tokenizer is not Whisper's: it has no {token}.")
        return number
