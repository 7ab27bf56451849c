"""Read whole Russian sentences, with their capitals and punctuation, from unpacked Debian packages.

A model that should write in the style of Whisper needs training texts in this style. So a sentence is used only if it
consists of letters, digits, commas, hyphens and punctuation marks at its end. The letter ё is replaced by е, because
Whisper hardly ever writes ё.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from glas.training.texts.packages import raw_texts

WORDS = (2, 28)  # least and largest number of words in a sentence

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[А-ЯЁ«\"—-])")
_PARAGRAPH_END = re.compile(r"\n\s*\n|^%$|^\s*--.*$", re.MULTILINE)
_WHOLE = re.compile(r"[А-ЯЁ](?:[а-яёА-ЯЁ0-9 ,]|(?<=\w)-(?=\w))*[а-яё0-9](?:[.!?]|\.\.\.)")
_DASH = re.compile(r"^\s*[-–—]\s*")
_MANY_CAPITALS = re.compile(r"[А-ЯЁ]{4}")


def read_prose(folder: Path) -> Iterator[str]:
    """Yield whole sentences, each only once, in the order of the names of the files.

    Sentences whose number of words is not in the range `WORDS` are left out.
    """
    seen = set()
    for text in raw_texts(folder):
        for sentence in whole_sentences(text):
            if sentence not in seen:
                seen.add(sentence)
                yield sentence


def whole_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text that are written in Whisper's style."""
    for paragraph in _PARAGRAPH_END.split(text):
        for part in _SENTENCE_END.split(re.sub(r"\s+", " ", paragraph)):
            sentence = _DASH.sub("", part).strip().replace("…", "...").replace("Ё", "Е").replace("ё", "е")
            fits = WORDS[0] <= len(sentence.split()) <= WORDS[1] and not _MANY_CAPITALS.search(sentence)
            if fits and _WHOLE.fullmatch(sentence):
                yield sentence
