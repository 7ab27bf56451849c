"""Functions for tests of reviews: speakers, reviewers, and services in which each review or no review is a check."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.review_bodies import ReviewItem
from glas.domain.people import Purpose
from glas.domain.reviews import REVIEWERS_LISTEN_SINCE
from glas.settings import Settings
from tests.parts.voices import open_db_assist, someone


async def a_speaker(client: DbAssistClient, version: str = REVIEWERS_LISTEN_SINCE) -> int:
    """A person who agrees to training, by a given version of the text."""
    tg_id = someone()
    await client.register(tg_id)
    await client.set_consent(tg_id, Purpose.TRAINING, granted=True, text_version=version)
    return tg_id


async def a_reviewer(client: DbAssistClient) -> int:
    """A person who is a reviewer."""
    tg_id = someone()
    await client.register(tg_id)
    assert (await client.set_reviewer(tg_id, is_reviewer=True)).is_reviewer
    return tg_id


async def taken(client: DbAssistClient, reviewer: int) -> ReviewItem:
    """Return the message that a reviewer gets."""
    item = await client.next_review(reviewer)
    assert item is not None
    return item


@pytest.fixture
async def checked(database_settings: Settings) -> AsyncIterator[DbAssistClient]:
    """db_assist in which each review is a check if possible."""
    async with opened_with(database_settings, review_check_every=1) as client:
        yield client


@pytest.fixture
async def unchecked(database_settings: Settings) -> AsyncIterator[DbAssistClient]:
    """db_assist in which no review is a check."""
    async with opened_with(database_settings, review_check_every=0) as client:
        yield client


@asynccontextmanager
async def opened_with(settings: Settings, **changes: float) -> AsyncIterator[DbAssistClient]:
    """Open db_assist with other rules."""
    rules = settings.db_assist.model_copy(update=changes)
    async with open_db_assist(settings.model_copy(update={"db_assist": rules})) as client:
        yield client
