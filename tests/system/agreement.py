"""Check that ledger, balances, rows, objects, directories, manifest and dataset agree with each other."""

import asyncio
import atexit
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import obstore
import pytest

from glas.data_loader.app import make_store
from glas.domain.errors import NotFoundError
from glas.domain.messages import Status, Transcription
from glas.domain.object_keys import recognition_key
from tests.system.crowd import Crowd, Fate, Sending
from tests.system.worlds import Doors, World

_LOAD = """
import json, sys
from datasets import Audio, load_dataset
for path in sys.stdin:
    data = load_dataset(path.strip()).cast_column("audio", Audio(decode=False))
    for split in data:
        for row in data[split]:
            audio = row.pop("audio")
            print(json.dumps(row | {"split": split, "path": audio["path"], "n_bytes": len(audio["bytes"])}))
    assert "torch" not in sys.modules
    print("end", flush=True)
"""


@dataclass
class Story:
    """The contents of the database, by Telegram's message."""

    rows: dict[int, Transcription]
    speakers: dict[int, int]


async def check_rows(crowd: Crowd, doors: Doors, *, forgotten: int | None = None) -> Story:
    """People, rows, ledger and balances agree with the actions of the people; there are no other rows."""
    story, n_transactions = Story({}, {}), 0
    for person in crowd.people:
        if person in (crowd.stranger, forgotten):
            with pytest.raises(NotFoundError):
                await doors.db_assist.user(person)
            continue
        data = await doors.db_assist.export_user(person)
        story.speakers[person] = data.user.id
        mine = {one.message_id: one for one in data.transcriptions}
        expected = {one.message["message_id"]: one for one in crowd.of(person) if one.message}
        assert sorted(mine) == sorted(expected)
        for message_id, sending in expected.items():
            _check_row(mine[message_id], sending)
        story.rows |= mine
        paid = [(one.reason, one.amount_hundredths) for one in data.transactions]
        assert sorted(paid) == crowd.owed(person)
        assert data.user.cash_hundredths == sum(amount for _, amount in paid)
        n_transactions += len(paid)
    check = await doors.db_assist.check_ledger()
    assert check.is_balanced
    n_left = len(crowd.owed(forgotten)) if forgotten else 0
    assert check.n_transactions == n_transactions + n_left
    figures = await doors.db_assist.statistics()
    assert sum(figures.n_transcriptions.values()) == len(story.rows)
    return story


def _check_row(row: Transcription, sending: Sending) -> None:
    assert sending.answer is not None
    told = (row.media_kind, row.is_forwarded, row.file_id, row.answer_message_id, row.score, row.reference)
    answer = sending.answer["message_id"]
    wanted = (sending.kind, sending.is_forwarded, sending.file_id, answer, sending.score, sending.reference)
    assert told == wanted
    if sending.fate is Fate.HOSTILE:
        assert (row.status, row.text, row.audio_key) == (Status.FAILED, None, None)
        return
    assert (row.status, row.text) == (Status.DONE, sending.text)
    assert (row.audio_sha256, row.audio_size_bytes) == (sending.sha256, len(sending.data))
    assert sending.heard is not None
    assert row.duration_s == pytest.approx(sending.heard.duration_s, abs=1e-3)


async def check_objects(crowd: Crowd, story: Story, doors: Doors, world: World, *, forgotten: int | None) -> None:
    """Each archived message has its objects, with the sent bytes; there is no other object."""
    expected, recognitions = set(), set()
    for one in crowd.archived:
        if one.person == forgotten or one.message is None:
            continue
        row = story.rows[one.message["message_id"]]
        assert row.audio_key is not None
        text_key = f"{row.id}/{row.id}_transcription.txt"
        expected |= {row.audio_key, text_key}
        stored = await doors.data_loader.fetch_audio(row.audio_key)
        assert hashlib.sha256(stored).hexdigest() == one.sha256
        if one.text:
            assert await doors.data_loader.fetch_transcription(text_key) == one.text
        recognitions.add(recognition_key(row.id))
    store = make_store(world.settings)
    found = await obstore.list(store._inner).collect_async()
    paths = {one["path"] for one in found}
    assert expected <= paths <= expected | recognitions
    await _check_recognitions(story, doors, paths & recognitions)


async def _check_recognitions(story: Story, doors: Doors, found: set[str]) -> None:
    """The recognition of each recognised file is stored; a repeated file gets a copy if the first was archived."""
    rows = [row for row in story.rows.values() if recognition_key(row.id) in found]
    for row in rows:
        kept = await doors.data_loader.fetch_recognition(row.id)
        assert kept is not None
        heard = kept.recognition.hypothesis
        assert (heard.text.strip(), heard.model, heard.model_version) == (row.text, row.model, row.model_version)
        assert bool(heard.words) == bool(row.text)
    files = {row.file_unique_id for row in story.rows.values() if row.audio_key is not None}
    assert {row.file_unique_id for row in rows} == files


async def check_export(crowd: Crowd, story: Story, world: World, *, forgotten: int | None) -> None:
    """Directories, manifest and dataset contain the same messages: with consent, spoken by the sender."""
    rows = {
        row.id: row
        for one in crowd.exported
        if one.person != forgotten and one.message is not None
        for row in [story.rows[one.message["message_id"]]]
    }
    directory = world.settings.export_dir
    folders = {path.name: int(path.parent.name) for path in directory.glob("[0-9]/*")}
    assert folders == {str(number): int(row.score) for number, row in rows.items()}
    for number, row in rows.items():
        _check_folder(directory / str(int(row.score)) / str(number), row)
    lines = (directory / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    manifest = {int(Path(line["audio_filepath"]).parent.name): line for line in map(json.loads, lines)}
    assert len(lines) == len(manifest)
    loaded = await asyncio.to_thread(_load, directory / "dataset")
    dataset = {int(line["id"]): line for line in loaded}
    assert len(loaded) == len(dataset)
    assert sorted(manifest) == sorted(dataset) == sorted(rows)
    for number, row in rows.items():
        _check_lines(row, manifest[number], dataset[number], directory)
    assert len({line["speaker"] for line in loaded}) == len({row.user_id for row in rows.values()})
    assert max(Counter((line["speaker"], line["split"]) for line in loaded).values()) <= len(loaded)


def _check_folder(folder: Path, row: Transcription) -> None:
    number = row.id
    names = {f"{number}_audio.wav", f"{number}_transcription.txt", f"{number}.json"}
    names |= {f"{number}_reference.txt"} if row.reference else set()
    found = {path.name for path in folder.iterdir()}
    assert found - {f"{number}_transcription.json"} == names
    assert (folder / f"{number}_transcription.txt").read_text(encoding="utf-8") == row.text
    told = json.loads((folder / f"{number}.json").read_text(encoding="utf-8"))
    assert (told["original"]["sha256"], told["original"]["key"]) == (row.audio_sha256, row.audio_key)
    assert told["score"] == row.score
    assert (told["recognition_file"] is not None) == (f"{number}_transcription.json" in found)


def _check_lines(row: Transcription, line: dict[str, Any], example: dict[str, Any], directory: Path) -> None:
    for one in (line, example):
        assert (one["text"], one["pred_text"], one["score"]) == (row.reference, row.text, int(row.score))
        assert one["duration"] == pytest.approx(row.duration_s, abs=1e-3)
    assert (line["speaker"], line["split"], line["wer"]) == (example["speaker"], example["split"], example["wer"])
    assert example["n_bytes"] == (directory / line["audio_filepath"]).stat().st_size


@cache
def _loader() -> "subprocess.Popen[str]":
    """Start a separate process without network, because the import takes seconds; it ends with this process."""
    home = tempfile.mkdtemp(prefix="glas-hf-")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": home, "USE_TORCH": "0", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-c", _LOAD],
        env=os.environ | offline,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def end() -> None:
        process.communicate(timeout=60)
        shutil.rmtree(home)

    atexit.register(end)
    return process


def _load(dataset: Path) -> list[dict[str, Any]]:
    """Return the dataset as `datasets` reads it."""
    loader = _loader()
    assert loader.stdin is not None
    assert loader.stdout is not None
    loader.stdin.write(f"{dataset}\n")
    loader.stdin.flush()
    lines = []
    while (line := loader.stdout.readline()) != "end\n":
        assert line, f"`datasets` cannot load {dataset}; it ended with {loader.wait()}"
        lines.append(line)
    return [json.loads(line) for line in lines if line.startswith("{")]
