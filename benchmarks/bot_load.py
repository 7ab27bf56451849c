"""Load the whole system through a simulated Telegram: ten times its capacity, or hours at half of its capacity.

    python benchmarks/bot_load.py overload [SVG]       five minutes of ten times too much, then newcomers
    python benchmarks/bot_load.py soak [MINUTES [SVG]] half of what it can recognise (30 minutes)

The system is `glas run` in a process of its own with the embedded model, SQLite and files. Both first find out how many
recordings a second it answers. Recordings have the lengths that docs/scaling.md assumes, at most two minutes. After an
overload, what is left would take most of an hour: the system is restarted with a recogniser that answers at once, to
see that every recording that waits is answered, once. OVERLOAD_S=20 in the environment makes everything short, to try.
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import merge
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bot_under_load.picture import Line, drawn
from benchmarks.bot_under_load.seeing import Seen, seen, summary
from benchmarks.bot_under_load.speaking import Speakers, people
from benchmarks.bot_under_load.watching import Moment, Watch
from tests.parts.recogniser import open_recogniser
from tests.system.worlds import World, embedded_world
from tests.telegram.server import TelegramServer

OVERLOAD_S = int(os.environ.get("OVERLOAD_S", "300"))
CAPACITY_S, NORMAL_S, RECOVERY_S = min(30, 2 * OVERLOAD_S), min(30, OVERLOAD_S), min(75, 2 * OVERLOAD_S)
AT_ONCE = 16  # recordings on the way while it is measured how many are answered
FACTOR = 10
ORDINARY, FLOODERS, SHARE_OF_FLOODERS = 200, 10, 1 / 3
STRANGER_EVERY_S = 3.0
PATIENCE_S = 900


def capacity(speakers: Speakers, telegram: TelegramServer) -> float:
    """Return the recordings that are answered in a second, if some always wait."""
    began_s, first = time.monotonic(), len(speakers.sent)
    done: list[Seen] = []
    while time.monotonic() < began_s + CAPACITY_S:
        found = seen(telegram, speakers.sent[first:])
        done = [one for one in found if one.last_s < float("inf")]
        for person in people(AT_ONCE - (len(found) - len(done))):
            speakers.speak(person, "capacity")
        time.sleep(0.1)
    # Without the beginning, in which all are sent at once.
    times = sorted(one.sent.at_s + one.last_s for one in done)
    times = times[len(times) // 3 :]
    rate = (len(times) - 1) / (times[-1] - times[0])
    wait(telegram, speakers, PATIENCE_S)
    print(f"capacity: {rate:.2f} recordings a second", flush=True)
    return rate


def wait(telegram: TelegramServer, speakers: Speakers, patience_s: float) -> list[Seen]:
    """Wait until all recordings are answered; return the results."""
    deadline = time.monotonic() + patience_s
    while True:
        found = seen(telegram, speakers.sent)
        if all(one.last_s < float("inf") for one in found) or time.monotonic() > deadline:
            return found
        time.sleep(1.0)


def overload(telegram: TelegramServer, world: World, picture: Path | None) -> None:
    """Measure five minutes of overload, the answers for new people then, and lost recordings."""
    speakers = Speakers(telegram)
    speakers.prepare()
    glas = world.part("glas")
    with Watch(pid_of(world)) as watch:
        rate = capacity(speakers, telegram)
        speakers.speak_at(speakers.poisson(rate / 2, NORMAL_S, people(200), "half load"))
        wait(telegram, speakers, PATIENCE_S)
        began_s = time.monotonic()
        much = FACTOR * rate
        speakers.speak_at(
            merge(
                speakers.poisson(much * SHARE_OF_FLOODERS, OVERLOAD_S, people(FLOODERS), "ten who flood"),
                speakers.poisson(much * (1 - SHARE_OF_FLOODERS), OVERLOAD_S, people(ORDINARY), "two hundred others"),
                speakers.strangers(STRANGER_EVERY_S, OVERLOAD_S, "newcomers during it"),
            )
        )
        ended_s = time.monotonic()
        speakers.speak_at(speakers.strangers(STRANGER_EVERY_S, RECOVERY_S, "newcomers after it"))
        over_s = time.monotonic()
    found = seen(telegram, speakers.sent)
    show(found, watch, began_s, ended_s, over_s)
    left = sum(one.last_s == float("inf") for one in found)
    print(f"waiting when the system is restarted with a recogniser that answers at once: {left}", flush=True)
    world.stop()
    with recogniser() as url:
        glas.environment["GLAS_NN_SERVICE_URL"] = url
        world.start()
        verdict(wait(telegram, speakers, PATIENCE_S), telegram)
    if picture is not None:
        picture.write_text(overload_picture(found, watch.moments, began_s, ended_s, over_s), encoding="utf-8")


def show(found: list[Seen], watch: Watch, began_s: float, ended_s: float, over_s: float) -> None:
    """Print the times for people, and the used resources."""
    for group in dict.fromkeys(one.sent.group for one in found):
        print(summary(group, [one for one in found if one.sent.group == group]))
    whole = [one for one in found if began_s <= one.sent.at_s < ended_s]
    print(summary("the whole overload", whole))
    print(f"overload: {len(whole) / (ended_s - began_s):.1f} recordings a second")
    for name, since_s, until_s in (("overload", began_s, ended_s), ("after it", ended_s, over_s)):
        ours, others = watch.cores(since_s, until_s)
        print(f"cores during {name}: {ours:.2f}, other programs with Telegram and its people {others:.2f}")
    for after_s in range(0, int(over_s - ended_s), 15):
        since_s = ended_s + after_s
        some = [one for one in found if since_s <= one.sent.at_s < since_s + 15 and "after" in one.sent.group]
        print(summary(f"newcomers {after_s} to {after_s + 15} s after it", some))
    early = [one.memory_mb for one in watch.moments if one.at_s < began_s]
    late = [one.memory_mb for one in watch.moments if one.at_s >= began_s]
    print(f"memory: at most {max(early):.0f} MB before, {max(late):.0f} MB during and after it", flush=True)


def verdict(found: list[Seen], telegram: TelegramServer) -> None:
    """Print whether every recording was answered once."""
    lost, twice = sum(one.n_answers == 0 for one in found), sum(one.n_answers > 1 for one in found)
    refused = sum(one.is_refused for one in found)
    print(f"{len(found)} recordings: {lost} lost, {twice} answered twice, {refused} refused with an explanation")
    print(f"Telegram's rates: {telegram.violations()}", flush=True)


def overload_picture(found: list[Seen], moments: list[Moment], began_s: float, ended_s: float, over_s: float) -> str:
    """Memory, recordings that wait, and seconds to the first reply, over the minutes around an overload."""
    zero_s = began_s - 60

    def minutes(at_s: float) -> float:
        return (at_s - zero_s) / 60

    memory = [(minutes(one.at_s), one.memory_mb) for one in moments if zero_s <= one.at_s <= over_s]
    waiting, told = [], []
    for at_s in range(int(zero_s) + 1, int(over_s), 5):
        left = sum(one.sent.at_s <= at_s < one.sent.at_s + one.last_s for one in found)
        waiting.append((minutes(at_s), float(left)))
        first = sorted(one.first_s for one in found if at_s - 5 <= one.sent.at_s < at_s)
        if first:
            told.append((minutes(at_s), min(first[int(0.95 * (len(first) - 1))], 60.0)))
    return drawn(
        [
            Line("resident memory, MB", memory),
            Line("recordings that wait or are recognised", waiting),
            Line("first reply: p95 within 5 s, seconds", told),
        ],
        [(minutes(began_s), minutes(ended_s), "overload")],
    )


def soak(telegram: TelegramServer, world: World, length_s: float, picture: Path | None) -> None:
    """Measure memory and times over a long run at half of the capacity."""
    speakers = Speakers(telegram)
    speakers.prepare()
    with Watch(pid_of(world)) as watch:
        rate = capacity(speakers, telegram)
        began_s = time.monotonic()
        speakers.speak_at(speakers.poisson(rate / 2, length_s, people(200), "soak"))
        ended_s = time.monotonic()
    found = [one for one in wait(telegram, speakers, 120) if one.sent.at_s >= began_s]
    print(summary("all", found))
    tenths = [(began_s + length_s * part / 10, began_s + length_s * (part + 1) / 10) for part in range(10)]
    for part, (since_s, until_s) in enumerate(tenths):
        some = [one for one in found if since_s <= one.sent.at_s < until_s]
        memory = [one.memory_mb for one in watch.moments if since_s <= one.at_s < until_s]
        ours, others = watch.cores(since_s, until_s)
        print(summary(f"tenth {part + 1}", some))
        print(f"   memory {sum(memory) / len(memory):.0f} MB; cores {ours:.2f}, other programs {others:.2f}")
    verdict(found, telegram)
    if picture is not None:
        memory_line = [((one.at_s - began_s) / 60, one.memory_mb) for one in watch.moments[::5] if one.at_s > began_s]
        by_minute: dict[int, list[float]] = {}
        for one in found:
            by_minute.setdefault(int((one.sent.at_s - began_s) // 60), []).append(one.last_s)
        times = [(minute + 0.5, sorted(some)[len(some) // 2]) for minute, some in sorted(by_minute.items())]
        lines = [Line("resident memory, MB", memory_line), Line("text: median of a minute, seconds", times)]
        picture.write_text(drawn(lines), encoding="utf-8")
    print(f"soak: {(ended_s - began_s) / 60:.0f} minutes at {rate / 2:.2f} recordings a second", flush=True)


def pid_of(world: World) -> int:
    """Return the process of the system."""
    return int(getattr(world.part("glas").process, "pid"))  # noqa: B009 - a process of the tests may have none


@contextmanager
def recogniser() -> Iterator[str]:
    """Return the address of a recogniser that answers at once."""
    told: list[str] = []
    is_ready, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with open_recogniser() as made:
            told.append(made.url)
            is_ready.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    is_ready.wait()
    try:
        yield told[0]
    finally:
        is_over.set()
        thread.join()


def main(what: str = "overload", *rest: str) -> None:
    """Run one of the two measurements."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}", flush=True)
    minutes = rest[:1] if what == "soak" else ()
    picture = next((Path(one).resolve() for one in rest[len(minutes) :]), None)
    with tempfile.TemporaryDirectory(prefix="glas-load-") as directory, TelegramServer() as telegram:
        told = {"GLAS_LOG__LEVEL": "warning"}
        with embedded_world(Path(directory) / "world", telegram, told, zygote=None) as world:
            if what == "soak":
                soak(telegram, world, 60 * float(minutes[0] if minutes else 30), picture)
            else:
                overload(telegram, world, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
