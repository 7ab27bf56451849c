"""The second hypothesis of a message: at most one, part of `/mydata`, and deleted with the message."""

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import InvalidParameterError, NotFoundError
from glas.domain.transcription import Hypothesis
from tests.parts.voices import HEARD, send, someone


def written(text: str, version: str = "1" * 12) -> Hypothesis:
    return Hypothesis(text=text, duration_s=1.0, model="onnx:other", model_version=version)


async def test_it_is_kept_replaced_and_deleted_with_its_message(db_assist: DbAssistClient) -> None:
    speaker = someone()
    await db_assist.register(speaker)
    kept, deleted = [(await send(db_assist, speaker)).id for _ in range(2)]
    assert await db_assist.second_hypothesis(kept) is None
    for text in ("первый", "второй", "второй"):
        await db_assist.store_second_hypothesis(kept, written(text))
    await db_assist.store_second_hypothesis(deleted, written(""))
    found = await db_assist.second_hypothesis(kept)
    assert found is not None
    assert (found.text, found.model, found.model_version) == ("второй", "onnx:other", "1" * 12)
    assert (await db_assist.transcription(kept)).text == HEARD
    told = (await db_assist.export_user(speaker)).second_hypotheses
    assert [(one.transcription_id, one.text) for one in told] == [(kept, "второй"), (deleted, "")]
    await db_assist.delete_message(deleted, speaker)
    assert await db_assist.second_hypothesis(deleted) is None
    await db_assist.forget(speaker)
    assert await db_assist.second_hypothesis(kept) is None
    with pytest.raises(NotFoundError):
        await db_assist.store_second_hypothesis(kept, written("третий"))


async def test_it_names_the_weights_that_wrote_it(db_assist: DbAssistClient) -> None:
    speaker = someone()
    await db_assist.register(speaker)
    number = (await send(db_assist, speaker)).id
    with pytest.raises(InvalidParameterError):
        await db_assist.store_second_hypothesis(number, written("да", version=""))
