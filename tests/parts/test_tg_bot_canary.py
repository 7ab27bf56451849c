"""A candidate answers a share of people, each of them always by the same model, until its ratings end the trial."""

import asyncio
import itertools

import pytest

from glas.clients.model_record_bodies import ModelEntry
from glas.clients.nn_service import NnServiceClient
from glas.domain.canary import chosen_buckets
from glas.domain.messages import Transcription
from glas.domain.model_records import ModelState
from glas.domain.ratings_watch import FEWEST_BEFORE
from glas.engines.candidate import CandidateChoice, choose_candidate, chosen_candidate
from glas.engines.catalogue import AUTO
from glas.nn_service.app import create_app
from glas.settings import BotSettings, Settings
from glas.tg_bot.voices.pseudonyms import Pseudonyms
from tests.models.swapped import write_two
from tests.parts.bots import House, open_house_with
from tests.parts.rated import rate

SHARE = 0.5
TIMEOUT_S = 30
IDS = itertools.count(5_700_000_001)


async def said(house: House, person: int, data: bytes, file: str) -> Transcription:
    """Return the row of a voice message when its recording is archived."""
    return await house.archived(await house.answer(house.telegram.speak(person, data, file_id=file)))


async def second_of(house: House, row: Transcription, model: str) -> None:
    """Wait for the second hypothesis of a message."""
    for _ in range(10 * TIMEOUT_S):
        found = await house.services.db_assist.second_hypothesis(row.id)
        if found is not None:
            assert (found.model, found.text != row.text) == (model, True)
            return
        await asyncio.sleep(0.1)
    pytest.fail("a message has no second text")


async def until_tried(client: NnServiceClient, *, is_tried: bool) -> None:
    for _ in range(10 * TIMEOUT_S):
        if (await client.candidate() is not None) == is_tried:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"after {TIMEOUT_S} s a candidate is tried: {not is_tried}")


async def until_ended(settings: Settings) -> None:
    """Wait until there is no candidate any more."""
    for _ in range(10 * TIMEOUT_S):
        if chosen_candidate(settings.models_dir) is None:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"after {TIMEOUT_S} s the candidate is still chosen")


async def test_each_person_meets_one_model_until_it_is_taken_back(settings: Settings, short_wav: bytes) -> None:
    names = write_two(settings.models_dir)
    own = settings.model_copy(update={"model": AUTO, "bot": BotSettings(announce_s=0.3)})
    app = create_app(own, key=None)
    async with open_house_with(app, own) as (house, http):
        client, db_assist = NnServiceClient(http), house.services.db_assist
        choose_candidate(CandidateChoice(model=names[1], share=SHARE, shadow_share=1), own.models_dir)
        await until_tried(client, is_tried=True)
        mine, pseudonyms = chosen_buckets(names[1], SHARE), Pseudonyms(house.telegram.token)
        many = list(itertools.islice(IDS, 100))
        meets = next(person for person in many if pseudonyms.bucket(person) in mine)
        others = next(person for person in many if pseudonyms.bucket(person) not in mine)
        for person, model in ((meets, names[1]), (others, names[0])):
            await house.start(person)
            rows = []
            for file, is_new in (("one", True), ("two", True), ("one", False)):
                rows.append(await said(house, person, short_wav, file))
                if is_new:
                    await second_of(house, rows[-1], names[model == names[0]])
            assert {row.model for row in rows} == {model}
            assert len({row.text for row in rows}) == 1
        tried, champion = await client.candidate(), (await client.health()).served
        assert tried is not None
        assert champion is not None
        entry = ModelEntry(**tried.ref.model_dump(), state=ModelState.CANDIDATE, operator="somebody")
        await db_assist.record_model(entry)
        await rate(own, champion, bad=FEWEST_BEFORE // 10, good=FEWEST_BEFORE * 9 // 10)
        await rate(own, tried.ref, bad=30, good=30)
        await until_tried(client, is_tried=False)
        await until_ended(own)
        record = await db_assist.model(tried.ref)
        assert record is not None
        assert (record.state, record.decisions[-1].operator) == (ModelState.REFUSED, "tg_bot")
        assert (await said(house, meets, short_wav, "three")).model == names[0]
        choose_candidate(CandidateChoice(model=names[1], share=SHARE), own.models_dir)
        await until_ended(own)  # it is refused, as an administrator may refuse one
