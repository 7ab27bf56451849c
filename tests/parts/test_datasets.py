"""Dataset versions from a real export: their contents, their splits, and what is left when people delete their data."""

import json
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.data_loader.record import pseudonym, split_of
from glas.domain.errors import DataSetError
from glas.domain.messages import Score
from glas.domain.people import Purpose
from glas.domain.reviews import REVIEWERS_LISTEN_SINCE, Verdict
from glas.domain.splits import Split
from glas.training.datasets import Version, open_dataset, read_version
from glas.training.datasets.making import BOTH_SIDES, NO_TARGET, NOT_FOR_TESTS, MadeVersion, Rules, make_version
from tests.parts.export_world import World
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import voices as voices  # noqa: PLC0414
from tests.parts.export_world import world as world  # noqa: PLC0414

HEARD = "что та сказана"
SAID = "что-то было сказано"
ALL_TRAIN = Rules(test_share=0, dev_share=0)


def made(world: World, rules: Rules = ALL_TRAIN) -> MadeVersion:
    """A version of the world's export."""
    return make_version(world.directory, folder(world), rules)


def folder(world: World) -> Path:
    """The directory of the versions."""
    return world.directory.parent / "datasets"


def sides(version: Version) -> dict[int, Split]:
    """Return the split of each message."""
    return {entry.id: entry.split for entry in version.entries}


async def _said(world: World, speaker: int, audio: bytes, text: str = SAID) -> int:
    """Make a message with a reference by its author."""
    number = await world.message(speaker, audio, HEARD if text == SAID else text)
    await world.correct(number, speaker, text)
    return number


async def test_what_is_learnt(world: World, voices: list[bytes]) -> None:
    """References, certain hypotheses with perfect rating, recordings without speech, and no bad recordings."""
    speaker, reviewer = await world.person(1), await world.person(2, consents=False)
    await world.db_assist.set_consent(speaker, Purpose.TRAINING, granted=True, text_version=REVIEWERS_LISTEN_SINCE)
    await world.db_assist.set_reviewer(reviewer, is_reviewer=True)
    told = {}
    for verdict in (Verdict.CORRECT, Verdict.NOT_SPEECH, Verdict.BAD_AUDIO):
        told[verdict] = await world.message(speaker, voices[0], HEARD)
        assert (await world.db_assist.next_review(reviewer)) is not None
        words = SAID if verdict is Verdict.CORRECT else None
        await world.db_assist.review(told[verdict], reviewer, verdict, words)
        await world.rate(told[verdict], speaker, Score.BEST)
    author = await _said(world, speaker, voices[1])
    perfect, bad, unrated = [await world.message(speaker, voices[2], HEARD) for _ in range(3)]
    await world.rate(perfect, speaker, Score.BEST)
    await world.rate(bad, speaker, Score.BAD)
    await world.export()
    sure = made(world, Rules(test_share=0, dev_share=0, min_confidence=0.5))
    assert {entry.id: entry.rank for entry in sure.version.entries} == {
        told[Verdict.CORRECT]: "reviewer",
        told[Verdict.NOT_SPEECH]: "reviewer",
        author: "author",
        perfect: "hypothesis",
    }
    assert sure.left_out == {NO_TARGET: len([told[Verdict.BAD_AUDIO], bad, unrated])}
    dataset = open_dataset(world.directory, sure.version)
    assert sorted(one.text for one in dataset.train) == ["", HEARD, SAID, SAID]
    for example in dataset.train:
        with wave.open(str(example.audio)) as audio:
            assert audio.getframerate() == 16_000
    unsure = made(world)
    assert unsure.left_out[NO_TARGET] == sure.left_out[NO_TARGET] + 1
    assert unsure.version.min_confidence == 0.9


async def test_a_version_holds_no_words(world: World, voices: list[bytes]) -> None:
    """A version cannot be changed: equal content is an equal file, and changed content is noticed."""
    await _said(world, await world.person(1), voices[0])
    await world.export()
    first = made(world)
    content = first.path.read_bytes()
    for secret in (SAID, HEARD, "сказано", str(world.directory)):
        assert secret.encode() not in content
        assert json.dumps(secret).strip('"').encode() not in content
    assert made(world).path == first.path
    assert [path.name for path in folder(world).iterdir()] == [f"{first.version.name}.json"]
    assert read_version(folder(world), first.version.name) == first.version
    first.path.write_bytes(content.replace(b"author", b"agreed"))
    with pytest.raises(DataSetError, match="changed"):
        read_version(folder(world), first.version.name)
    for name in ("0123456789abcdef", "../index", ""):
        with pytest.raises(DataSetError, match="expected a version of the dataset"):
            read_version(folder(world), name)


async def test_who_leaves_is_gone_from_old_versions(world: World, voices: list[bytes]) -> None:
    """Messages that were deleted, withdrawn, corrected again or damaged are counted and not read."""
    people = [await world.person(number) for number in range(5)]
    numbers = [await _said(world, person, voices[0], f"{SAID} {person}") for person in people]
    await world.export()
    old = made(world).version
    assert len(open_dataset(world.directory, old).train) == len(people)
    gone = frozenset(entry.speaker for entry in old.entries if entry.id in numbers[:2])
    await world.db_assist.forget(people[0])
    await world.consent(people[1], granted=False)
    await world.correct(numbers[2], people[2], f"{SAID} давно")
    await world.export()
    (wav,) = world.directory.glob(f"*/{numbers[3]}/*.wav")
    wav.unlink()
    wav.write_bytes(b"other sound")
    dataset = open_dataset(world.directory, old)
    assert [one.text for one in dataset.train] == [f"{SAID} {people[4]}"]
    assert (dataset.n_gone, dataset.n_changed, dataset.gone_speakers) == (2, 2, gone)
    assert sides(made(world).version).keys() == set(numbers[2:])


async def test_a_test_grows_and_is_never_learnt_from(world: World, voices: list[bytes]) -> None:
    """This is true for all shares; no speaker of training data gets into a test set."""
    people = [await world.person(number) for number in range(6)]
    numbers = [await _said(world, person, voices[0]) for person in people]
    await world.export()
    half = made(world, Rules(test_share=0.5, dev_share=0.2)).version
    before = sides(half)
    by_speaker = {entry.speaker: entry.split for entry in half.entries}
    assert {Split.TRAIN, Split.TEST} <= set(before.values())
    for speaker, side in by_speaker.items():
        assert (side is Split.TEST) == (split_of(speaker, test_share=0.5) == "test")
    more = [await _said(world, person, voices[1]) for person in people]
    for share in (0.0, 0.95):
        await world.export()
        later = made(world, Rules(test_share=share, dev_share=0)).version
        assert before.items() <= sides(later).items()
        assert {entry.speaker: entry.split for entry in later.entries} == by_speaker
    assert sides(later).keys() == {*numbers, *more}


async def test_hypotheses_are_not_measured_with(world: World, voices: list[bytes]) -> None:
    """A model must not be measured by its own words, nor by recordings without speech."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0], HEARD)
    await world.rate(number, speaker, Score.BEST)
    tested = await _said(world, speaker, voices[1])
    await world.export()
    (replayed,) = list(world.directory.glob(f"*/{tested}"))
    rules = Rules(test_share=0.999999, dev_share=0, min_confidence=0.1, non_speech=[replayed])
    version = made(world, rules)
    assert (sides(version.version), version.left_out) == ({tested: Split.TEST}, {NOT_FOR_TESTS: 1})


async def test_a_dataset_for_one_person_is_divided_by_texts(world: World, voices: list[bytes]) -> None:
    """Equal words are in one split; a message is left out if its new words belong to the other split."""
    anna, boris = await world.person(1), await world.person(2)
    texts = [
        f"что-то было сказано {word}" for word in ("раз", "два", "три", "сейчас", "потом", "вчера", "тихо", "громко")
    ]
    numbers = [await _said(world, anna, voices[0], text) for text in texts]
    twins = [await _said(world, anna, voices[1], text.upper() + "!") for text in texts]
    await _said(world, boris, voices[0])
    await world.export()
    (mine,) = {world.record(folder)["speaker"] for folder in world.folders() if folder == f"0/{numbers[0]}"}
    rules = Rules(test_share=0.4, dev_share=0, speaker=mine)
    version = made(world, rules).version
    found = sides(version)
    assert {entry.speaker for entry in version.entries} == {mine}
    assert [found[one] for one in numbers] == [found[one] for one in twins]
    tested = next(one for one in numbers if found[one] is Split.TEST)
    learnt = next(text for one, text in zip(numbers, texts, strict=True) if found[one] is Split.TRAIN)
    await world.correct(tested, anna, learnt)
    await world.export()
    later = made(world, rules)
    assert tested not in sides(later.version)
    assert later.left_out[BOTH_SIDES] == 1
    assert made(world, Rules(test_share=0, dev_share=0)).version.speaker is None


async def test_replay(world: World, voices: list[bytes], tmp_path: Path) -> None:
    """Recordings with texts, as `glas evaluate` reads them, and sounds without speech; other content is an error."""
    await _said(world, await world.person(1), voices[0])
    await world.export()
    read, noise = tmp_path / "read", tmp_path / "noise" / "street"
    for place in (read, noise):
        place.mkdir(parents=True)
        (place / "one.ogg").write_bytes(voices[1])
    (read / "metadata.jsonl").write_text('{"file_name": "one.ogg", "text": "раз два"}\n', encoding="utf-8")
    version = made(world, Rules(test_share=0, replay=[read], non_speech=[noise.parent])).version
    replayed = open_dataset(world.directory, version).train[1:]
    assert [(one.text, one.speaker, one.rank) for one in replayed] == [
        ("раз два", "replay:read", "replay"),
        ("", "replay:noise", "replay"),
    ]
    (noise / "one.ogg").write_bytes(voices[2])
    with pytest.raises(DataSetError, match="others"):
        open_dataset(world.directory, version)
    with pytest.raises(DataSetError, match="sounds"):
        made(world, Rules(non_speech=[tmp_path / "nothing"]))


async def test_without_recordings_there_is_no_version(world: World, voices: list[bytes]) -> None:
    """There is also no version without an export, or if the shares leave no recordings for training."""
    with pytest.raises(DataSetError, match="manifest"):
        made(world)
    await world.message(await world.person(1), voices[0])
    await world.export()
    with pytest.raises(DataSetError, match="learn"):
        made(world)
    with pytest.raises(DataSetError, match="shares"):
        made(world, Rules(test_share=0.8, dev_share=0.3))
    assert not folder(world).exists()


@pytest.fixture
async def shown(world: World, voices: list[bytes], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that the command line can open."""
    monkeypatch.setenv("GLAS_DATA_DIR", str(world.directory.parent))
    monkeypatch.setenv("GLAS_DATA_LOADER__TEST_SHARE", "0")
    await _said(world, await world.person(1), voices[0])
    await world.export()
    return world


async def test_the_command(shown: World) -> None:
    """The command makes a version, shows it, and counts speakers who have left since."""
    run = CliRunner().invoke(app, ["dataset", "make", "--dev-share", "0"])
    assert run.exit_code == 0, run.output
    assert "train: записей 1" in run.output
    assert "автор 1" in run.output
    (path,) = folder(shown).iterdir()
    (speaker,) = read_version(folder(shown), path.stem).speakers
    for arguments in ([], ["--speaker", speaker]):
        listed = CliRunner().invoke(app, ["dataset", "show", *arguments]).output
        assert f"{path.stem}  для всех: train 1, dev 0, test 0" in listed
    assert "нет" in CliRunner().invoke(app, ["dataset", "show", "--speaker", pseudonym(10**6)]).output
    await shown.consent(5_000_000_001, granted=False)
    await shown.export()
    listed = CliRunner().invoke(app, ["dataset", "show"]).output
    assert "говорящих больше нет в выгрузке: 1" in listed
    left = CliRunner().invoke(app, ["dataset", "show", path.stem]).output
    assert "ушло из выгрузки записей: 1" in left
    assert speaker in left
    failed = CliRunner().invoke(app, ["dataset", "show", "0123456789abcdef"])
    assert failed.exit_code == 1
