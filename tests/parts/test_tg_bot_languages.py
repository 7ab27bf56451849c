"""A voice message in another language: the bot warns that the text is probably wrong, and says how to change this."""

from glas.domain.people import Locale
from glas.nn_service.app import create_app
from glas.settings import Settings
from glas.tg_bot.talk.languages import language_name
from tests.conftest import Sample
from tests.parts.bots import open_house_with
from tests.parts.test_nn_service_languages import made

PERSON = 5_300_000_001


async def test_another_language_is_told(settings: Settings, samples: list[Sample]) -> None:
    app = create_app(settings, key=None, load=made)
    async with open_house_with(app, settings) as (house, _):
        await house.start(PERSON)
        answer = await house.answer(house.telegram.speak(PERSON, samples[0].path.read_bytes()))
        assert answer["text"].startswith("embedded ru\n\n🌐 Похоже, это не русский язык (английский).")
        assert "/model" in answer["text"]
        assert (await house.row_of(answer)).text == "embedded ru"


def test_languages_without_a_name_have_their_code() -> None:
    assert [language_name(code, Locale.RU) for code in ("en", "xx")] == ["английский", "xx"]
