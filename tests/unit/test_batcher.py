"""Test the batcher: the order of pieces, which pieces form a batch, and pieces whose caller no longer waits."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait

import numpy as np
import pytest

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import ModelError, ServiceStoppingError
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples
from glas.recognition.batcher import Batcher
from glas.recognition.job import Job


class Listener:
    """An engine that records its calls, and waits until the test lets it continue; it fails if a first sample is 1."""

    name = "listener"
    window_s = 30.0

    def __init__(self, batch_size: int = 1, batch_s: float = 64) -> None:
        self.abilities = Abilities(batch_size=batch_size, batch_s=batch_s)
        self.door = threading.Event()
        self.inside = threading.Semaphore(0)
        self.calls: list[list[float]] = []

    def recognise(self, batch: Sequence[Samples], _options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        lengths_s = [len(samples) / SAMPLE_RATE_HZ for samples in batch]
        self.calls.append(lengths_s)
        self.inside.release()
        assert self.door.wait(20)
        if any(samples[0] == 1 for samples in batch):
            raise ModelError("a piece that no engine bears")
        return [Hypothesis(text=f"{length_s:g}", duration_s=length_s, model=self.name) for length_s in lengths_s]

    def close(self) -> None:
        """Do nothing."""


def piece(length_s: float, first: float = 0.0) -> Samples:
    samples = np.zeros(int(length_s * SAMPLE_RATE_HZ), np.float32)
    samples[0] = first
    return samples


@pytest.fixture
def alone() -> Iterator[Batcher]:
    """A batcher with one worker."""
    batcher = Batcher(1)
    yield batcher
    batcher.close()


def fill(batcher: Batcher, engine: Listener, *lengths_s: float) -> list[Future[Hypothesis]]:
    """Give the only worker a piece of 1 s, then submit messages of one piece each."""
    first = batcher.submit(Job(), engine, piece(1))
    assert engine.inside.acquire(timeout=20)
    return [first, *(batcher.submit(Job(), engine, piece(length_s)) for length_s in lengths_s)]


def test_pieces_of_a_length_go_together_when_they_wait(alone: Batcher) -> None:
    """The first piece is recognised at once, alone. Of the waiting pieces, those of similar length form a batch."""
    engine = Listener(batch_size=3)
    futures = fill(alone, engine, 8, 2, 8.5, 9, 8, 2.1)
    engine.door.set()
    assert [future.result(20).text for future in futures] == ["1", "8", "2", "8.5", "9", "8", "2.1"]
    assert engine.calls == [[1], [8, 8.5, 9], [2, 2.1], [8]]


def test_a_call_holds_no_more_seconds_than_the_engine_wants(alone: Batcher) -> None:
    engine = Listener(batch_size=8, batch_s=17)
    futures = fill(alone, engine, 8, 8, 8, 4, 4, 4, 4, 4)
    engine.door.set()
    wait(futures, 20)
    assert engine.calls == [[1], [8, 8], [8], [4, 4, 4, 4], [4]]


def test_an_engine_that_gains_nothing_gets_one_at_a_time(alone: Batcher) -> None:
    engine = Listener(batch_size=1)
    futures = fill(alone, engine, 8, 8, 8)
    engine.door.set()
    wait(futures, 20)
    assert engine.calls == [[1], [8], [8], [8]]


def test_what_was_asked_differently_is_not_mixed(alone: Batcher) -> None:
    """Pieces with different engines or different options are not in one batch."""
    engine, other = Listener(batch_size=8), Listener(batch_size=8)
    other.door.set()
    futures = fill(alone, engine, 8)
    futures.append(alone.submit(Job(DecodingOptions(language="en")), engine, piece(8)))
    futures.append(alone.submit(Job(), other, piece(8)))
    engine.door.set()
    wait(futures, 20)
    assert (engine.calls, other.calls) == ([[1], [8], [8]], [[8]])


def test_work_is_shared_before_it_is_put_together() -> None:
    """Two workers get two of four waiting pieces each; one worker does not get all four."""
    batcher, engine = Batcher(2), Listener(batch_size=8)
    for _ in range(2):
        batcher.submit(Job(), engine, piece(1))
        assert engine.inside.acquire(timeout=20)
    futures = [batcher.submit(Job(), engine, piece(8)) for _ in range(4)]
    with batcher._changed:
        batcher._n_running -= 2  # as if both came back at the same moment
        assert [len(batcher._take()), len(batcher._take())] == [2, 2]
    engine.door.set()
    batcher.close()
    assert not wait(futures, 0).done


def test_a_message_does_not_wait_for_the_rest_of_a_long_recording(alone: Batcher) -> None:
    """A message comes before earlier pieces of a long recording: shares are equal."""
    engine, long = Listener(), Job()
    futures = [alone.submit(long, engine, piece(28)) for _ in range(3)]
    assert engine.inside.acquire(timeout=20)
    futures.append(alone.submit(Job(), engine, piece(4)))
    engine.door.set()
    wait(futures, 20)
    assert engine.calls == [[28], [4], [28], [28]]


def test_many_messages_do_not_starve_a_long_recording(alone: Batcher) -> None:
    """The second piece of a long recording comes after at most 28 s of messages, although messages are shorter."""
    engine, long = Listener(), Job()
    futures = [alone.submit(long, engine, piece(28)) for _ in range(2)]
    assert engine.inside.acquire(timeout=20)
    sender = Job()
    futures += [alone.submit(sender, engine, piece(4)) for _ in range(20)]
    engine.door.set()
    wait(futures, 20)
    assert engine.calls.index([28], 1) <= 8


def test_there_is_a_worker_more_for_messages_beside_long_recordings(alone: Batcher) -> None:
    """Beside a long recording a message begins at once, but a second long recording waits."""
    engine, long = Listener(), Job()
    long.is_long = True
    first = alone.submit(long, engine, piece(28))
    assert engine.inside.acquire(timeout=20)
    second = alone.submit(long, engine, piece(28))
    message = alone.submit(Job(), engine, piece(4))
    assert engine.inside.acquire(timeout=20)
    assert engine.calls == [[28], [4]]
    engine.door.set()
    wait([first, second, message], 20)
    assert engine.calls == [[28], [4], [28]]


def test_what_nobody_wants_is_not_recognised(alone: Batcher) -> None:
    engine = Listener(batch_size=8)
    futures = fill(alone, engine, 8, 8, 8)
    assert futures[2].cancel()
    engine.door.set()
    wait([one for one in futures if not one.cancelled()], 20)
    assert engine.calls == [[1], [8, 8]]


def test_a_piece_that_fails_takes_nobody_along(alone: Batcher) -> None:
    """If a batch fails, its pieces are recognised again one by one."""
    engine = Listener(batch_size=8)
    good = fill(alone, engine, 8)
    bad = alone.submit(Job(), engine, piece(8, first=1))
    engine.door.set()
    assert good[1].result(20).text == "8"
    with pytest.raises(ModelError):
        bad.result(20)


def test_the_cost_of_a_batch_is_shared_by_length(alone: Batcher) -> None:
    engine, jobs = Listener(batch_size=8), [Job(), Job()]
    busy = fill(alone, engine)
    futures = [alone.submit(job, engine, piece(length_s)) for job, length_s in zip(jobs, (8, 10), strict=True)]
    engine.door.set()
    wait([*busy, *futures], 20)
    alone.close()
    assert jobs[0].engine_s == pytest.approx(0.8 * jobs[1].engine_s)


def test_what_waits_at_the_end_fails_and_nothing_more_is_taken() -> None:
    batcher, engine = Batcher(1), Listener()
    first, waiting = fill(batcher, engine, 8)
    closing = threading.Thread(target=batcher.close)
    closing.start()
    with pytest.raises(ServiceStoppingError):
        waiting.result(20)
    engine.door.set()
    closing.join(20)
    assert first.result(20).text == "1"
    with pytest.raises(ServiceStoppingError):
        batcher.submit(Job(), engine, piece(1))
