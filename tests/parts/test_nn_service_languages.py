"""Messages in another language: recognised by a model that knows it, or answered with a warning."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import ModelLoadError
from glas.domain.transcription import Hypothesis, Samples, Segment
from glas.engines import Engine
from glas.engines.catalogue import local_directory
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import Settings
from tests.conftest import Sample

BASE = "whisper:openai/whisper-base"
ADDRESS = "/v1/audio/transcriptions"


class Writer:
    """An engine that writes its name and the requested language; if asked, it detects English in all speech."""

    def __init__(self, name: str, languages: Sequence[str]) -> None:
        self.name = name
        self.window_s = 30.0
        self.abilities = Abilities(languages=frozenset(languages))
        self.heard: list[DecodingOptions] = []

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        self.heard.append(options)
        language = options.language or "ru"
        foreign = "en" if options.checks_language and language != "en" else None
        return [self._hypothesis(samples.size / 16_000, language, foreign) for samples in batch]

    def _hypothesis(self, duration_s: float, language: str, foreign: str | None) -> Hypothesis:
        text = f"{self.name.rpartition('/')[2]} {language}"
        segment = Segment(start_s=0, end_s=duration_s, text=text)
        return Hypothesis(
            text=text, duration_s=duration_s, segments=(segment,), language=language, foreign=foreign, model=self.name
        )

    def close(self) -> None:
        pass


def made(name: str) -> Engine:
    return Writer(name, ("ru", "en") if name == BASE else ("ru",))


def put_base(settings: Settings) -> None:
    """Write files with the names of the files of whisper-base."""
    directory = local_directory(settings.models_dir, BASE)
    directory.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (directory / name).touch()


@asynccontextmanager
async def running(settings: Settings, load: Callable[[str], Engine] = made) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, key=None, load=load)
    async with entered([app]), open_http(url=None, app=app) as http:
        yield http


@pytest.fixture
def said(samples: list[Sample]) -> bytes:
    return samples[0].path.read_bytes()


async def asked(http: httpx.AsyncClient, data: bytes, **form: str) -> httpx.Response:
    return await http.post(ADDRESS, files={"file": data}, data={"response_format": "verbose_json", **form})


async def test_a_model_that_knows_the_language_writes_it(settings: Settings, said: bytes) -> None:
    put_base(settings)
    async with running(settings) as http:
        body = (await asked(http, said)).json()
        assert (body["text"], body["language"], body["model"]) == ("whisper-base en", "english", BASE)
        assert body["warning"] is None
        events = (await asked(http, said, stream="true")).text
        assert "embedded" not in events, "nothing of the first attempt was told"
        assert (await http.post("/predict", files={"file": said})).json() == {"prediction": "whisper-base en"}


async def test_without_such_a_model_the_answer_says_so(settings: Settings, said: bytes) -> None:
    async with running(settings) as http:
        body = (await asked(http, said)).json()
        assert (body["text"], body["language"], body["model"]) == ("embedded ru", "english", "embedded")
        assert (body["warning"]["code"], body["warning"]["language"]) == ("language_not_written", "en")
        assert (await NnServiceClient(http).transcribe(said)).hypothesis.foreign == "en"


async def test_a_model_that_cannot_be_loaded_is_done_without(settings: Settings, said: bytes) -> None:
    put_base(settings)

    def load(name: str) -> Engine:
        if name == BASE:
            raise ModelLoadError("the files are damaged")
        return made(name)

    async with running(settings, load) as http:
        body = (await asked(http, said)).json()
        assert (body["text"], body["warning"]["language"]) == ("embedded ru", "en")


async def test_a_language_that_is_named_is_believed(settings: Settings, said: bytes) -> None:
    put_base(settings)
    async with running(settings) as http:
        russian = (await asked(http, said, language="ru")).json()
        assert (russian["text"], russian["language"], russian["warning"]) == ("embedded ru", "russian", None)
        english = (await asked(http, said, language="en")).json()
        assert (english["text"], english["model"]) == ("whisper-base en", BASE)
        refused = await asked(http, said, language="en", model="embedded")
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "language")


async def test_a_multilingual_default_model_writes_it_itself(settings: Settings, said: bytes) -> None:
    put_base(settings)
    loaded: list[str] = []

    def load(name: str) -> Engine:
        loaded.append(name)
        return made(name)

    async with running(settings.model_copy(update={"model": BASE}), load) as http:
        assert (await asked(http, said)).json()["text"] == "whisper-base en"
    assert loaded == [BASE]
