"""How long a recording waits and is recognised: an approximation, without simulation.

`simulation` describes the queue. First pieces of recordings go before later ones, because a new recording gets the tag
of the piece that was taken last. So the model has two parts:

* The first piece waits like a call of the highest class in a queue with several servers: with Erlang's probability all
  cores are busy, then it waits for the first of them, and for the first pieces before it (van Hoorn and Tijms:
  "Approximations for the waiting time distribution of the M/G/c queue", Performance Evaluation 2, 1982).
* Later pieces share what first pieces leave. Each of them is delayed by the same time on average, which follows from
  the conservation of work (Kleinrock: "Queueing Systems", volume 2, 1976): the work that waits, which depends on the
  load only, is that of the pieces that are delayed. The delay is taken as exponential, and as the same for all pieces
  of a recording.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from benchmarks.queueing.traffic import BETWEEN_PAUSES_S, LONGEST_PIECE_S, TARGET_S, Lengths, Machine, Vector
from glas.recognition.slots import MESSAGE_S

_POINTS = 1000  # recordings that stand for all
_GRID = 1 << 15
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class _Work:
    """Recordings that stand for all, and their work in processor seconds.

    Attributes:
        number: of pieces of each.
        first: work of the first piece, with that of the whole recording (`Machine.fixed_s`).
        last: work of the last piece, 0 if it is the first.
        full: work of a piece between them.
        long_share: share of all work that is in recordings which are no messages.
    """

    number: Vector
    first: Vector
    last: Vector
    full: float
    long_share: float

    @property
    def total(self) -> Vector:
        """Work of each recording."""
        return self.first + np.maximum(self.number - 2, 0) * self.full + self.last

    @property
    def pieces(self) -> tuple[Vector, Vector]:
        """Work of pieces, and how many there are of each kind."""
        last = self.last[self.last > 0]
        work = np.concatenate([self.first, [self.full], last])
        count = np.concatenate([np.ones(_POINTS), [np.maximum(self.number - 2, 0).sum()], np.ones(len(last))])
        return work, count


def _work(machine: Machine, lengths: Lengths) -> _Work:
    shares = (np.arange(_POINTS) + 0.5) / _POINTS
    normal = NormalDist(math.log(lengths.median_s), lengths.sigma)
    length = np.minimum(np.exp([normal.inv_cdf(share) for share in shares]), lengths.longest_s)
    # Where the first pause after the target comes, spread evenly over all lengths.
    pauses = -BETWEEN_PAUSES_S * np.log1p(-(np.arange(_POINTS) * _GOLDEN % 1))
    piece = np.minimum(TARGET_S + pauses, LONGEST_PIECE_S)
    mean = float(piece.mean())
    number = 1 + np.ceil(np.maximum(length - piece, 0) / mean)
    last = np.where(number > 1, np.maximum(length - piece - (number - 2) * mean, 0), 0)
    first = machine.fixed_s + machine.per_second * np.minimum(length, piece)
    per_second = machine.per_second
    work = _Work(number, first, per_second * last, per_second * mean, 0)
    share = work.total[length > MESSAGE_S].sum() / work.total.sum()
    return _Work(number, first, work.last, work.full, float(share))


@dataclass(frozen=True)
class Sojourn:
    """Distribution of the time from a recording's arrival to its text.

    Attributes:
        load: share of the machine's processor time that is used, below 1.
    """

    machine: Machine
    lengths: Lengths
    load: float

    def percentiles_s(self, *percents: float) -> list[float]:
        """The times that so many percent of all recordings do not exceed, seconds.

        Raises:
            ValueError: the load is not between 0 and 1, so that the queue would grow for ever.
        """
        if not 0 < self.load < 1:
            raise ValueError(f"expected a load between 0 and 1, got {self.load}")
        cores, work = self.machine.cores, _work(self.machine, self.lengths)
        all_pieces, count = work.pieces
        free, all_busy = _erlang(cores, self.load * cores)
        step_s = 60 * all_pieces.max() / cores / (1 - self.load) / _GRID
        times = np.arange(_GRID) * step_s
        # The first core to become free, then the first pieces before this one.
        left = _residual(all_pieces, count, step_s)
        tail = np.concatenate([[1.0], 1 - np.cumsum(left)])
        soonest = tail[:-1] ** cores - tail[1:] ** cores
        before = _residual(work.first / cores, np.ones(_POINTS), step_s)
        first_load = self.load * float(work.first.sum() / work.total.sum())
        waiting = np.cumsum(_with_those_before(soonest, before, first_load))
        first_wait_s = all_busy * float(soonest @ times + first_load / (1 - first_load) * (before @ times))
        delay_s = self._delay_s(work, all_busy, first_wait_s) / all_busy

        # Own work: a message shares its core while the additional worker is used, later pieces use what is free.
        alone = work.first * (1 + self.load * work.long_share / cores)
        spread = np.maximum(work.total / np.minimum(work.number, cores), work.first)
        extra = np.maximum(delay_s * (work.number - 1) + work.last - spread, 1e-9)
        at_once = [
            np.where(work.number <= cores - busy, work.first, work.total / (cores - busy)) for busy in range(cores)
        ]

        def below(time_s: float) -> float:
            rate = sum(share * (time_s >= own) for share, own in zip(free, at_once, strict=True))
            message = np.interp(time_s - alone, times, waiting, left=0)
            later = -np.expm1(-np.maximum(time_s - spread, 0) / extra)
            return float((rate + all_busy * np.where(work.number == 1, message, later)).mean())

        return [_solve(below, percent / 100) for percent in percents]

    def _delay_s(self, work: _Work, all_busy: float, first_wait_s: float) -> float:
        """Mean delay of each later piece behind those before it, seconds."""
        cores, total = self.machine.cores, work.total
        all_pieces, count = work.pieces
        arrivals = self.load * cores / total.mean()
        whole = (total**2).mean() / total.mean() / 2
        piece = (all_pieces**2 @ count) / (all_pieces @ count) / 2
        waiting = all_busy * (whole / (1 - self.load) - piece) - arrivals * work.first.mean() * first_wait_s
        middle = np.maximum(work.number - 2, 0)
        per_second = arrivals * (work.full * middle * (middle + 1) / 2 + work.last * (work.number - 1)).mean()
        if not per_second:
            return 0.0
        return max(float(waiting / per_second), 0.0)


def _erlang(cores: int, offered: float) -> tuple[list[float], float]:
    """Probabilities that 0, 1, … cores are busy and one is free, and that all are busy (Erlang's formula C)."""
    weights = [offered**busy / math.factorial(busy) for busy in range(cores)]
    full = offered**cores / math.factorial(cores) / (1 - offered / cores)
    total = sum(weights) + full
    return [weight / total for weight in weights], full / total


def _residual(work: Vector, count: Vector, step_s: float) -> Vector:
    """Distribution of the work that is left of a piece at some moment of it, in steps."""
    times = np.arange(_GRID + 1) * step_s
    ended = np.cumsum(np.histogram(work, bins=times, weights=count)[0]) / count.sum()
    lasting: Vector = np.concatenate([[1.0], 1 - ended[:-1]])
    lasting /= lasting.sum()
    return lasting


def _with_those_before(soonest: Vector, before: Vector, load: float) -> Vector:
    """Distribution of a sum: `soonest`, and a geometric number of `before` with the parameter `load`."""
    size = 2 * _GRID
    transform = np.fft.rfft(soonest, size) * (1 - load) / (1 - load * np.fft.rfft(before, size))
    return np.maximum(np.fft.irfft(transform, size)[:_GRID], 0)


def _solve(below: Callable[[float], float], share: float) -> float:
    """The time at which a distribution function reaches a share, by bisection."""
    low, high = 0.0, 1.0
    while below(high) < share:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < share else (low, middle)
    return high
