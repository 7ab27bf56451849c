"""Compute how many machines a number of messages a day needs."""

from typing import NamedTuple

from benchmarks.queueing.model import Sojourn
from benchmarks.queueing.traffic import Lengths, Machine, profile

_FULLEST = 0.95  # a queue above this load grows for minutes after each burst


class Plan(NamedTuple):
    """Machines for a number of messages a day.

    Attributes:
        machines: number of equal machines; each gets the same share of the recordings, by chance.
        load: share of their processor time that is used in the busiest hour, with the reserve.
        p50_s: time from the arrival of a recording at nn_service to its text in that hour: half of all are faster.
        p95_s: the same for 95 of 100.
    """

    machines: int
    load: float
    p50_s: float
    p95_s: float


def plan(machine: Machine, lengths: Lengths, per_day: float, *, reserve: float, p95_s: float) -> Plan:
    """Find the smallest number of machines with which the goal is met in the busiest hour.

    Args:
        machine: one machine.
        lengths: of the recordings.
        per_day: recordings in a day.
        reserve: how many times as many recordings as in a usual busiest hour must fit.
        p95_s: the goal.

    Raises:
        ValueError: not even an idle machine meets the goal.
    """
    peak = per_day / 86_400 * float(profile().max()) * reserve
    needed = peak * (machine.fixed_s + machine.per_second * lengths.mean_s) / machine.cores

    def goal_is_met(load: float) -> bool:
        return Sojourn(machine, lengths, load).percentiles_s(95)[0] <= p95_s

    low, high = 0.01, _FULLEST
    if not goal_is_met(low):
        raise ValueError(f"expected a goal that an idle machine meets, got {p95_s:g} s; use faster cores")
    if goal_is_met(high):
        low = high
    while high - low > 0.002:
        middle = (low + high) / 2
        low, high = (middle, high) if goal_is_met(middle) else (low, middle)
    machines = max(1, -int(-needed // low))
    load = needed / machines
    return Plan(machines, load, *Sojourn(machine, lengths, load).percentiles_s(50, 95))
