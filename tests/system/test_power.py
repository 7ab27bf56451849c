"""Test a loss of power: everything confirmed to Telegram is stored or done after the next start, nothing is partial.

A life of Glas is recorded by strace. Then the data directory is built as it may look when the power goes at a call to
Telegram, in turns with all forgotten that was not synced, and with a part of it left. `make test` starts Glas again
twice; `make power` does it more often.
"""

import os
import random
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.system.forgetful_disk import Disk, Tree, write_tree
from tests.system.forking import Zygote
from tests.system.killing import Lab, check_rows
from tests.system.power import Life, record
from tests.system.worlds import World, embedded_world
from tests.telegram.remembering import RememberingTelegram, copied
from tests.telegram.server import TelegramServer

# `make power` asks for more.
N_MESSAGES = int(os.environ.get("POWER_MESSAGES", "6"))
N_STARTS = int(os.environ.get("POWER_STARTS", "2"))
PATIENCE_S = 60.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + 15 * N_STARTS + 5 * N_MESSAGES)]


def told(server: Server) -> dict[str, str]:
    """The settings: the recogniser is a separate process, because its start is slow."""
    return {"GLAS_NN_SERVICE_URL": server.url, "GLAS_LOG__LEVEL": "info"}


@pytest.fixture(scope="module")
def life(first_words: list[bytes], server: Server, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """People who speak, rate and correct, and one person who deletes their data."""
    with (
        RememberingTelegram() as telegram,
        embedded_world(
            tmp_path_factory.mktemp("power") / "life", telegram, told(server), zygote=None, is_started=False
        ) as world,
    ):
        return record(world, telegram, Lab(telegram, zygote), lambda lab: live(lab, first_words))


def live(lab: Lab, voices: Sequence[bytes]) -> int:
    """Let people speak, rate and correct; return the person who deleted their data."""
    numbers = count(6_200_000_001)
    forgotten = next(numbers)
    lab.silent.add(forgotten)
    for number in range(N_MESSAGES):
        person = forgotten if number == 1 else next(numbers)
        lab.telegram.say(person, "/start")
        lab.speak(person, voices[number % len(voices)])
        if number % 3 == 2:
            assert lab.wait(lab.is_all_answered, PATIENCE_S)
    assert lab.wait(lab.is_all_answered, PATIENCE_S)
    # The same words in other letters, for which nothing is paid.
    chat, answer = min(lab.rateable())
    lab.telegram.say(chat, lab.telegram.world.messages[chat, answer]["text"].upper(), reply_to=answer)
    assert lab.wait(lambda: "исправлено" in last_text(lab.telegram, chat), PATIENCE_S)
    lab.telegram.say(forgotten, "/forget")
    assert lab.wait(lambda: last_text(lab.telegram, forgotten).startswith("Удалить всё"), PATIENCE_S)
    lab.telegram.press(forgotten, lab.telegram.answers(forgotten)[-1]["message_id"], "🗑")
    assert lab.wait(lambda: last_text(lab.telegram, forgotten).startswith("Удалено всё"), PATIENCE_S)
    return forgotten


def last_text(telegram: TelegramServer, person: int) -> str:
    """Return the bot's last text for a person."""
    said = telegram.answers(person)
    return str(said[-1].get("text", "")) if said else ""


def _data(disk: Disk, dice: random.Random | None) -> Tree:
    data = disk.after_power_loss(dice).get("data", {})
    assert isinstance(data, dict)
    return data


async def test_glas_goes_on(life: Life, zygote: Zygote, server: Server, tmp_path: Path) -> None:
    """After the next start all people have one answer, every sound is archived, and each was paid once."""
    dice, orphans = random.Random(20261128), 0  # noqa: S311 - no secret
    chosen = sorted(dice.sample(life.moments, min(N_STARTS, len(life.moments))), key=lambda moment: moment.at_ns)
    for number, (moment, disk) in enumerate(life.disks(chosen)):
        with (
            TelegramServer(copied(moment.telegram)) as telegram,
            embedded_world(tmp_path / str(number), telegram, told(server), zygote=zygote, is_started=False) as world,
        ):
            write_tree(_data(disk, dice if number % 2 else None), world.settings.data_dir)
            lab = Lab(telegram, zygote)
            await _go_on(lab, world, forgotten=life.forgotten)
            orphans += lab.verdict().orphans
    print(f"started {len(chosen)} times after power was lost: {orphans} placeholders were never replaced")  # noqa: T201 - shown by `make power`


async def _go_on(lab: Lab, world: World, *, forgotten: int) -> None:
    (part,) = world.parts[0]
    lab.silent.add(forgotten)
    lab.sent = [one for one in lab.telegram.world.messages.values() if "voice" in one and not one["from"]["is_bot"]]
    lab.start(part)
    assert lab.wait(lab.is_all_answered, PATIENCE_S), f"{lab.verdict()}: {world.left()[:9]}\n{world.tails()}"
    world.rest()
    part.kill()
    assert (lab.verdict().lost, lab.verdict().answered_twice) == (0, 0)
    async with world.look() as doors:
        await check_rows(lab, doors)
