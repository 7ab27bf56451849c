"""Everything that training reads: lexicon, band map, VoxForge shards, test shards, shards of synthetic speech."""

import time
from collections.abc import Iterable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from glas.training.espeak import Espeak
from glas.training.features import to_bytes
from glas.training.festvox import test_readings
from glas.training.lexicon import load_lexicon
from glas.training.shards import open_shard, write_shard
from glas.training.synthesise import Speaker, test_utterances, write_training_shard
from glas.training.texts import read_lines
from glas.training.voxforge import BandMap, read_voxforge

UTTERANCES_PER_SHARD = 500
TEST_UTTERANCES = 150
MAP_UTTERANCES = 500
VOXFORGE_FRAMES = (40, 1600)  # shorter and longer ones are left out


def prepare_all(data: Path, voxforge: Path | None, festvox: Path | None) -> None:
    """Build what is not there yet."""
    if voxforge and not festvox:
        raise ValueError(
            "expected the folder of festvox-ru with VoxForge's: they read the same sentences, got only one"
        )
    lexicon = load_lexicon(data / "lexicon.json")
    espeak = Espeak()
    if not (data / "map.npz").exists():
        speaker = Speaker(espeak, lexicon, 1_000_001, [], None)
        clean = [
            speaker.voice(speaker.texts.draw(), speaker.manner(speaker.seen), speaker.random.uniform(0.85, 1.17))
            for _ in range(MAP_UTTERANCES)
        ]
        BandMap.learn([speaker.finish(samples) for samples in clean]).save(data / "map.npz")
    if voxforge and festvox:
        write_voxforge_shards(data, voxforge, festvox, BandMap.load(data / "map.npz"))
    for name, seed in (("test-clean", 1_000_002), ("test-channel", 1_000_003)):
        speaker = Speaker(espeak, lexicon, seed, [], None)
        write_shard(data / "shards", name, test_utterances(speaker, TEST_UTTERANCES, clean=name == "test-clean"))
        print(f"{name}: {open_shard(data / 'shards', name).hours * 60:.1f} minutes")


def write_voxforge_shards(data: Path, voxforge: Path, festvox: Path, band_map: BandMap) -> None:
    """Map VoxForge to our features and split it by speaker and text."""
    withheld = [reading.text for reading in test_readings(festvox)]
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


def synthesise_shards(data: Path, indices: Iterable[int], texts: Path | None, processes: int) -> None:
    """Write the shards with these numbers, skipping those that are there.

    espeak-ng keeps state between utterances that nothing resets, so every shard is spoken by a process of its own: only
    then does the number of a shard decide every byte of it.
    """
    missing = [index for index in indices if not (data / "shards" / f"synthetic-{index:05d}.jsonl").exists()]
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap_unordered(partial(synthesise_shard, data, texts), missing):
            print(line, flush=True)


def synthesise_shard(data: Path, texts: Path | None, index: int) -> str:
    """Write one shard and tell how it went."""
    started = time.monotonic()
    lexicon, band_map = load_lexicon(data / "lexicon.json"), BandMap.load(data / "map.npz")
    speaker = Speaker(Espeak(), lexicon, index, read_lines(texts), band_map)
    write_training_shard(data / "shards", index, speaker, UTTERANCES_PER_SHARD)
    hours = open_shard(data / "shards", f"synthetic-{index:05d}").hours
    return f"shard {index}: {hours:.2f} h, {hours * 3600 / (time.monotonic() - started):.0f} times real time"
