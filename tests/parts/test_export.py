"""The export with a real db_assist: what it must and must not contain."""

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from glas.data_loader.record import TEST, TRAIN, pseudonym, split_of
from glas.domain.messages import Score
from glas.domain.object_keys import recognition_key
from tests.parts.export_world import BOT, World, exported
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import voices as voices  # noqa: PLC0414
from tests.parts.export_world import world as world  # noqa: PLC0414

DOCS = Path(__file__).parents[2] / "docs" / "export.md"
REFERENCE = "что-то было сказано"


async def test_what_comes_out(world: World, voices: list[bytes]) -> None:
    """A message has three files, and a fourth file if it has a reference."""
    speaker = await world.person(1)
    plain = await world.message(speaker, voices[0], "первый текст")
    corrected = await world.message(speaker, voices[1], "что та сказана")
    await world.rate(corrected, speaker, Score.BAD)
    await world.correct(corrected, speaker, REFERENCE)
    report = await world.export()
    assert (report.n_written, report.n_messages, report.n_references) == (2, 2, 1)
    assert world.folders() == [f"0/{plain}", f"1/{corrected}"]
    folder = world.directory / f"1/{corrected}"
    assert {path.name for path in folder.iterdir()} == {
        f"{corrected}_audio.wav",
        f"{corrected}_transcription.txt",
        f"{corrected}_reference.txt",
        f"{corrected}.json",
    }
    assert (folder / f"{corrected}_transcription.txt").read_text(encoding="utf-8") == "что та сказана"
    assert (folder / f"{corrected}_reference.txt").read_text(encoding="utf-8") == REFERENCE
    told = world.record(f"1/{corrected}")
    assert told["hypothesis"]["text"] == "что та сказана"
    assert (told["hypothesis"]["model"], told["hypothesis"]["model_version"]) == ("embedded", "0123456789ab")
    assert (told["reference"]["text"], told["reference"]["by"]) == (REFERENCE, "speaker")
    assert told["duration_s"] == pytest.approx(report.audio_s - world.record(f"0/{plain}")["duration_s"])
    with wave.open(str(folder / f"{corrected}_audio.wav")) as audio:
        assert (audio.getframerate(), audio.getnchannels(), audio.getsampwidth()) == (16_000, 1, 2)
        assert audio.getnframes() / 16_000 == told["duration_s"] > 1
        assert np.abs(np.frombuffer(audio.readframes(-1), "<i2")).max() > 1000


async def test_times_of_words_come_along(world: World, voices: list[bytes]) -> None:
    """The file is copied from the store; files that are stored later come with the next complete comparison."""
    speaker = await world.person(1)
    early, late = [await world.begin(speaker), await world.message(speaker, voices[1])]
    kept = b'{"schema_version": 1}'
    await world.store.put(recognition_key(early), kept)
    await world.archive(early, voices[0])
    await world.finish(early, "первый текст")
    assert (await world.export()).n_written == len([early, late])
    assert (world.directory / f"0/{early}/{early}_transcription.json").read_bytes() == kept
    assert world.record(f"0/{early}")["recognition_file"] == f"{early}_transcription.json"
    assert world.record(f"0/{late}")["recognition_file"] is None
    await world.store.put(recognition_key(late), kept)
    assert (await world.export()).n_written == 0
    assert (await world.export(full=True)).n_written == 1
    assert (world.directory / f"0/{late}/{late}_transcription.json").read_bytes() == kept
    before = world.files()
    assert (await world.export(full=True)).n_written == 0
    assert world.files() == before
    (world.directory / f"0/{late}/{late}_transcription.json").unlink()
    assert (await world.export(full=True)).n_written == 1
    assert world.files().keys() == before.keys()
    await world.rate(late, speaker, Score.BAD)
    await world.export()
    assert (world.directory / f"1/{late}/{late}_transcription.json").read_bytes() == kept


async def test_the_manifest_begins_with_the_worst(world: World, voices: list[bytes]) -> None:
    """The largest error rate comes first; without references, the lowest rating comes first."""
    speaker = await world.person(1)
    said = ["что-то было сказано", "то что было сказано", None, None, None]
    scores = [Score.NORMAL, Score.BAD, Score.BEST, Score.BAD, None]
    numbers = [await world.message(speaker, voices[0], "что-то было сказано") for _ in said]
    for number, reference, score in zip(numbers, said, scores, strict=True):
        if reference:
            await world.correct(number, speaker, reference)
        if score:
            await world.rate(number, speaker, score)
    await world.export()
    rows = world.manifest()
    expected = [numbers[one] for one in (1, 0, 3, 4, 2)]
    assert [row["audio_filepath"].rpartition("/")[2] for row in rows] == [f"{one}_audio.wav" for one in expected]
    assert rows[0]["wer"] > rows[1]["wer"] == 0
    assert set(rows[0]) >= {"audio_filepath", "text", "pred_text", "wer", "duration", "language"}
    assert all((world.directory / row["audio_filepath"]).is_file() for row in rows)


async def test_an_engine_never_becomes_the_reference(world: World, voices: list[bytes]) -> None:
    """`text` contains words of a person or is null, even if the text was rated perfect."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0], "идеальный текст")
    await world.rate(number, speaker, Score.BEST)
    await world.export()
    assert world.record(f"3/{number}")["reference"] is None
    assert not (world.directory / f"3/{number}/{number}_reference.txt").exists()
    assert [(row["text"], row["pred_text"]) for row in world.manifest()] == [(None, "идеальный текст")]
    (shard,) = (world.directory / "dataset").iterdir()
    assert pq.read_table(shard, columns=["text", "pred_text", "model", "model_version"]).to_pylist() == [
        {"text": None, "pred_text": "идеальный текст", "model": "embedded", "model_version": "0123456789ab"}
    ]


async def test_what_must_not_come_out(world: World, voices: list[bytes]) -> None:
    """No messages without consent, forwarded messages or unfinished messages, and no Telegram ids."""
    silent, speaker = await world.person(1, consents=False), await world.person(2)
    await world.message(silent, voices[0])
    await world.message(speaker, voices[0], is_forwarded=True)
    await world.archive(await world.begin(speaker), voices[0])
    await world.db_assist.fail(await world.begin(speaker), "audio_corrupt")
    only = await world.message(speaker, voices[0])
    report = await world.export()
    assert world.folders() == [f"0/{only}"]
    assert (report.n_messages, len(world.manifest())) == (1, 1)
    for content, _ in world.files().values():
        for secret in (str(speaker), str(BOT), "file-90", "unique-90", "90000"):
            assert secret.encode() not in content


async def test_a_second_run_changes_nothing(world: World, voices: list[bytes]) -> None:
    """No byte and no time of a file changes, with and without a complete comparison."""
    for number in range(3):
        speaker = await world.person(number)
        await world.correct(await world.message(speaker, voices[number]), speaker, REFERENCE)
    await world.export()
    before = world.files()
    for options in ({}, {"full": True}):
        report = await world.export(**options)
        assert (report.n_written, report.n_removed, report.n_shards) == (0, 0, 0)
        assert world.files() == before


async def test_a_rerated_message_moves(world: World, voices: list[bytes]) -> None:
    """The old directory is removed, manifest and dataset change, and the audio is not decoded again."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0])
    await world.rate(number, speaker, Score.BAD)
    await world.export()
    inode = (world.directory / f"1/{number}/{number}_audio.wav").stat().st_ino
    await world.rate(number, speaker, Score.BEST)
    report = await world.export()
    assert (report.n_written, report.n_moved) == (1, 1)
    assert world.folders() == [f"3/{number}"]
    assert not (world.directory / "1").exists()
    assert (world.directory / f"3/{number}/{number}_audio.wav").stat().st_ino == inode
    assert [row["audio_filepath"] for row in world.manifest()] == [f"3/{number}/{number}_audio.wav"]
    (shard,) = (world.directory / "dataset").iterdir()
    assert pq.read_table(shard, columns=["score"]).to_pylist() == [{"score": 3}]


async def test_consent_withdrawn_and_given_again(world: World, voices: list[bytes]) -> None:
    """The copies are removed and written again; the objects stay, because the consent to storage is still valid."""
    speaker, other = await world.person(1), await world.person(2)
    mine, theirs = await world.message(speaker, voices[0]), await world.message(other, voices[1])
    await world.export()
    await world.consent(speaker, granted=False)
    report = await world.export()
    assert (report.n_removed, world.folders()) == (1, [f"0/{theirs}"])
    assert len(world.manifest()) == sum(pq.read_metadata(one).num_rows for one in world.shards()) == 1
    assert await world.store.keys(mine) != []
    await world.consent(speaker, granted=True)
    await world.export()
    assert world.folders() == [f"0/{mine}", f"0/{theirs}"]


async def test_forgetting_takes_everything(world: World, voices: list[bytes]) -> None:
    """Folders, lines, rows and objects are deleted."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0], "тайна")
    await world.export()
    await world.db_assist.forget(speaker)
    report = await world.export()
    assert (report.n_removed, report.n_messages, world.folders(), world.manifest()) == (1, 0, [], [])
    assert world.shards() == []
    assert await world.store.keys(number) == []
    left = b"".join(path.read_bytes() for path in world.directory.rglob("*") if path.is_file())
    assert "тайна".encode() not in left


async def test_another_share_moves_speakers(world: World, voices: list[bytes]) -> None:
    """If the setting changes, the whole export changes at once."""
    for number in range(2):
        await world.message(await world.person(number), voices[number])
    await world.export(test_share=0)
    assert [path.name for path in world.shards()] == ["train-00000.parquet"]
    await world.export(test_share=0.999999)
    assert [path.name for path in world.shards()] == ["test-00000.parquet"]


def test_speakers_never_cross() -> None:
    """The split of a speaker depends only on the pseudonym and the share; a larger share only adds speakers."""
    speakers = [pseudonym(one) for one in range(4000)]
    assert len(set(speakers)) == 4000
    tests = [{one for one in speakers if split_of(one, test_share=share) == TEST} for share in (0, 0.1, 0.3)]
    assert not tests[0]
    assert tests[1] < tests[2]
    assert 300 < len(tests[1]) < 500
    assert split_of(pseudonym(1), test_share=0) == TRAIN


async def test_datasets_loads_it_without_torch(world: World, voices: list[bytes], tmp_path: Path) -> None:
    """The example of docs/export.md works without network, and torch is not imported."""
    for number in range(12):
        speaker = await world.person(number)
        message = await world.message(speaker, voices[number % 6], "что та сказана")
        if number % 2:
            await world.correct(message, speaker, REFERENCE)
    await world.export(test_share=0.4)
    (lines,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    script = f"""if True:
        import json, sys
        exec(sys.argv[1])
        assert row["text"] == {REFERENCE!r}, row["text"]
        print(json.dumps([{{
            "split": split, "text": row["text"], "speaker": row["speaker"], "path": row["audio"]["path"],
            "bytes": len(row["audio"]["bytes"]), "riff": row["audio"]["bytes"][:4].decode(),
        }} for split in data for row in data[split]]))
        print(json.dumps([load_dataset("downloads/dataset")["train"].features["audio"].sampling_rate]))
        assert "torch" not in sys.modules
    """
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "hf"),
        "PYTHONWARNINGS": "ignore",
        "USE_TORCH": "0",
    }
    command = [sys.executable, "-c", script, lines]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env=environment,
        cwd=world.directory.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *_, told, rate = done.stdout.splitlines()
    rows = json.loads(told)
    assert (len(rows), json.loads(rate)) == (12, [16_000])
    assert {row["split"] for row in rows} == {"train", "test"}
    sizes = {path.name: path.stat().st_size for _, path in exported(world.directory)}
    assert all(row["bytes"] == sizes[row["path"]] and row["riff"] == "RIFF" for row in rows)
    assert sorted(row["text"] or "" for row in rows) == [""] * 6 + [REFERENCE] * 6
    sides = {row["speaker"]: row["split"] for row in rows}
    assert all(sides[row["speaker"]] == row["split"] for row in rows)


async def test_docs_name_every_field(world: World, voices: list[bytes]) -> None:
    """The table in docs/export.md is complete."""
    await world.message(await world.person(1), voices[0])
    await world.export()
    text = DOCS.read_text(encoding="utf-8")
    names = set(world.manifest()[0]) | set(pq.read_schema(world.shards()[0]).names)
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
