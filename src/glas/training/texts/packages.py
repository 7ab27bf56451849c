"""Read Russian sentences from unpacked Debian packages, in several file formats.

The files are: aphorisms and jokes (fortunes-ru, plain text); translations of games (wesnoth-1.16-data and its
campaigns, freeciv-data, .mo files); help (gnome-user-docs, .page; libreoffice-help-ru, .html); and the phrases of a
dictionary (mueller7-dict, .dict.dz). All other files and languages are ignored.

This module downloads nothing. Before you use this module, download each package with `apt-get download PACKAGE`, and
unpack all packages into one directory with `dpkg -x FILE DIRECTORY`.
"""

import gzip
import html
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

_END = re.compile(r"(?<=[.!?…])[\"»)']*\s+|\n+|[;:—–]\s|\s-\s")
_FOREIGN = re.compile(r"[A-Za-z0-9_{}%$#@\\|=<>&]")
_RUSSIAN = re.compile(r"[а-яё]", re.IGNORECASE)
_NOT_RUSSIAN = re.compile(r"[іїєґўѣѵѳәөүңқғ]", re.IGNORECASE)
_INLINE = re.compile(r"</?(?:span|a|em|b|i|strong|emph|gui|guiseq|app|key|keyseq|link|file|sys|cmd|code)(?: [^>]*)?>")
_MARKS = re.compile(r"<[^>]*>|\$\w+\|?|[*~]|\w+\^")  # markup, variables, contexts in translations
_PHRASE = re.compile(r"[а-яёА-ЯЁ][а-яё ,-]+")
_CUT_SHORT = re.compile(r"\b[бвгджзйклмнпрстфхцчшщ]\s*$")  # «и т. д.», a preposition without its noun
_LITTLE_ENDIAN = b"\xde\x12\x04\x95"
_CHARSET = re.compile(rb"charset=([\w-]+)")
_MANY = 0.6  # least share of letters among the characters of a sentence


def read_sentences(folder: Path) -> Iterator[str]:
    """Yield Russian sentences and phrases without digits and foreign letters; the files are sorted by their names."""
    for text in _texts(folder):
        yield from _sentences(text)


def read_russian_lines(folder: Path) -> Iterator[str]:
    """Yield lines that are mostly Russian; their digits, punctuation marks and foreign words are not removed."""
    for text in _texts(folder):
        for line in text.splitlines():
            if len(_RUSSIAN.findall(line)) > _MANY * len(line.strip()) and not _NOT_RUSSIAN.search(line):
                yield line.strip()


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (reader := _reader(path)):
            yield from reader(path)


def raw_texts(folder: Path) -> Iterator[str]:
    """Yield the texts of all readable files in a directory, with punctuation; the files are sorted by their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (reader := _reader(path)):
            yield from ("\n".join(reader(path)),) if reader is _plain else reader(path)


def _reader(path: Path) -> Callable[[Path], Iterator[str]] | None:
    if path.suffix == ".mo":
        return _translations if "ru" in path.parts else None
    if path.suffix in {".page", ".html"}:
        return _marked_up if {"ru", "gnome-help"} & set(path.parts) else None
    if path.name.endswith(".dict.dz"):
        return _dictionary
    # The texts of fortunes-ru are files with names such as 2001.03. The same directory contains indices (.dat) of these
    # files, and links to them (.u8).
    plain = path.suffix in {"", ".txt"} or path.suffix[1:].isdigit()
    return _plain if plain and "doc" not in path.parts else None


def _plain(path: Path) -> Iterator[str]:
    yield from path.read_text(encoding="utf-8", errors="ignore").splitlines()


def _translations(path: Path) -> Iterator[str]:
    for key, text in sorted(_catalogue(path.read_bytes()).items(), key=str):
        if key:
            yield re.sub(r"(?<!\n)\n(?!\n)", " ", _MARKS.sub(" ", text))


def _catalogue(data: bytes) -> dict[str | tuple[str, int], str]:
    """Parse a compiled gettext catalogue, and return its messages by key; the key of a plural form contains its number.

    Python's module gettext cannot list messages. The format is described in the manual of GNU gettext, "The Format of
    GNU MO Files". A file has a magic number, a revision, the number of messages, and the offsets of the tables of
    originals and translations. Each entry of a table is a length and an offset.
    """
    order = "<" if data.startswith(_LITTLE_ENDIAN) else ">"
    count, originals, translations = struct.unpack_from(f"{order}3I", data, 8)

    def raw(table: int, number: int) -> bytes:
        length, place = struct.unpack_from(f"{order}2I", data, table + 8 * number)
        return data[place : place + length]

    pairs = [(raw(originals, number), raw(translations, number)) for number in range(count)]
    charset = _CHARSET.search(dict(pairs).get(b"", b""))
    encoding = charset[1].decode("ascii") if charset else "utf-8"
    found: dict[str | tuple[str, int], str] = {}
    for original, translation in pairs:
        singular, *plural = original.decode(encoding).split("\0")
        translated = translation.decode(encoding)
        if plural:
            found.update({(singular, form): one for form, one in enumerate(translated.split("\0"))})
        else:
            found[singular] = translated
    return found


def _marked_up(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="ignore")
    text = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", "", text)
    text = re.sub(r"\s+", " ", _INLINE.sub("", text))
    yield html.unescape(re.sub(r"<[^>]*>", "\n", text))


def _dictionary(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8", errors="ignore") as file:
        for phrase in _PHRASE.findall(file.read()):
            yield phrase.replace(",", "\n")


def _sentences(text: str) -> Iterator[str]:
    for sentence in _END.split(text):
        letters = len(_RUSSIAN.findall(sentence))
        strange = any(sign.search(sentence) for sign in (_FOREIGN, _NOT_RUSSIAN, _CUT_SHORT))
        if letters > _MANY * len(sentence.strip()) and not strange:
            yield sentence
