"""Lanes: places in the order of asking, and long recordings that leave room for messages."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from glas.domain.errors import ServiceTimeoutError
from glas.nn_service.job import AbandonedError, Job
from glas.nn_service.lanes import Lane, Passage


def test_places_come_in_the_order_of_asking() -> None:
    lane = Lane(1)
    first, second, third = lane.ask(), lane.ask(), lane.ask()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    assert second.cancel()
    lane.leave()
    assert third.done()


def test_a_long_recording_leaves_its_place_among_messages() -> None:
    """The second long one must give its decoder back and wait; messages have their place meanwhile."""
    messages, long = Lane(1), Lane(1)
    first, second = Passage(Job(), messages, long), Passage(Job(), messages, long)
    first.enter()
    assert first.lengthen()
    second.enter()
    assert not second.lengthen()
    Passage(Job(), messages, long).enter()  # a message gets the place at once
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.enter)
        first.close()
        waiting.result(20)
    second.close()
    assert long.ask().done()


@pytest.mark.parametrize("is_late", [False, True])
def test_no_place_is_lost_when_somebody_stops_waiting(*, is_late: bool) -> None:
    """Neither by going away nor at the deadline."""
    lane, job = Lane(1), Job(deadline_s=0.05 if is_late else None)
    lane.ask()
    if not is_late:
        threading.Timer(0.05, job.give_up).start()
    passage = Passage(job, lane, Lane(1))
    with pytest.raises(ServiceTimeoutError if is_late else AbandonedError):
        passage.enter()
    passage.close()
    lane.leave()
    assert lane.ask().done()
    assert not lane.ask().done()
