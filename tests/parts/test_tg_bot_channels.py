"""Voice messages in a channel, in which no person is known."""

import pytest

from glas.domain.errors import NotFoundError
from tests.parts.bots import House, texts_of_buttons
from tests.parts.test_tg_bot_groups import OGG, n_users
from tests.parts.test_tg_bot_groups import group as group  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.test_tg_bot_groups import house_settings as house_settings  # noqa: PLC0414
from tests.telegram.methods import FIRST_CHANNEL, chat_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_channel_is_answered_and_nothing_is_kept(house: House, group: int) -> None:
    """Posts have no sender: they are answered without a name, not stored, and share one limit."""
    channel = FIRST_CHANNEL - -group
    n_before = await n_users(house)
    posts = [house.telegram.post(channel, OGG) for _ in range(4)]
    answers = [await house.answer(post) for post in posts[:3]]
    assert [(one["text"], texts_of_buttons(one)) for one in answers] == [("привет", [])] * 3
    assert await n_users(house) == n_before
    for answer in answers:
        with pytest.raises(NotFoundError):
            await house.row_of(answer)
    # The setting of this house: three a minute.
    await house.answer(house.telegram.speak(1, OGG, chat=group))
    assert len(house.telegram.answers(channel)) == 3


async def test_a_channel_in_which_the_bot_may_not_write_is_let_be(house: House, group: int) -> None:
    """After Telegram's refusal nothing is repeated; others are answered."""
    channel = FIRST_CHANNEL - -group
    house.telegram.world.forbidden[channel] = frozenset({"text messages"})
    house.telegram.post(channel, OGG)
    await house.answer(house.telegram.speak(1, OGG, chat=group))
    assert house.telegram.answers(channel) == []


async def test_bytes_that_are_not_archived_leave_the_memory_at_once(house: House, group: int) -> None:
    """The same recording again is downloaded again."""
    for _ in range(2):
        said = house.telegram.speak(1, OGG, chat=group, file_id="anonymous", speaking_as=chat_of(group))
        assert (await house.answer(said))["text"].endswith("привет")
    path = house.telegram.world.files["anonymous"].path
    downloads = [
        call for call in house.telegram.world.calls if call.method == "download" and call.params["path"] == path
    ]
    assert len(downloads) == 2
