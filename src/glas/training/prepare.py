"""Everything that training reads: lexicon, band map, VoxForge shards, test shards, shards of synthetic speech."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from glas.domain.errors import ConfigurationError
from glas.training.sound.features import to_bytes
from glas.training.sound.shards import finished_shards, open_shard, write_shard
from glas.training.texts.lexicon import load_lexicon
from glas.training.texts.sentences import TextSource
from glas.training.voices.espeak import Espeak
from glas.training.voices.festvox import held_out_readings
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.synthesise import Speaker, test_utterances, write_training_shard
from glas.training.voices.voxforge import BandMap, read_voxforge

RHVOICE_SEEDS = 8_000_000  # added to a shard's number: its sentences are not those of espeak-ng's shard
MANY_LINES = {"message": 0.4, "words": 0.2, "lines": 0.4}  # natural voices speak more of what people have written
VOXFORGE_FRAMES = (40, 1600)  # shorter and longer ones are left out


@dataclass(frozen=True)
class Amounts:
    """How many utterances."""

    utterances_per_shard: int = 500
    test_utterances: int = 150  # of each synthetic set
    calibration_utterances: int = 500
    map_utterances: int = 500  # from which the map is learnt
    lexicon_prefix: str = ""  # only words that begin so


def prepare_all(data: Path, voxforge: Path | None, festvox: Path | None, amounts: Amounts) -> None:
    """Build what is not there yet.

    Raises:
        ConfigurationError: VoxForge's folder without festvox-ru's.
    """
    if voxforge and not festvox:
        raise ConfigurationError(
            "expected the folder of festvox-ru beside VoxForge's, got none: their readers read the same sentences, "
            "and half of these must stay out of training"
        )
    lexicon = load_lexicon(data / "lexicon.json", amounts.lexicon_prefix)
    espeak = Espeak()
    if not (data / "map.npz").exists():
        speaker = Speaker(espeak, TextSource(lexicon, 1_000_001), 1_000_001, None)
        clean = [
            speaker.voice(speaker.texts.draw(), speaker.manner(espeak.voices), speaker.random.uniform(0.85, 1.17))
            for _ in range(amounts.map_utterances)
        ]
        BandMap.learn([speaker.finish(samples) for samples in clean]).save(data / "map.npz")
    there = finished_shards(data / "shards", "")
    if voxforge and festvox and "voxforge-train" not in there:
        write_voxforge_shards(data, voxforge, festvox, BandMap.load(data / "map.npz"))
    for name, seed in (("test-clean", 1_000_002), ("test-channel", 1_000_003)):
        if name not in there:
            speaker = Speaker(espeak, TextSource(lexicon, seed), seed, None)
            made = test_utterances(speaker, amounts.test_utterances, clean=name == "test-clean")
            write_shard(data / "shards", name, made)
            print(f"{name}: {open_shard(data / 'shards', name).hours * 60:.1f} minutes")


def write_voxforge_shards(data: Path, voxforge: Path, festvox: Path, band_map: BandMap) -> None:
    """Map VoxForge to our features and split it by speaker and text."""
    withheld = [reading.text for reading in held_out_readings(festvox)]
    utterances = [
        u for u in read_voxforge(voxforge, withheld) if VOXFORGE_FRAMES[0] <= len(u[3]) <= VOXFORGE_FRAMES[1] and u[2]
    ]
    for side in ("train", "test"):
        chosen = [
            (text, speaker, to_bytes(band_map(bands)))
            for its_side, speaker, text, bands in utterances
            if its_side == side
        ]
        name = f"voxforge-{side}"
        write_shard(data / "shards", name, chosen)
        speakers, texts = {speaker for _, speaker, _ in chosen}, {text for text, _, _ in chosen}
        hours = open_shard(data / "shards", name).hours
        print(f"{name}: {len(chosen)} utterances, {len(speakers)} speakers, {len(texts)} texts, {hours:.2f} h")


@dataclass(frozen=True)
class Speech:
    """What synthetic speech is made from."""

    data: Path
    lines: list[str] = field(default_factory=list)  # what people have written
    rhvoice: Path | None = None  # folder of unpacked packages; espeak-ng speaks without it
    amounts: Amounts = field(default_factory=Amounts)

    def shard(self, index: int) -> str:
        """The name of the shard with this number."""
        return f"natural-{index:05d}" if self.rhvoice else f"synthetic-{index:05d}"

    def speaker(self, index: int) -> Speaker:
        """Who speaks the shard with this number."""
        lexicon, band_map = load_lexicon(self.data / "lexicon.json"), BandMap.load(self.data / "map.npz")
        if self.rhvoice:
            seed = index + RHVOICE_SEEDS
            return Speaker(RHVoice(self.rhvoice), TextSource(lexicon, seed, self.lines, MANY_LINES), seed, band_map)
        return Speaker(Espeak(), TextSource(lexicon, index, self.lines), index, band_map)


def synthesise_shards(speech: Speech, indices: Iterable[int], processes: int) -> None:
    """Write the shards with these numbers, skipping those that are there.

    espeak-ng keeps state between utterances that nothing resets, so every shard is spoken by a process of its own: only
    then does the number of a shard decide every byte of it.
    """
    missing = [index for index in indices if not (speech.data / "shards" / f"{speech.shard(index)}.jsonl").exists()]
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap_unordered(partial(synthesise_shard, speech), missing):
            print(line, flush=True)


def synthesise_shard(speech: Speech, index: int) -> str:
    """Write one shard and tell how it went."""
    started, shards, name = time.monotonic(), speech.data / "shards", speech.shard(index)
    write_training_shard(shards, name, speech.speaker(index), speech.amounts.utterances_per_shard)
    hours = open_shard(shards, name).hours
    return f"{name}: {hours:.2f} h, {hours * 3600 / (time.monotonic() - started):.0f} times real time"
