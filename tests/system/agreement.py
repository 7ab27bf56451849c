"""Whether ledger, balances, rows, objects, folders, manifest and dataset tell the same story, to the last row."""

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import obstore
import psycopg
import pytest
from psycopg import sql

from glas.data_loader.app import make_store
from glas.domain.errors import NotFoundError
from glas.domain.messages import Status, Transcription
from tests.system.crowd import Crowd, Fate, Sending
from tests.system.worlds import Doors, World

_LOAD = """
import json, sys
from datasets import Audio, load_dataset
data = load_dataset(sys.argv[1]).cast_column("audio", Audio(decode=False))
for split in data:
    for row in data[split]:
        audio = row.pop("audio")
        print(json.dumps(row | {"split": split, "path": audio["path"], "n_bytes": len(audio["bytes"])}))
assert "torch" not in sys.modules
"""


@dataclass
class Story:
    """What the database tells, by Telegram's message."""

    rows: dict[int, Transcription]
    speakers: dict[int, int]


async def check_rows(crowd: Crowd, doors: Doors, *, forgotten: int | None = None) -> Story:
    """People, rows, ledger and balances are what the crowd has done; nobody and nothing else is there."""
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
    """Each archived message has its two objects, with the bytes that were sent; there is no other object."""
    expected = set()
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
    store = make_store(world.settings)
    found = await obstore.list(store._inner).collect_async()
    assert sorted(one["path"] for one in found) == sorted(expected)


async def check_export(crowd: Crowd, story: Story, world: World, *, forgotten: int | None) -> None:
    """Folders, manifest and dataset hold the same messages: consented to, the speaker's own, as they stand."""
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
    loaded = await asyncio.to_thread(_load, directory / "dataset", world.directory)
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
    assert {path.name for path in folder.iterdir()} == names | ({f"{number}_reference.txt"} if row.reference else set())
    assert (folder / f"{number}_transcription.txt").read_text(encoding="utf-8") == row.text
    told = json.loads((folder / f"{number}.json").read_text(encoding="utf-8"))
    assert (told["original"]["sha256"], told["original"]["key"]) == (row.audio_sha256, row.audio_key)
    assert told["score"] == row.score


def _check_lines(row: Transcription, line: dict[str, Any], example: dict[str, Any], directory: Path) -> None:
    for one in (line, example):
        assert (one["text"], one["pred_text"], one["score"]) == (row.reference, row.text, int(row.score))
        assert one["duration"] == pytest.approx(row.duration_s, abs=1e-3)
    assert (line["speaker"], line["split"], line["wer"]) == (example["speaker"], example["split"], example["wer"])
    assert example["n_bytes"] == (directory / line["audio_filepath"]).stat().st_size


def _load(dataset: Path, directory: Path) -> list[dict[str, Any]]:
    """The dataset as `datasets` gives it, in a process of its own and without a network."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(directory / "hf"), "USE_TORCH": "0", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(dataset)], env=os.environ | offline, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]


def check_secrets(world: World) -> None:
    """No token stands in a file, a log, an export, an object or a row."""
    for path in world.directory.rglob("*"):
        if path.is_file():
            _expect_none(path.read_bytes(), world, str(path))
    if world.is_apart and world.settings.database_url is not None:
        for name, content in _everything_in(world.settings.database_url.get_secret_value()):
            _expect_none(content, world, name)


def check_metrics(world: World) -> None:
    """No token stands in a metric."""
    for name, url, token in _metrics(world):
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert answer.status_code in (200, 404), (name, answer.status_code)
        _expect_none(answer.content, world, f"metrics of {name}")


def _expect_none(content: bytes, world: World, where: str) -> None:
    for secret in world.secrets:
        assert secret.encode() not in content, f"a secret stands in {where}"


def _everything_in(url: str) -> list[tuple[str, bytes]]:
    """Every row of every table of a PostgreSQL database, the durable engine's included."""
    query = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    with psycopg.connect(url) as connection:
        tables = connection.execute(query).fetchall()
        found = []
        for table in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(*table))).fetchall()
            found.append((".".join(table), "\n".join(str(row[0]) for row in rows).encode()))
    return found


def _metrics(world: World) -> list[tuple[str, str, str]]:
    if world.is_apart:
        names = ("nn_service", "db_assist", "data_loader")
        return [(name, getattr(world.settings, f"{name}_url"), world._token(name)) for name in names]
    text = world.part("glas").log.read_text(encoding="utf-8")
    return [("glas", re.findall(r"http://127\.0\.0\.1:\d+", text)[-1], "-")]
