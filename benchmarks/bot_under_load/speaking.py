"""Recordings that people send to the simulated Telegram at given times."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count

import numpy as np

from benchmarks.queueing.traffic import Lengths
from benchmarks.under_load.speech import recording
from tests.telegram.server import TelegramServer

LENGTHS = Lengths(longest_s=120)
"""As docs/scaling.md assumes them; a run of minutes cannot wait for the longest ones."""

_ids = count(6_400_000_001)

speech = cache(recording)


@dataclass(frozen=True)
class Sent:
    """A recording that was sent.

    Attributes:
        at_s: when, by monotonic time.
        group: which people its sender belongs to.
    """

    at_s: float
    chat_id: int
    message_id: int
    group: str


class Speakers:
    """People who send recordings of the usual lengths."""

    def __init__(self, telegram: TelegramServer, seed: int = 1) -> None:
        self._telegram = telegram
        self.random = np.random.default_rng(seed)
        self.sent: list[Sent] = []

    def prepare(self) -> None:
        """Encode recordings of all lengths, so that this takes no processor time later."""
        for length_s in range(1, int(LENGTHS.longest_s) + 1):
            speech(length_s)

    def speak(self, person: int, group: str) -> Sent:
        """Send a recording."""
        length_s = int(LENGTHS.draw(self.random, 1).round().clip(1)[0])
        at_s = time.monotonic()
        message = self._telegram.speak(person, speech(length_s), duration_s=length_s)
        self.sent.append(Sent(at_s, person, message["message_id"], group))
        return self.sent[-1]

    def speak_at(self, arrivals: Iterable[tuple[float, int, str]]) -> None:
        """Send recordings; each arrival has the seconds from now, the person and the group."""
        began_s = time.monotonic()
        for after_s, person, group in arrivals:
            time.sleep(max(0.0, began_s + after_s - time.monotonic()))
            self.speak(person, group)

    def poisson(
        self, a_second: float, seconds: float, people: list[int], group: str
    ) -> Iterator[tuple[float, int, str]]:
        """Return random arrivals for some seconds from now, each from any of these people."""
        after_s = self.random.exponential(1 / a_second)
        while after_s < seconds:
            yield after_s, people[int(self.random.integers(len(people)))], group
            after_s += self.random.exponential(1 / a_second)

    def strangers(self, every_s: float, seconds: float, group: str) -> Iterator[tuple[float, int, str]]:
        """Return arrivals of new people at a fixed interval."""
        for after_s in np.arange(every_s / 2, seconds, every_s).tolist():
            yield after_s, next(_ids), group


def people(number: int) -> list[int]:
    """Return the ids of so many new people."""
    return [next(_ids) for _ in range(number)]
