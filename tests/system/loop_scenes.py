"""Scenes of the learning loop: people correct recognised texts, `glas learn` runs, and the new model is measured."""

import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from glas.recognition.gate import Verdict
from glas.recognition.gate_report import FIGURES
from glas.training.datasets.exported import Message, read_export
from glas.training.rounds import Outcome as Ended
from glas.training.rounds import Round, finished_rounds
from tests.system.loop_callers import Callers
from tests.system.loop_chats import Chats, Heard
from tests.system.loop_outcome import Outcome, difference_of, measured
from tests.system.loop_sayings import Saying, write_sayings
from tests.system.processes import Part
from tests.system.worlds import World

# Nobody's day or minute may be full: one person says here what many say elsewhere.
UNLIMITED = {
    "GLAS_BOT__USER_MINUTES_PER_DAY": "0",
    "GLAS_BOT__BETA_TESTER_MINUTES_PER_DAY": "0",
    "GLAS_BOT__USER_MESSAGES_PER_MINUTE": "0",
    "GLAS_BOT__ANNOUNCE_S": "1",
    "GLAS_LOG__LEVEL": "info",
}
SPEAKERS, _TESTERS = 7_400_000_001, 7_500_000_001
_N_TESTERS = 8  # Telegram takes one message a second to a chat
_SHARED_BY = 3  # people who must agree until a name is expected in all recordings
_FOLLOW_S = 300.0  # on a machine that has much else to do
_MOST_LINES = 9  # that `glas learn` says until it is killed


@dataclass(frozen=True)
class Scene:
    """The recordings and options of a learning loop.

    Attributes:
        name: of the scene.
        learnt: what is said and corrected.
        tested: what is measured, and never corrected.
        is_personal: one voice, and a model for it alone.
        options: further ones of `glas learn`.
        goal: relative fall of the word error rate.
        is_quick: of the `Order` of the learning; its gate measures less.
    """

    name: str
    learnt: Sequence[Saying]
    tested: Sequence[Saying]
    is_personal: bool
    options: tuple[str, ...] = ()
    goal: float = 0.2
    is_quick: bool = False


class Played(NamedTuple):
    """The result of a scene."""

    outcome: Outcome
    texts: dict[str, list[Heard]]
    first_after: Heard
    round: Round


@dataclass
class Stopwatch:
    """Seconds of each part."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Measure the time of a part."""
        began_s = time.monotonic()
        yield
        self.parts[name] = round(time.monotonic() - began_s, 1)
        print(f"{time.strftime('%H:%M:%S')} {name}: {self.parts[name]} s", flush=True)  # noqa: T201 - shown by `make loop`


class Stage:
    """The running system with its people, on which a scene runs from beginning to end."""

    def __init__(self, world: World, weights: Path, folder: Path) -> None:
        """Initialise it.

        Args:
            world: the system, as one process.
            weights: official weights from which models learn.
            folder: where logs and the test set are written.
        """
        self.world, self.weights, self.folder = world, weights, folder
        self.chats, self.watch = Chats(world), Stopwatch()
        self.texts: dict[str, list[Heard]] = {}
        self.options: list[str] = []
        self.n_killed = 0
        self.data_dir, self.models_dir = world.settings.data_dir, world.settings.models_dir
        part = world.part("glas")
        self.environment = part.environment | {"GLAS_LOG__LEVEL": "warning", "GLAS_LOG__FORMAT": "console"}
        self.url = f"http://127.0.0.1:{part.environment['GLAS_PORT']}"
        self._zygote, self._is_quick = part.zygote, False

    def play(self, scene: Scene, kills: int = 0) -> Played:
        """Run a scene; the learning is killed so many times."""
        self._is_quick = scene.is_quick
        folder = write_sayings(self.folder / "test", scene.tested)
        self.chats.begin(_testers(), consent=False)
        self.hear("before", scene)
        ends, heard = self.teach(scene)
        if len({one.speaker for one in scene.learnt}) >= _SHARED_BY:
            self.hear("corrected", scene)  # names that several people put right are expected from now on
        with self.watch.of("export"):
            self.glas("export")
            messages = [one for one in read_export(self.world.settings.export_dir) if one.reference]
        self.options = ["--test", str(folder), *scene.options]
        if scene.is_personal:
            self.options += ["--speaker", messages[0].speaker]
        self.models_dir.mkdir(parents=True, exist_ok=True)
        # A model of one person answers nobody else.
        testers = [SPEAKERS] if scene.is_personal else _testers()
        with Callers(self.url, scene.tested[0].data, self.models_dir) as callers:
            ended = self.learn(self.options, kills)
            is_forced = ended.outcome is Ended.REFUSED and ended.model is not None
            if is_forced:
                self._force(ended, scene, folder)
            if is_forced or ended.outcome is Ended.PASSED:
                self._await(ended, scene, callers)
            (first,) = self.chats.speak([(testers[0], scene.tested[0])])
        self.hear("after", scene, testers)
        outcome = self._outcome(scene, ended, callers, messages=messages, ends=ends, heard=heard, is_forced=is_forced)
        return Played(outcome, self.texts, first, ended)

    def _force(self, ended: Round, scene: Scene, tested: Path) -> None:
        """Let a refused model answer, against the gate."""
        model = f"whisper:{ended.model}"
        if scene.is_personal:
            options = ("--person", str(SPEAKERS), "--force", "to measure it in the bot")
            self.glas("promote", model, "--data", str(tested), *options)
        else:
            self.glas("models", "use", model)

    def _await(self, ended: Round, scene: Scene, callers: Callers) -> None:
        """Wait until the new model answers its person, or all people."""
        model = f"whisper:{ended.model}"
        if not scene.is_personal:
            self.chats.until(lambda: bool(callers.followed_s), "following the choice", _FOLLOW_S)
            callers.wait_for(model)
            return
        # The server loads it when its person sends something; the champion answers meanwhile.
        log = self.world.part("glas").log
        self.chats.speak([(SPEAKERS, scene.tested[0])])
        self.chats.until(lambda: _is_loaded(log, model), "loading the model of a person", _FOLLOW_S)

    def hear(self, when: str, scene: Scene, people: Sequence[int] = ()) -> None:
        """Send all recordings of the test by people."""
        people = people or _testers()
        with self.watch.of(when):
            sent = [(people[number % len(people)], one) for number, one in enumerate(scene.tested)]
            self.texts[when] = self.chats.speak(sent)
        print(f"WER {when}: {100 * measured(when, self.texts[when], 0).wer:.2f} %", flush=True)  # noqa: T201

    def teach(self, scene: Scene) -> tuple[Counter[str], list[Heard]]:
        """Each voice is a person who agrees to training, speaks, and corrects every text."""
        voices = sorted({one.speaker for one in scene.learnt})
        people = dict(zip(voices, count(SPEAKERS), strict=False))
        self.chats.begin(people.values(), consent=True)
        with self.watch.of("spoken"):
            heard = self.chats.speak([(people[one.speaker], one) for one in scene.learnt])
        with self.watch.of("corrected and rated"):
            ends = self.chats.correct(heard)
        print(f"corrections: {dict(ends)}", flush=True)  # noqa: T201
        return ends, heard

    def learn(self, options: Sequence[str], kills: int = 0) -> Round:
        """Run `glas learn --release`; it is killed so many times at random."""
        command = self._command("learn", "--release", "--weights", str(self.weights), *options)
        part = Part(
            "learn",
            command,
            self.environment,
            self.world.directory,
            zygote=self._zygote,
            is_quick=self._is_quick,
        )
        dice = random.Random(kills)  # noqa: S311 - no secret
        with self.watch.of("learnt"):
            for _ in range(kills):
                self.n_killed += _is_killed(part, n_lines=dice.randint(1, _MOST_LINES), pause_s=dice.uniform(0, 1))
            part.start()
            assert part.process is not None
            try:
                code = part.process.wait()
            finally:
                part.kill()
        tail = part.tail()
        assert code == 0, f"glas learn ended with {code}:\n{tail}"
        rounds = finished_rounds(self.data_dir / "rounds")
        assert rounds, f"glas learn finished no round:\n{tail}"
        return rounds[-1]

    def learn_elsewhere(self, data_dir: Path) -> Round:
        """Learn from a copy of all recordings in a new directory; the system must be stopped."""
        learnt = shutil.ignore_patterns("models", "rounds", "datasets")
        shutil.copytree(self.data_dir, data_dir, ignore=learnt)
        (data_dir / "models").mkdir()
        self.data_dir, self.environment = data_dir, self.environment | {"GLAS_DATA_DIR": str(data_dir)}
        return self.learn(self.options)

    def glas(self, *arguments: str) -> str:
        """Run another command and return its output."""
        part = Part("command", self._command(*arguments), self.environment, self.world.directory, zygote=self._zygote)
        part.log.unlink(missing_ok=True)
        part.start()
        assert part.process is not None
        code, said = part.process.wait(), part.log.read_text(encoding="utf-8")
        assert code == 0, f"glas {' '.join(arguments)}: {said}"
        return said

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "glas", *arguments]

    def _outcome(
        self,
        scene: Scene,
        ended: Round,
        callers: Callers,
        *,
        messages: Sequence[Message],
        ends: Counter[str],
        heard: Sequence[Heard],
        is_forced: bool,
    ) -> Outcome:
        models = list(callers.models)
        return Outcome(
            scene=scene.name,
            is_personal=scene.is_personal,
            n_learnt=len(heard),
            minutes_learnt=sum(one.saying.duration_s for one in heard) / 60,
            corrections=dict(ends),
            ranks=Counter(one.reference.rank.value for one in messages if one.reference),
            measures=[measured(when, texts, self.watch.parts[when]) for when, texts in self.texts.items()],
            difference=difference_of(self.texts["before"], self.texts["after"]),
            learning_s=self.watch.parts["learnt"],
            outcome=ended.outcome.value,
            failed=[one.value for one in ended.failed],
            verdict=_verdict(ended),
            report=ended.report,
            is_forced=is_forced,
            champion_before=models[0] if models else "",
            champion_after=models[-1] if models else "",
            followed_s=callers.followed_s,
            n_asked=callers.n_asked,
            failed_requests=callers.failures,
            answered_by=dict(callers.models),
            seconds=self.watch.parts,
            goal=scene.goal,
        )


def _is_killed(part: Part, *, n_lines: int, pause_s: float) -> bool:
    """Start a process and kill it after a number of lines; return whether it was alive until then."""

    def said() -> int:
        return part.log.read_bytes().count(b"\n") if part.log.exists() else 0

    most = said() + n_lines
    part.start()
    assert part.process is not None
    try:
        while part.process.poll() is None and said() < most:
            time.sleep(0.02)
        time.sleep(pause_s)
        return part.process.poll() is None
    finally:
        part.kill()


def _is_loaded(log: Path, model: str) -> bool:
    """Return whether the log of the server says that a model is in memory."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return any("model loaded" in line and model in line for line in lines)


def _verdict(ended: Round) -> Verdict | None:
    if ended.report is None:
        return None
    return Verdict.model_validate(json.loads((Path(ended.report).parent / FIGURES).read_bytes()))


def _testers() -> list[int]:
    return [_TESTERS + number for number in range(_N_TESTERS)]
