"""New weights under one name while sixteen callers of the API and people in Telegram are answered."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

from glas.clients.nn_service import NnServiceClient
from glas.domain.messages import Status
from glas.nn_service.app import create_app
from glas.settings import NnServiceSettings, Settings
from tests.models.swapped import write_weights
from tests.parts.bots import House, open_house_with

CALLERS, SWAPS = 16, 2
PEOPLE = range(5_900_000_001, 5_900_000_006)
KNOWN = "known"  # a file that is sent again after each swap


class Told(NamedTuple):
    """One answer: the times of request and answer, the text, the version of the weights, and the file."""

    asked_s: float
    came_s: float
    text: str
    version: str
    file: str


class Swap(NamedTuple):
    """New weights: the time of the request, the time at which they served, and their version."""

    began_s: float
    told_s: float
    version: str


async def swap(http: httpx.AsyncClient, weights: Path, turn: int) -> Swap:
    """Replace the weights and let them serve."""
    write_weights(weights, turn)
    began_s = time.monotonic()
    version = (await http.put("/api/ps/auto")).raise_for_status().json()["version"]
    return Swap(began_s, time.monotonic(), version)


async def keep_asking(client: NnServiceClient, data: bytes, stop: asyncio.Event) -> list[Told]:
    """Send requests without end; a failed request fails the test."""
    told = []
    while not stop.is_set():
        asked_s = time.monotonic()
        heard = (await client.transcribe(data)).hypothesis
        told.append(Told(asked_s, time.monotonic(), heard.text, heard.model_version or "", "api"))
        await asyncio.sleep(1.0)  # the bot works in the same thread
    return told


async def speak(house: House, person: int, data: bytes, file: str) -> Told:
    """Send a voice message; its answer, row and kept recognition must agree."""
    asked_s = time.monotonic()
    answer = await house.answer(house.telegram.speak(person, data, file_id=file))
    came_s, row = time.monotonic(), await house.archived(answer)
    assert row.status is Status.DONE
    assert row.text == answer["text"].partition("\n\n")[0]  # below it, perhaps, that it is doubtful
    kept = await house.services.data_loader.fetch_recognition(row.id)
    assert kept is not None
    heard = kept.recognition.hypothesis
    assert (heard.text, heard.model, heard.model_version) == (row.text, row.model, row.model_version)
    return Told(asked_s, came_s, row.text or "", row.model_version or "", file)


def counted(metrics: str, name: str) -> dict[str, int]:
    """How many recordings the metrics count for each version of a model."""
    found = re.findall(
        rf'glas_recognition_recordings_total{{model="{re.escape(name)}",version="(\w+)"}} (\S+)', metrics
    )
    return {version: int(float(count)) for version, count in found}


def check_versions(told: Sequence[Told], swaps: Sequence[Swap]) -> None:
    """Each version writes its own text; no request after a swap gets older weights."""
    assert len({(one.version, one.text) for one in told}) == len({one.text for one in told}) == len(swaps)
    for one in told:
        # The version that was told last before it was asked for, or one whose swap began before it came.
        last = max(index for index, swap in enumerate(swaps) if swap.told_s <= one.asked_s)
        assert one.version in {swap.version for swap in swaps[last:] if swap.began_s <= one.came_s}


async def test_every_trace_names_the_weights(settings: Settings, tmp_path: Path, short_wav: bytes) -> None:
    """No request fails, and texts, rows, kept recognitions and metrics name the right weights."""
    weights, stop = tmp_path / "tiny", asyncio.Event()
    write_weights(weights, 0)
    own = settings.model_copy(update={"model": f"onnx:{weights}", "nn_service": NnServiceSettings(queue_size=64)})
    app = create_app(own, key=None)
    async with open_house_with(app, own) as (house, http):
        for person in PEOPLE:
            await house.start(person)
        first = (await http.get("/health")).json()["model_version"]
        asking = [asyncio.create_task(keep_asking(NnServiceClient(http), short_wav, stop)) for _ in range(CALLERS)]
        swaps, told = [Swap(0.0, 0.0, first)], [await speak(house, PEOPLE[0], short_wav, KNOWN)]
        for turn in range(1, SWAPS + 1):
            speaking = [asyncio.create_task(speak(house, one, short_wav, f"{one}-{turn}")) for one in PEOPLE]
            swaps.append(await swap(http, weights, turn))
            told += await asyncio.gather(*speaking)
            told.append(await speak(house, PEOPLE[0], short_wav, KNOWN))
        stop.set()
        told += [one for answers in await asyncio.gather(*asking) for one in answers]
        metrics = (await http.get("/metrics")).text
    check_versions(told, swaps)
    assert Counter(one.version for one in told) == counted(metrics, own.model)
