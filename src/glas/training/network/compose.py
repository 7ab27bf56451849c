"""Words that no reader read, in readers' voices: any text put together from pieces of letters of real recordings.

Real data lack words, not voices: a network that knows a few hundred sentences from 400 readers understands new readers
of these sentences, and nobody's new sentences.  So words are composed as unit-selection synthesis does it (Hunt and
Black 1996), on features instead of sound, which needs no vocoder.  A unit is a run of letters of one utterance, cut in
the middle of its first and its last letter; neighbours share the letter in which they meet, as diphones do.  A Viterbi
search finds the cheapest units for a text: few joints, joints in letters that bear it, with the same neighbours on both
sides; of the reader himself, else of readers like him.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.training.network.alignment import Aligned, align_shard
from glas.training.sound.features import Features, from_bytes, to_bytes
from glas.training.sound.shards import Bytes, write_shard
from glas.training.texts.lexicon import load_lexicon
from glas.training.texts.sentences import TextSource, label

JOINT = 1.0  # price of a joint …
BETWEEN_LETTERS = 3.0  # price of pieces that meet between two letters: for pairs of letters that nobody said
JOINT_IN = {" ": 0.1, **dict.fromkeys("аеиоуыэюя", 1.3), **dict.fromkeys("ьъй", 2.5)}  # … times this, by letter
OTHER_NEIGHBOUR = 0.7  # a joint whose letter had another neighbour in its recording
OTHER_KIND = 0.8  # more, where that neighbour is of another kind (vowel, consonant, sign, space)
OTHER_READER = 0.1  # each letter that another reader says
DITHER = 0.4  # spread of a random price, so that one text is not always made of the same pieces
LETTERS_OF_A_VOICE = 60_000  # a reader and as many of those like him as it takes
DEAREST = 1.05  # price per letter above which a text is not made
TEXTS_TRIED = 3  # of which the cheapest is made
LEAST_LETTERS = 12  # short texts are cheap, so the cheapest ones would mostly be short
FADE_FRAMES = 2
PAUSE_FRAMES = (10, 50)
PAUSES = 0.15  # of the utterances that have one where two words meet

_KIND = np.full(1200, 3, np.int8)  # of a code point: space, vowel, sign; all others are consonants
_KIND[ord(" ")] = 0
_KIND[[ord(vowel) for vowel in "аеиоуыэюя"]] = 1
_KIND[[ord(sign) for sign in "ьъ"]] = 2


Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """An aligned utterance without its channel: features (t, 80) minus their mean."""

    text: str  # with a space at both ends
    frames: Places  # of each letter of it
    features: Features


@dataclass(frozen=True)
class Unit:
    """Frames `start` to `stop` of a recording."""

    recording: int
    start: int
    stop: int
    ends_word: bool


@dataclass(frozen=True)
class Voice:
    """All letters that a reader, and those like him, have said, and where each is."""

    reader: str
    mean: Features  # (80,)
    recordings: list[Recording]
    letters: Places  # (n + 1,) code points of all recordings in a row, and a space
    recording: Places
    position: Places  # in the recording's text
    begins: npt.NDArray[np.bool_]  # a recording
    foreign: npt.NDArray[np.bool_]  # said by another reader
    places: dict[str, Places]  # of each letter


def recording(utterance: Aligned) -> Recording:
    """The utterance as pieces are taken from it."""
    features = from_bytes(utterance.stored)
    frames = np.r_[0, utterance.frames, len(features) - 1]
    return Recording(f" {utterance.text} ", frames, features - features.mean(axis=0))


def voice(reader: str, mean: Features, own: list[Recording], others: list[Recording]) -> Voice:
    """A reader's letters, filled up with others'."""
    sizes = np.cumsum([len(one.text) for one in [*own, *others]])
    recordings = [*own, *others][: int(np.searchsorted(sizes, LETTERS_OF_A_VOICE)) + 1]
    text = "".join(one.text for one in recordings)
    codes = np.array([ord(letter) for letter in text])
    position = np.concatenate([np.arange(len(one.text)) for one in recordings])
    number = np.repeat(np.arange(len(recordings)), [len(one.text) for one in recordings])
    places = {letter: np.flatnonzero(codes == ord(letter)) for letter in sorted(set(text))}
    return Voice(
        reader, mean, recordings, np.r_[codes, ord(" ")], number, position, position == 0, number >= len(own), places
    )


def voices(utterances: list[Aligned]) -> list[Voice]:
    """One voice for each reader; those are like him whose mean and spread of the bands are."""
    of_reader: dict[str, list[Aligned]] = {}
    for utterance in utterances:
        of_reader.setdefault(utterance.reader, []).append(utterance)
    names = sorted(of_reader)
    frames = [np.concatenate([from_bytes(u.stored) for u in of_reader[name]]) for name in names]
    means = np.array([f.mean(axis=0) for f in frames])
    shapes = np.array([np.r_[np.diff(f.mean(axis=0)), f.std(axis=0)] for f in frames])
    recordings = {name: [recording(u) for u in of_reader[name]] for name in names}
    made = []
    for row, name in enumerate(names):
        near = np.argsort(((shapes - shapes[row]) ** 2).sum(axis=1))[1:]
        others = [one for index in near for one in recordings[names[index]]]
        made.append(voice(name, means[row], recordings[name], others))
    return made


def unlike(neighbours: npt.NDArray[np.int64], wanted: str) -> npt.NDArray[np.float64]:
    """What it costs that a letter had these neighbours (n,) in place of the wanted one."""
    code = ord(wanted)
    price: npt.NDArray[np.float64] = OTHER_NEIGHBOUR * (neighbours != code) + OTHER_KIND * (
        _KIND[neighbours] != _KIND[code]
    )
    return price


def select(rng: np.random.Generator, of: Voice, text: str) -> tuple[list[Unit], float]:
    """The cheapest units for a text that begins and ends with a space, and their price per letter.

    The price is infinite if a letter is nowhere in the voice.
    """
    prices = np.full(len(of.letters) + 1, np.inf)  # of the places of the letter before; the last one is nowhere
    places: list[Places] = []  # of each letter in the voice
    origins: list[Places] = []  # for each place, the place before it, or in this letter if ~ is taken of it
    price: npt.NDArray[np.float64] = np.zeros(0)
    for index, letter in enumerate(text):
        here = of.places.get(letter, np.zeros(0, np.int64))
        if not len(here):
            return [], np.inf
        origin = here - 1
        if index:
            prices[places[-1]] = price
            cheapest = int(price.argmin())
            fresh = price[cheapest] + BETWEEN_LETTERS + rng.exponential(DITHER, len(here))
            price = np.where(of.begins[here], np.inf, prices[here - 1])
            prices[places[-1]] = np.inf
            origin = np.where(fresh < price, places[-1][cheapest], origin)
            price = np.minimum(price, fresh) + OTHER_READER * of.foreign[here]
        else:
            price = np.zeros(len(here))
        if 0 < index < len(text) - 1:  # change recordings inside this letter
            leave = price + JOINT * JOINT_IN.get(letter, 1.0) + unlike(of.letters[here + 1], text[index + 1])
            enter = unlike(of.letters[here - 1], text[index - 1]) + rng.exponential(DITHER, len(here))
            best = int(leave.argmin())
            changed = leave[best] + enter
            origin = np.where(changed < price, ~here[best], origin)
            price = np.minimum(price, changed)
        places.append(here)
        origins.append(origin)
    return _units(of, places, origins, int(price.argmin())), float(price.min()) / len(text)


def _units(of: Voice, places: list[Places], origins: list[Places], state: int) -> list[Unit]:
    """The way back from a place of the last letter."""
    units: list[Unit] = []
    here = int(places[-1][state])
    end = (here, True)  # of the unit, and whether it is cut inside that letter
    for index in range(len(places) - 1, 0, -1):
        origin = int(origins[index][np.searchsorted(places[index], here)])
        if origin < 0:
            units.append(unit(of, (here, True), end))
            here = ~origin
            end = (here, True)
            origin = int(origins[index][np.searchsorted(places[index], here)])
        if origin != here - 1:
            units.append(unit(of, (here, False), end))
            end = (origin, False)
        here = origin
    return [unit(of, (here, True), end), *units[::-1]]


def unit(of: Voice, begin: tuple[int, bool], end: tuple[int, bool]) -> Unit:
    """From one place to another in one recording, cut inside a letter or half-way to its neighbour."""
    index = int(of.recording[begin[0]])
    frames = of.recordings[index].frames
    first, last = int(of.position[begin[0]]), int(of.position[end[0]])
    start = int(frames[first]) if begin[1] else int(frames[max(first - 1, 0)] + frames[first] + 1) // 2
    stop = int(frames[last]) if end[1] else int(frames[last] + frames[min(last + 1, len(frames) - 1)]) // 2
    return Unit(index, start, stop + 1, ends_word=of.letters[end[0]] == ord(" "))


def say(rng: np.random.Generator, of: Voice, units: list[Unit]) -> Bytes:
    """The units in a row in the reader's channel, every joint smoothed, now and then a pause between words."""
    pause_at = int(rng.integers(len(units))) if rng.random() < PAUSES else -1
    pieces: list[Features] = []
    for number, each in enumerate(units):
        piece = of.recordings[each.recording].features[each.start : each.stop]
        pieces.append(fade(pieces, piece) if pieces else piece)
        if number == pause_at and each.ends_word:
            pieces.append(np.repeat(pieces[-1][-1:], int(rng.integers(*PAUSE_FRAMES)), axis=0))
    return to_bytes(np.concatenate(pieces) + of.mean)


def fade(pieces: list[Features], piece: Features) -> Features:
    """Cross the last frames of what is there over to the piece's first ones, in place; what is left of the piece."""
    count = min(FADE_FRAMES, len(pieces[-1]), len(piece) - 1)
    if count < 1:
        return piece
    weight = (np.arange(1, count + 1, dtype=np.float32) / (count + 1))[:, None]
    mixed = pieces[-1][-count:] * (1 - weight) + piece[:count] * weight
    pieces[-1] = np.concatenate([pieces[-1][:-count], mixed])
    return piece[count:]


def utterances(
    rng: np.random.Generator, texts: TextSource, of: list[Voice], count: int
) -> Iterable[tuple[str, str, Bytes]]:
    """Composed utterances: label text, reader, bytes (t, 80)."""
    weights = np.sqrt([np.count_nonzero(~each.foreign) for each in of])
    while count:
        each = of[rng.choice(len(of), p=weights / weights.sum())]
        drawn = [f" {label(texts.draw())} " for _ in range(TEXTS_TRIED)]
        tried = [(*select(rng, each, text), text) for text in drawn if len(text) >= LEAST_LETTERS]
        units, price, text = min(tried, key=lambda one: one[1], default=([], np.inf, ""))
        if price <= DEAREST:
            count -= 1
            yield text.strip(), each.reader, say(rng, each, units)


def compose(data: Path, checkpoint: Path, lines: list[str], count: int, seeds: Iterable[int]) -> None:
    """Write a shard of `count` composed utterances for each seed; the trainer takes them up as they come."""
    of = voices(align_shard(data, checkpoint))
    if not of:
        print("nothing is composed: the network is not yet good enough to align any reader", flush=True)
        return
    lexicon = load_lexicon(data / "lexicon.json")
    for seed in seeds:
        rng = np.random.default_rng([7, seed])
        made = utterances(rng, TextSource(lexicon, 7_000_000 + seed, lines), of, count)
        write_shard(data / "shards", f"voxforge-train-composed-{seed}", made)
        print(f"composed shard {seed}", flush=True)
