"""Test the queue: its limit, its waiting times, and that every place is freed."""

import asyncio
import threading

import pytest

from glas.domain.errors import OverloadedError
from glas.nn_service.queue import RecognitionQueue
from glas.recognition.job import Job


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    """One recording runs, one waits, the third is refused; afterwards there is room again."""
    queue = RecognitionQueue(workers=1, waiting_limit=1)
    gate = threading.Event()
    jobs = [queue.submit(Job(), gate.wait) for _ in range(2)]
    with pytest.raises(OverloadedError) as refused:
        queue.submit(Job(), gate.wait)
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s >= 1
    gate.set()
    assert await asyncio.gather(*jobs) == [True, True]
    assert await queue.submit(Job(), lambda: "room again") == "room again"
    queue.close()
    assert queue.in_flight == 0


async def test_failing_and_cancelled_jobs_give_their_place_back() -> None:
    """Failed and cancelled jobs free their places; otherwise the service would be full after a day."""
    queue = RecognitionQueue(workers=1, waiting_limit=1)
    gate = threading.Event()
    running, waiting = queue.submit(Job(), gate.wait), queue.submit(Job(), gate.wait)
    waiting.cancel()
    gate.set()
    await running
    with pytest.raises(ZeroDivisionError):
        await queue.submit(Job(), lambda: 1 / 0)
    queue.close()
    assert queue.in_flight == 0


async def test_the_event_loop_stays_free() -> None:
    """While a job blocks its thread, the event loop answers other requests."""
    queue = RecognitionQueue(workers=1, waiting_limit=0)
    gate = threading.Event()
    job = queue.submit(Job(), gate.wait)
    turns = 0
    for _ in range(100):
        await asyncio.sleep(0)
        turns += 1
    assert not job.done()
    gate.set()
    assert await job
    assert turns == 100
    queue.close()
