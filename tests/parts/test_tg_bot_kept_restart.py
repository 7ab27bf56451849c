"""The recognition is stored even if the process was ended before that."""

from glas.domain.object_keys import recognition_key, transcription_key
from glas.settings import Settings
from tests.parts.bots import open_house
from tests.parts.corrections import HEARD
from tests.parts.kept import OGG, pressed, speak
from tests.parts.recogniser import open_recogniser
from tests.telegram.server import TelegramServer

ANNA = 5_900_000_001


async def test_a_crash_between_text_and_recognition_loses_nothing(settings: Settings) -> None:
    """After the crash the recognition is stored, and nothing is recognised again."""
    async with open_recogniser() as recogniser:
        speak(recogniser, HEARD)
        with TelegramServer() as telegram:
            async with open_house(settings, telegram, recogniser.client) as house:
                await house.start(ANNA)
                first = await house.archived(await house.answer(telegram.speak(ANNA, OGG)))
                store = settings.data_dir / "s3"
                # A directory in its place: the object cannot be written.
                obstacle = store / recognition_key(first.id + 1)
                obstacle.mkdir(parents=True)
                answer = await house.answer(telegram.speak(ANNA, OGG))
                await house.until((store / transcription_key(first.id + 1)).exists, "the text in the store")
                row = await house.row_of(answer)
                assert (row.id, row.audio_key) == (first.id + 1, None)
            obstacle.rmdir()
            n_before = recogniser.n_transcribed
            async with open_house(settings, telegram, recogniser.client) as house:
                row = await house.archived(answer)
                kept = await house.services.data_loader.fetch_recognition(row.id)
                assert kept is not None
                assert kept.recognition.hypothesis.text == row.text == HEARD
                assert "пятнадцать" in await pressed(house, ANNA, answer)
            assert recogniser.n_transcribed == n_before
