"""Test slots: they are given in the order of requests, and long recordings give them up for messages."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from glas.domain.errors import ServiceTimeoutError
from glas.recognition.job import AbandonedError, Job
from glas.recognition.slots import JobSlot, SlotPool


def test_slots_come_in_the_order_of_requests() -> None:
    pool = SlotPool(1)
    first, second, third = pool.request(), pool.request(), pool.request()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    assert second.cancel()
    pool.release()
    assert third.done()


def test_a_long_recording_gives_its_slot_for_messages_back() -> None:
    """The second long recording must return its decoder and wait; messages get its slot meanwhile."""
    messages, long = SlotPool(1), SlotPool(1)
    first, second = JobSlot(Job(), messages, long), JobSlot(Job(), messages, long)
    first.acquire()
    assert first.lengthen()
    second.acquire()
    assert not second.lengthen()
    JobSlot(Job(), messages, long).acquire()  # a message gets the slot at once
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(second.acquire)
        first.close()
        waiting.result(20)
    second.close()
    assert long.request().done()


@pytest.mark.parametrize("is_late", [False, True])
def test_no_slot_is_lost_when_somebody_stops_waiting(*, is_late: bool) -> None:
    """A slot is freed if a caller closes the connection, and at the deadline."""
    pool, job = SlotPool(1), Job(deadline_s=0.05 if is_late else None)
    pool.request()
    if not is_late:
        threading.Timer(0.05, job.give_up).start()
    slot = JobSlot(job, pool, SlotPool(1))
    with pytest.raises(ServiceTimeoutError if is_late else AbandonedError):
        slot.acquire()
    slot.close()
    pool.release()
    assert pool.request().done()
    assert not pool.request().done()
