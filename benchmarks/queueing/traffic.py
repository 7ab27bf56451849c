"""The traffic: lengths of voice messages, the profile of a day in Russia, and the machine."""

from typing import NamedTuple

import numpy as np

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

TARGET_S, LONGEST_PIECE_S, BETWEEN_PAUSES_S = 20.0, 28.0, 2.5
LONGEST_S = 1200.0


class Machine(NamedTuple):
    """The capacity of one machine; the defaults were measured with the embedded model (docs/benchmarks.md).

    Attributes:
        cores: processors, and workers of the batcher.
        fixed_s: processor seconds for each recording: upload, decoder process, answer.
        per_second: processor seconds for each second of sound.
    """

    cores: int = 2
    fixed_s: float = 0.06
    per_second: float = 0.053


class Lengths(NamedTuple):
    """Log-normal lengths of recordings.

    Attributes:
        median_s: half of the recordings are shorter.
        sigma: standard deviation of the logarithm.
        longest_s: longer ones are cut to this length.
    """

    median_s: float = 12.0
    sigma: float = 0.9
    longest_s: float = LONGEST_S

    @property
    def mean_s(self) -> float:
        """Mean length, without regard to `longest_s`."""
        return self.median_s * float(np.exp(self.sigma**2 / 2))

    def draw(self, random: np.random.Generator, number: int) -> Vector:
        """Lengths of so many recordings, seconds."""
        return np.minimum(random.lognormal(np.log(self.median_s), self.sigma, number), self.longest_s)


def pieces(random: np.random.Generator, length_s: float) -> list[float]:
    """Lengths of the pieces of a recording in which somebody speaks all the time, with a pause every 2.5 s on average.

    As `SegmentationOptions` say: a piece ends at the first pause after 20 s, and at 28 s at the latest.
    """
    parts, left_s = [], length_s
    while left_s > TARGET_S:
        part_s = min(TARGET_S + random.exponential(BETWEEN_PAUSES_S), LONGEST_PIECE_S, left_s)
        parts.append(part_s)
        left_s -= part_s
    return parts + [left_s] * (left_s > 0)


# Populations of the regions in the census of 2021, millions, by their time: hours after Moscow.
ZONES = {-1: 1.03, 0: 91.4, 1: 9.2, 2: 20.8, 3: 1.86, 4: 12.6, 5: 3.35, 6: 2.75, 7: 3.28, 8: 0.6, 9: 0.34}

# An assumption, not a measurement: voice messages in each hour of local time, from midnight, relative to each other.
LOCAL_HOURS = (3, 1.5, 1, 1, 1, 1.5, 3, 6, 9, 10, 11, 11, 12, 12, 11, 11, 12, 13, 14, 14, 14, 13, 10, 6)


def profile() -> Vector:
    """Voice messages of Russia in each hour of Moscow time, relative to the mean hour."""
    people, local = sum(ZONES.values()), np.array(LOCAL_HOURS) / np.mean(LOCAL_HOURS)
    hours = np.zeros(24)
    for offset, number in ZONES.items():
        hours += number / people * np.roll(local, -offset)
    return hours


class Burst(NamedTuple):
    """A time in which more recordings arrive than usual, for instance because a channel names the bot.

    Attributes:
        begin_s: seconds after midnight, Moscow time.
        length_s: its length.
        factor: how many times as many recordings arrive.
    """

    begin_s: float
    length_s: float
    factor: float


def day(random: np.random.Generator, per_day: float, burst: Burst | None = None) -> Vector:
    """Times of arrival within a day, seconds after midnight in Moscow: a Poisson process with the day's profile."""
    rates = np.repeat(per_day / 86_400 * profile(), 3600)
    if burst:
        begin = int(burst.begin_s)
        rates[begin : begin + int(burst.length_s)] *= burst.factor
    counts = random.poisson(rates)
    return np.sort(np.repeat(np.arange(len(rates)), counts) + random.random(counts.sum()))
