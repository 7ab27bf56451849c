"""Test the loop of learning through the bot: speech, corrections, training, release, and better texts.

`make test` plays it with one synthetic voice and nine sentences. `make loop` plays the scene that the environment
names, and writes what came of it into LOOP_OUT:

    LOOP_LEARN=FOLDER LOOP_TEST=FOLDER   one voice: the first is said and corrected, the second is measured
    LOOP_CHANNEL=telephone               both on a bad telephone line
    (neither)                            sixty names in thirty voices; LOOP_RHVOICE=FOLDER: those of RHVoice
    LOOP_GUARD, LOOP_KEEP, LOOP_REPLAY   directories, with a colon between several
    LOOP_MINUTES, LOOP_TESTS             use so many minutes of the first, so many recordings of the second
    LOOP_OPTIONS, LOOP_WEIGHTS           further options of `glas learn`; the official weights

LOOP_KILLS=100 plays the short form; `glas learn` is killed so often at random, and must end in the same model as one
that nobody disturbs.
"""

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.domain.metrics import error_rates
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.catalogue import embedded_directory, named_champion
from glas.engines.language_model import LanguageModel
from glas.recognition.lineage import read_lineage
from glas.system.files import sha256_of
from glas.training.finetune.recipe import FinetuneRecipe, FitOptions, write_recipe
from glas.training.rounds import Outcome as Ended
from glas.training.rounds import finished_rounds
from glas.training.sound.channel import encode_opus
from glas.training.voices.espeak import Espeak
from tests.speech import speak
from tests.system.forking import Zygote
from tests.system.loop_outcome import page_of, write_outcome
from tests.system.loop_sayings import (
    LEARNT,
    STRANGER,
    TESTED,
    VOICE_BPS,
    Saying,
    on_the_telephone,
    said_in,
    sayings_with_names,
    some_of,
)
from tests.system.loop_scenes import SPEAKERS, UNLIMITED, Played, Scene, Stage
from tests.system.worlds import World, embedded_world
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID

IS_LONG = "LOOP_OUT" in os.environ
HAS_KILLS = "LOOP_KILLS" in os.environ
KILLS = int(os.environ.get("LOOP_KILLS", "0"))
# Few clips are enough if they are learnt in large steps. A killed training goes on from a checkpoint.
_SHORT = FinetuneRecipe(
    fit=FitOptions(epochs=3, batch_size=2, learning_rate=6e-4, checkpoints=6 if HAS_KILLS else 2), shares=(1.0,)
)
_LONG = ("--least-minutes", "1")
_TIMEOUT_S = 12 * 3600 if IS_LONG or HAS_KILLS else 1200


@contextmanager
def playing(
    scene: Scene, weights: Path, folder: Path, zygote: Zygote, kills: int = 0
) -> Iterator[tuple[Played, Stage]]:
    """Start the system and run a scene on it; the learning is killed so many times."""
    folder.mkdir(parents=True, exist_ok=True)
    with TelegramServer() as telegram, embedded_world(folder / "world", telegram, UNLIMITED, zygote=zygote) as world:
        stage = Stage(world, weights, folder)
        yield stage.play(scene, kills), stage


async def check(played: Played, world: World) -> None:
    """No request was refused, and a model that passed answers the next message."""
    outcome = played.outcome
    assert outcome.failed_requests == []
    assert outcome.n_asked > 0
    assert not any(one.n_failures for one in outcome.measures)
    assert sum(outcome.corrections[end] for end in ("corrected", "asked", "right")) == outcome.n_learnt
    assert outcome.corrections.get("failed", 0) == 0
    assert world.telegram.violations().before_retry_after == 0
    if played.round.candidate is None:
        return
    is_released = outcome.outcome == Ended.PASSED or outcome.is_forced
    serves = named_champion(world.settings.models_dir) == f"whisper:{played.round.model}"
    assert serves == (is_released and not outcome.is_personal)
    world.stop()
    first = played.first_after
    async with world.look() as doors:
        row = await doors.db_assist.by_message(BOT_ID, first.person, first.answer["message_id"])
    assert row.model_version == played.round.candidate.version


def check_model(folder: Path) -> None:
    """The model is complete, and its files name its training data."""
    names = {path.name for path in folder.iterdir()}
    assert {"model.bin", "lm.npz", "calibration.json", "adapter", "README.md", "curves.svg", "SHA256SUMS"} <= names
    said, before, after = " ".join(LEARNT), *(LanguageModel(one / "lm.npz") for one in (embedded_directory(), folder))
    assert sum(after.logprobs(said)) > sum(before.logprobs(said)), "the words of the corrections are more probable"
    lineage = read_lineage(folder)
    assert lineage is not None
    assert lineage.base.name == embedded_directory().name
    assert (len(lineage.speakers), len(lineage.recordings), len(lineage.texts)) == (1, len(LEARNT), len(LEARNT))


def check_news(news: str) -> None:
    """The text by the new model is nearer to a sentence that the person said than the text by the previous model."""
    before, after = (news.partition(f"{title}:\n")[2].partition("\n\n")[0] for title in ("Было", "Стало"))
    rates = [min(error_rates([said], [text]).wer for said in LEARNT) for text in (before, after)]
    assert rates[1] < rates[0], news


def weights_of(folder: Path) -> dict[str, str]:
    """Return the hashes of the files that determine the texts of a model. Other files contain times and memory."""
    files = [path for path in folder.rglob("*") if path.suffix in (".bin", ".safetensors", ".npz")]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def spoken(texts: tuple[str, ...]) -> list[Saying]:
    """Return sentences of one synthetic voice."""
    espeak, found = Espeak(), []
    for text in texts:
        samples = speak(espeak, text, STRANGER)
        found.append(Saying(text, "robot", encode_opus(samples, VOICE_BPS), len(samples) / SAMPLE_RATE_HZ))
    return found


@pytest.mark.slow
@pytest.mark.timeout(_TIMEOUT_S)
@pytest.mark.skipif(IS_LONG, reason="the long form is asked for")
async def test_corrections_become_a_better_model(whisper_base: Path, zygote: Zygote, tmp_path: Path) -> None:
    """A voice with many errors gets an own model; LOOP_KILLS kills the training.

    It answers this voice and nobody else. Then it is retired, and the next round leaves it so.
    """
    write_recipe(tmp_path / "recipe.toml", _SHORT)
    options = ("--least-minutes", "0", "--recipe", str(tmp_path / "recipe.toml"))
    scene = Scene("short", spoken(LEARNT), spoken(TESTED), is_personal=True, options=options, is_quick=True)
    with playing(scene, whisper_base, tmp_path, zygote, KILLS) as (played, stage):
        outcome = played.outcome
        assert outcome.outcome == Ended.PASSED, page_of(outcome)
        assert outcome.gain > 0, page_of(outcome)
        assert played.round.candidate is not None
        assert str(played.round.candidate) not in outcome.answered_by, "others have met a model of one person"
        assert str(played.round.candidate) in stage.glas("models", "own")
        assert finished_rounds(stage.data_dir / "rounds") == [played.round]
        check_news(stage.chats.told(SPEAKERS, "Теперь ваши голосовые распознаёт модель"))
        check_model(Path(str(played.round.model)))
        weights = weights_of(Path(str(played.round.model)))
        await check(played, stage.world)
        stage.glas("models", "own", "--retire", "1")
        assert stage.learn(stage.options) == played.round
        assert str(played.round.candidate) not in stage.glas("models", "own"), "a retired model is given again"
        if HAS_KILLS:
            undisturbed = stage.learn_elsewhere(tmp_path / "elsewhere")
            assert weights_of(Path(str(undisturbed.model))) == weights
            assert len(weights) == 3
            print(f"{stage.n_killed} kills, the same weights: {weights['model.bin']}")  # noqa: T201


def folders(name: str) -> list[str]:
    """Return the directories in a variable."""
    return [place for place in os.environ.get(name, "").split(":") if place]


def scene_of_environment() -> Scene:
    """Return the scene that the environment defines."""
    options = [*_LONG]
    for option in ("guard", "keep", "replay"):
        for place in folders(f"LOOP_{option.upper()}"):
            options += [f"--{option}", place]
    options += shlex.split(os.environ.get("LOOP_OPTIONS", ""))
    if "LOOP_LEARN" not in os.environ:
        rhvoice = os.environ.get("LOOP_RHVOICE")
        learnt, tested = sayings_with_names(Path(rhvoice) if rhvoice else None)
        name = "names"
    else:
        learnt, tested = (said_in(Path(os.environ[name])) for name in ("LOOP_LEARN", "LOOP_TEST"))
        name = os.environ.get("LOOP_CHANNEL", "one voice")
        if "LOOP_MINUTES" in os.environ:
            learnt = some_of(learnt, float(os.environ["LOOP_MINUTES"]))
        tested = tested[: int(os.environ.get("LOOP_TESTS", len(tested)))]
        if name == "telephone":
            learnt, tested = on_the_telephone(learnt, 1), on_the_telephone(tested, 2)
    is_personal = len({one.speaker for one in learnt}) == 1
    goal = 0.12 if name == "one voice" else 0.2
    return Scene(name, learnt, tested, is_personal, tuple(options), goal)


def folder_of_environment() -> Path:
    """Return the directory for the outcome."""
    folder = Path(os.environ["LOOP_OUT"]).resolve()
    assert not (folder / "world").exists(), f"{folder} holds an earlier run: name another folder"
    return folder


@pytest.mark.slow
@pytest.mark.timeout(_TIMEOUT_S)
@pytest.mark.skipif(not IS_LONG, reason="plays with LOOP_OUT; see `make loop`")
async def test_the_scene_of_the_environment(request: pytest.FixtureRequest, zygote: Zygote) -> None:
    """The error rates are written but not asserted, because they measure quality, not correctness."""
    weights = os.environ.get("LOOP_WEIGHTS") or request.getfixturevalue("whisper_base")
    scene, folder = scene_of_environment(), folder_of_environment()
    with playing(scene, Path(weights), folder, zygote) as (played, stage):
        outcome = played.outcome
        if outcome.report:
            shutil.copytree(Path(outcome.report).parent, folder / "report")
        page = write_outcome(folder, outcome, played.texts)
        print(f"{page_of(outcome)}\n{page}")  # noqa: T201 - what `make loop` is for
        await check(played, stage.world)
