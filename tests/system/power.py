"""Record every change of a file during a run of Glas, so that a loss of power can be simulated at any moment."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.system.forgetful_disk import Disk, Tree, read_tree
from tests.system.killing import Lab
from tests.system.system_calls import Call, Send, calls, strace, wait_for_end
from tests.system.worlds import World
from tests.telegram.remembering import RememberingTelegram
from tests.telegram.world import JsonObject
from tests.telegram.world import World as TelegramWorld


class Moment(NamedTuple):
    """A loss of power while a call of the bot to Telegram is sent; the call arrives.

    Attributes:
        at_ns: the beginning of the call, nanoseconds since 1970.
        telegram: what Telegram knows afterwards.
        confirmed: the updates that Telegram will not send again.
    """

    at_ns: int
    telegram: TelegramWorld
    confirmed: tuple[JsonObject, ...]


@dataclass(frozen=True)
class Life:
    """The recorded run.

    Attributes:
        directory: of the world.
        before: what lay in it before.
        calls: of the system.
        moments: the calls to Telegram.
        forgotten: a person who asked for that.
    """

    directory: Path
    before: Tree
    calls: list[Call]
    moments: list[Moment]
    forgotten: int

    def disks(self, moments: Iterable[Moment], recorded: Iterable[Call] | None = None) -> Iterator[tuple[Moment, Disk]]:
        """Yield the disk at each of the moments, which are in the order of time."""
        disk, left = Disk(self.directory, self.before), deque(self.calls if recorded is None else recorded)
        for moment in moments:
            while left and left[0].ended_ns <= moment.at_ns:
                disk.play([left.popleft()])
            yield moment, disk


def record(world: World, telegram: RememberingTelegram, lab: Lab, live: Callable[[Lab], int]) -> Life:
    """Start a world of one process under strace, let people live in it, and kill it.

    Args:
        world: not started yet.
        telegram: that of the world.
        lab: is handed to `live`.
        live: does what people do, and returns the person who was forgotten.
    """
    (part,) = world.parts[0]
    log, program = world.directory.parent / "calls", part.command
    world.settings.data_dir.rmdir()
    part.log.touch()
    before = read_tree(world.directory)
    part.command = strace(log, program)
    part.start()
    part.wait()
    forgotten = live(lab)
    world.rest()
    part.kill()
    assert part.process is not None
    wait_for_end(log, part.process.pid)
    part.command = program
    recorded = list(calls(log, world.directory))
    log.unlink()
    disk = Disk(world.directory, before)
    disk.play(recorded)
    assert disk.now() == read_tree(world.directory), "the record is not what happened"
    return Life(world.directory, before, recorded, _moments(recorded, telegram), forgotten)


def _moments(recorded: Iterable[Call], telegram: RememberingTelegram) -> list[Moment]:
    """Return the beginning of each call that Telegram stored; calls over one connection are in order."""
    port, sent = int(telegram.url.rpartition(":")[2]), defaultdict[int, deque[int]](deque)
    for call in recorded:
        if isinstance(call, Send) and call.to_port == port and call.data.startswith(b"POST /bot"):
            sent[call.from_port].append(call.began_ns)
    moments = [Moment(sent[one.port].popleft(), one.world, one.confirmed) for one in telegram.remembered]
    return sorted(moments, key=lambda moment: moment.at_ns)
