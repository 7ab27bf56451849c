"""Compute the number of machines for a number of messages a day, and check the model of the computation.

    python benchmarks/scaling.py plan 1000000     machines for so many messages a day, and the times to expect
    python benchmarks/scaling.py check            the model beside a simulation, at loads of 30, 60 and 90 %
    python benchmarks/scaling.py day 60000        a simulated day of one machine, hour by hour
    python benchmarks/scaling.py real [SECONDS]   recordings sent to a real server beside a simulation of the same ones,
                                                  for so many seconds (240) at each of 30, 60 and 90 %

Options describe one machine and its recordings; `--help` lists them. `real` measures the machine by itself. It needs
one that does nothing else; its texts come from `glas run nn_service` with the model that GLAS_MODEL names.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.queueing.model import Sojourn
from benchmarks.queueing.plan import plan
from benchmarks.queueing.real import LONGEST_S, Comparison, compare, measure, percentile
from benchmarks.queueing.simulation import simulate
from benchmarks.queueing.traffic import Burst, Lengths, Machine, day, pieces, profile
from benchmarks.under_load.server import server

LOADS = (0.3, 0.6, 0.9)
RECORDINGS = 60_000
PERCENTS = (50, 95)
MOST_BY_OTHERS = 0.15  # cores, of which this program needs a part to send recordings


def show_plan(machine: Machine, lengths: Lengths, per_day: float, *, reserve: float, p95_s: float) -> None:
    """Print the number of machines."""
    found = plan(machine, lengths, per_day, reserve=reserve, p95_s=p95_s)
    peak = per_day / 86_400 * profile().max()
    print(f"messages: {per_day:,.0f} a day, {per_day / 86_400:.1f} a second on average, {peak:.1f} in the busiest hour")
    print(f"sound: {per_day * lengths.mean_s / 3600:,.0f} hours a day, {lengths.mean_s:.1f} s on average")
    print(
        f"machines of {machine.cores} cores: {found.machines:,}, with a reserve of {reserve:g} times the busiest hour"
    )
    print(f"then: load {found.load:.0%}, p50 {found.p50_s:.1f} s, p95 {found.p95_s:.1f} s (goal {p95_s:g} s)")
    usual = Sojourn(machine, lengths, found.load / reserve).percentiles_s(*PERCENTS)
    print(f"in a usual busiest hour: load {found.load / reserve:.0%}, p50 {usual[0]:.1f} s, p95 {usual[1]:.1f} s")


def check(machine: Machine, lengths: Lengths) -> None:
    """Print percentiles of the model and of the simulation."""
    random = np.random.default_rng(1)
    drawn = lengths.draw(random, RECORDINGS)
    recordings = [pieces(random, length_s) for length_s in drawn.tolist()]
    every_s = float((machine.fixed_s + machine.per_second * drawn).mean()) / machine.cores
    print("load  p50: model, simulation, s  p95: model, simulation, s  ratios")
    for load in LOADS:
        arrivals = np.cumsum(random.exponential(every_s / load, RECORDINGS)).tolist()
        times = simulate(machine, arrivals, recordings)
        model = Sojourn(machine, lengths, load).percentiles_s(*PERCENTS)
        seen = [percentile(times.tolist(), percent) for percent in PERCENTS]
        ratios = [ours / theirs for ours, theirs in zip(model, seen, strict=True)]
        print(
            f"{load:4.0%}{model[0]:15.2f}{seen[0]:12.2f}{model[1]:15.2f}{seen[1]:12.2f}{ratios[0]:8.2f}{ratios[1]:6.2f}"
        )


def show_day(machine: Machine, lengths: Lengths, per_day: float) -> None:
    """Print each hour of a day in which twice as many recordings as usual arrive for ten minutes from 18:00 on."""
    random = np.random.default_rng(1)
    arrivals = day(random, per_day, Burst(18 * 3600, 600, 2))
    recordings = [pieces(random, length_s) for length_s in lengths.draw(random, len(arrivals)).tolist()]
    times = simulate(machine, arrivals.tolist(), recordings)
    print("hour (Moscow)  recordings  p50 s  p95 s")
    ends = np.searchsorted(arrivals, np.arange(25) * 3600)
    for hour in range(24):
        part = times[ends[hour] : ends[hour + 1]].tolist()
        if part:
            print(f"{hour:13d}{len(part):12d}{percentile(part, 50):7.1f}{percentile(part, 95):7.1f}")


async def real(lengths: Lengths, seconds: float) -> None:
    """Print percentiles of a real server, of the simulation of the same recordings, and of the model."""
    lengths = lengths._replace(longest_s=LONGEST_S)
    # Nothing is refused, so that the queue is what the simulation has.
    os.environ["GLAS_NN_SERVICE__QUEUE_SIZE"] = "1000"
    with server() as running:
        async with httpx.AsyncClient(
            base_url=running.url, trust_env=False, timeout=600, limits=httpx.Limits(max_connections=None)
        ) as http:
            model = (await http.get("/health")).json()["model"]
            print(f"{model}, load of the machine {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
            machine = await measure(http)
            print(
                f"{machine.cores} cores, processor seconds: {machine.fixed_s:.3f} for a recording, "
                f"{machine.per_second:.4f} for a second of sound"
            )
            print(
                "load  recordings  p50: real, simulated, model, s  p95: real, simulated, model, s  model ÷ real  cores"
            )
            for load in LOADS:
                done = await compare(http, running, machine, lengths, load=load, seconds=seconds)
                show_comparison(load, done, Sojourn(machine, lengths, load).percentiles_s(*PERCENTS))


def show_comparison(load: float, done: Comparison, model: Sequence[float]) -> None:
    """Print one line; and a warning if other programs took processor time that the server wanted."""
    real, simulated = ([percentile(times, percent) for percent in PERCENTS] for times in (done.real, done.simulated))
    seen = "   ".join(f"{real[at]:9.2f}{simulated[at]:9.2f}{model[at]:9.2f}" for at in range(len(PERCENTS)))
    ratios = " ".join(f"{model[at] / real[at]:6.2f}" for at in range(len(PERCENTS)))
    print(f"{load:4.0%}{len(done.real):12d} {seen}   {ratios}{done.cpu_s / done.wall_s:10.2f}", flush=True)
    if (others := done.others_s / done.wall_s) > MOST_BY_OTHERS:
        print(f"      not usable: other programs used {others:.2f} cores")


def main() -> None:
    """Read the command line and run the command."""
    machine, lengths = Machine(), Lengths()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("plan", "check", "day", "real"), nargs="?", default="check")
    parser.add_argument("number", type=float, nargs="?", help="messages a day, or seconds of `real`")
    parser.add_argument("--cores", type=int, default=machine.cores, help="processors of a machine, at most 8 are used")
    parser.add_argument("--fixed", type=float, default=machine.fixed_s, help="processor seconds for each recording")
    parser.add_argument(
        "--per-second", type=float, default=machine.per_second, help="processor seconds for a second of sound"
    )
    parser.add_argument("--median", type=float, default=lengths.median_s, help="median length of recordings, s")
    parser.add_argument("--sigma", type=float, default=lengths.sigma, help="spread of the logarithm of lengths")
    parser.add_argument("--reserve", type=float, default=1.5, help="recordings that fit, in usual busiest hours")
    parser.add_argument("--p95", type=float, default=10, help="goal: seconds within which 95 of 100 have a text")
    given = parser.parse_args()
    machine, lengths = Machine(given.cores, given.fixed, given.per_second), Lengths(given.median, given.sigma)
    match given.what:
        case "plan":
            show_plan(machine, lengths, given.number or 1e6, reserve=given.reserve, p95_s=given.p95)
        case "day":
            show_day(machine, lengths, given.number or 60_000)
        case "real":
            asyncio.run(real(lengths, given.number or 240))
        case _:
            check(machine, lengths)


if __name__ == "__main__":
    main()
