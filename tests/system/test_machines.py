"""Test three machines as docs/operations.md sets them up: losses of machines, connections and the primary.

Every message is answered once. `make machines` plays it with the clocks of the program. It also takes away the machine
with the primary of PostgreSQL and the object store. `make test` does not play it, because it did not always end in
time beside other tests.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest

from glas.launch import PARTS
from tests.conftest import ROOT, Sample
from tests.parts.hostile import silent_opus
from tests.system.forking import Zygote
from tests.system.killing import Lab, is_waiting
from tests.system.machines import Site, chapter, site
from tests.system.namespaces import why_impossible

N_MESSAGES = int(os.environ.get("MACHINES_MESSAGES", "0"))
N_EACH = (N_MESSAGES or 18) // 3
REPLICAS = ("b", "c")
OPEN_PORTS = {"a": {5432, 8003}, "b": {5432}, "c": {5432}}
PATIENCE_S = 150.0
SPEAK_AGAIN_S = 15.0
SOURCES = ("machines.py", "test_machines.py")
WHY_LATE = (
    "on any machine, with GLAS_DATABASE_URL of tg_bot.env: running bots, the bot that gets updates, works that wait",
    "on the primary, as the user of PostgreSQL: which replicas follow, and which one confirms commits",
)
READY = """SELECT slot FROM durable_tg_bot.glas_executors
    WHERE note LIKE '%"is_taking_in":true%' AND extract(epoch FROM clock_timestamp()) - seen_s < 10"""
LEFT = "SELECT workflow_uuid FROM durable_tg_bot.workflow_status WHERE status IN ('ENQUEUED', 'PENDING')"
BEGUN = "SELECT executor_id FROM durable_tg_bot.workflow_status WHERE status = 'PENDING' AND name = 'hear'"
ROWS = "SELECT status || ':' || coalesce(audio_key, '') FROM transcriptions"


class Machines:
    """The machines, and people who send messages."""

    def __init__(self, site: Site, lab: Lab, voices: list[bytes]) -> None:
        self.site = site
        self.lab = lab
        self.primary = "a"
        self._voices = voices
        self._people = count(7_700_000_001)

    def wait_for_bots(self) -> None:
        """Wait until the bots of all machines run."""
        self.site.until(lambda: len(self.ask(READY)) == len(self.site.machines), "readiness of all bots", PATIENCE_S)

    def ask(self, query: str) -> list[str]:
        """Return rows of the primary."""
        return self.site.ask(self.primary, query)

    def speak(self, at_work: tuple[str, ...]) -> str:
        """People speak; tells which of some machines has begun to work on most of it.

        They speak again where another machine took everything.
        """
        begun: Counter[str] = Counter()
        spoken_s = -SPEAK_AGAIN_S

        def has_begun() -> bool:
            nonlocal spoken_s
            if time.monotonic() > spoken_s + SPEAK_AGAIN_S:
                self._say()
                spoken_s = time.monotonic()
            begun.update(name for name in self.ask(BEGUN) if name in at_work)
            return max(begun.values(), default=0) > 1

        self.site.until(has_begun, f"work on {at_work}", PATIENCE_S)
        return begun.most_common(1)[0][0]

    def _say(self) -> None:
        self.lab.telegram.fail("getFile", "slow", times=2 * N_EACH, delay_s=1.5)
        for number in range(N_EACH):
            person = next(self._people)
            self.lab.telegram.say(person, "/start")
            self.lab.speak(person, self._voices[number % len(self._voices)])

    def answered(self) -> float:
        """Wait until all messages are answered; return how long this takes, in seconds."""
        return self.site.until(lambda: self.lab.verdict().lost == 0, "answers", PATIENCE_S, found=self.unanswered)

    def unanswered(self) -> list[str]:
        """Return the messages without an answer, with the works of their people."""
        answered = {one["reply_to_message"]["message_id"] for one in self.lab.answers() if not is_waiting(one)}
        left = [one for one in self.lab.sent if one["message_id"] not in answered]
        works = self.ask(
            "SELECT workflow_uuid, name, status, queue_name, executor_id FROM durable_tg_bot.workflow_status"
        )
        found = []
        for one in left:
            person = str(one["chat"]["id"])
            found.append(f"{one['message_id']} of {person}: {[work for work in works if person in work]}")
        return found

    def rest(self) -> None:
        """Wait until no bot has work."""
        self.site.until(lambda: not self.ask(LEFT), "the end of all work", PATIENCE_S)


@pytest.fixture
def machines(zygote: Zygote, samples: list[Sample]) -> Iterator[Machines]:
    """Start three machines with Glas."""
    if (reason := why_impossible()) is not None:
        pytest.skip(reason)
    with site(zygote, is_quick=not N_MESSAGES) as built:
        built.set_up()
        voices = [samples[0].path.read_bytes(), *(silent_opus(1 + tenths / 10) for tenths in range(3))]
        running = Machines(built, Lab(built.telegram, zygote), voices)
        for name in built.machines:
            built.wait_for_parts(name)
        running.wait_for_bots()
        yield running


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not N_MESSAGES, reason="plays with MACHINES_MESSAGES; see `make machines`")
def test_machines_fail_and_every_message_is_answered_once(machines: Machines) -> None:
    """One machine is disconnected and returns, another is lost; in the long form also the primary."""
    site, lab, took_s = machines.site, machines.lab, dict[str, float]()
    assert {name: machine.open_ports() for name, machine in site.machines.items()} == OPEN_PORTS
    cut = machines.speak(REPLICAS)
    site.machines[cut].cut()
    took_s["cut off"] = machines.answered()
    site.machines[cut].mend()
    (dead,) = set(REPLICAS) - {cut}
    assert machines.speak((dead,)) == dead
    site.die(dead)
    took_s["dead"] = machines.answered()
    if N_MESSAGES:
        site.start(dead)
        took_s["primary dead"] = fail_over(machines)
    site.until(lambda: cut in machines.ask(READY), "the return of what was cut off", PATIENCE_S)
    machines.rest()
    verdict = lab.verdict()
    print(f"{len(lab.sent)} messages: {verdict}; answered after, s: {took_s}; {site.n_restarts} restarts")  # noqa: T201 - shown by `pytest -s` and `make machines`
    assert (verdict.lost, verdict.answered_twice) == (0, 0)
    rows = machines.ask(ROWS)
    assert len(rows) == len(lab.sent)
    assert all(row.startswith("done:") and len(row) > len("done:") for row in rows)


def fail_over(machines: Machines) -> float:
    """The machine with the primary is lost; a person follows the chapter; the machine returns."""
    site = machines.site
    machines.wait_for_bots()
    machines.speak(REPLICAS)
    site.die("a")
    has = {name: int(site.psql(name, "on b and c: how much data it has received, in bytes")) for name in REPLICAS}
    machines.primary = max(has, key=lambda name: has[name])
    site.psql(machines.primary, "on the one with more data: promote it to primary")
    took_s = machines.answered()
    site.come_back("a")
    machines.wait_for_bots()
    for block in WHY_LATE:
        print(site.psql(machines.primary, block))  # noqa: T201 - likewise
    return took_s


def test_every_block_of_the_chapter_is_run() -> None:
    """The test runs each block of the chapter, or uses it as the file of a unit."""
    code = "".join((ROOT / "tests" / "system" / name).read_text(encoding="utf-8") for name in SOURCES)
    files = {f"/etc/glas/{name}.env" for name in ("glas", "store", *PARTS)}
    assert [title for title in chapter() if title not in code and title.partition(",")[0] not in files] == []
