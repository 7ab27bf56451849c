"""Everything that training reads: lexicon, band map, VoxForge shards, test shards, shards of synthetic speech."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from glas.domain.errors import ConfigurationError
from glas.training.espeak import Espeak
from glas.training.features import to_bytes
from glas.training.festvox import held_out_readings
from glas.training.lexicon import load_lexicon
from glas.training.shards import finished_shards, open_shard, write_shard
from glas.training.synthesise import Speaker, test_utterances, write_training_shard
from glas.training.texts import read_lines
from glas.training.voxforge import BandMap, read_voxforge

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
        speaker = Speaker(espeak, lexicon, 1_000_001, [], None)
        clean = [
            speaker.voice(speaker.texts.draw(), speaker.manner(speaker.seen), speaker.random.uniform(0.85, 1.17))
            for _ in range(amounts.map_utterances)
        ]
        BandMap.learn([speaker.finish(samples) for samples in clean]).save(data / "map.npz")
    there = finished_shards(data / "shards", "")
    if voxforge and festvox and "voxforge-train" not in there:
        write_voxforge_shards(data, voxforge, festvox, BandMap.load(data / "map.npz"))
    for name, seed in (("test-clean", 1_000_002), ("test-channel", 1_000_003)):
        if name not in there:
            speaker = Speaker(espeak, lexicon, seed, [], None)
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


def synthesise_shards(data: Path, indices: Iterable[int], texts: Path | None, processes: int, amounts: Amounts) -> None:
    """Write the shards with these numbers, skipping those that are there.

    espeak-ng keeps state between utterances that nothing resets, so every shard is spoken by a process of its own: only
    then does the number of a shard decide every byte of it.
    """
    missing = [index for index in indices if not (data / "shards" / f"synthetic-{index:05d}.jsonl").exists()]
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap_unordered(partial(synthesise_shard, data, texts, amounts), missing):
            print(line, flush=True)


def synthesise_shard(data: Path, texts: Path | None, amounts: Amounts, index: int) -> str:
    """Write one shard and tell how it went."""
    started = time.monotonic()
    lexicon, band_map = load_lexicon(data / "lexicon.json"), BandMap.load(data / "map.npz")
    speaker = Speaker(Espeak(), lexicon, index, read_lines(texts), band_map)
    write_training_shard(data / "shards", index, speaker, amounts.utterances_per_shard)
    hours = open_shard(data / "shards", f"synthetic-{index:05d}").hours
    return f"shard {index}: {hours:.2f} h, {hours * 3600 / (time.monotonic() - started):.0f} times real time"
