"""The pages with real services, in a thread of this process, and recordings that wait for reviewers."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn

from glas.domain.kept import KeptRecognition
from glas.domain.transcription import Hypothesis, Recognition, Segment, Word
from glas.settings import Settings
from tests.conftest import Sample
from tests.parts.reviewers import a_reviewer, a_speaker
from tests.parts.voices import heard, message
from tests.parts.webs import Pages, open_pages

_FoundT = TypeVar("_FoundT")

_TIMEOUT_S = 60.0
_PACE_S = 0.35


@dataclass
class Office:
    """The services for reviewers."""

    url: str
    pages: Pages
    loop: asyncio.AbstractEventLoop
    speakers: list[int] = field(default_factory=list)

    def do(self, work: Coroutine[Any, Any, _FoundT]) -> _FoundT:
        """Run a function in the thread of the services."""
        done: Future[_FoundT] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return done.result(_TIMEOUT_S)

    def reviewer(self) -> int:
        """Make a reviewer."""
        return self.do(a_reviewer(self.pages.services.db_assist))

    def link(self, tg_id: int) -> str:
        """Return the link that the bot would send for /web."""
        return f"{self.url}/sign-in/{self.do(self.pages.link(tg_id))}"

    def send(self, sample: Sample, text: str | None = None) -> int:
        """Send a recording of a person who consents; each word of its text has times."""
        return self.do(self._send(sample, text or sample.text))

    def recognise(self, sample: Sample, model: str = "auto") -> Recognition:
        """Recognise a recording with a model; requires `has_recogniser`."""
        nn_service = self.pages.services.nn_service
        assert nn_service is not None
        return self.do(nn_service.transcribe(sample.path.read_bytes(), model=model))

    def keep(self, speaker: int, sample: Sample, recognition: Recognition) -> int:
        """Store a recording of a person with the given recognition."""
        return self.do(self._keep(speaker, sample, recognition))

    def clear(self) -> None:
        """Remove all messages that wait for reviewers."""
        while self.speakers:
            self.do(self.pages.services.db_assist.forget(self.speakers.pop()))

    async def _send(self, sample: Sample, text: str) -> int:
        speaker = await a_speaker(self.pages.services.db_assist)
        self.speakers.append(speaker)
        said = text.split()
        words = tuple(
            Word(text=word, start_s=index * _PACE_S, end_s=(index + 0.9) * _PACE_S) for index, word in enumerate(said)
        )
        duration_s = len(said) * _PACE_S
        segment = Segment(start_s=0.0, end_s=duration_s, text=text, words=words)
        hypothesis = Hypothesis(text=text, duration_s=duration_s, segments=(segment,), model=heard(text).model)
        return await self._keep(speaker, sample, Recognition(hypothesis=hypothesis, processing_s=0.1))

    async def _keep(self, speaker: int, sample: Sample, recognition: Recognition) -> int:
        services = self.pages.services
        number = (await services.db_assist.create_transcription(message(speaker))).id
        hypothesis = recognition.hypothesis
        known = {"model": hypothesis.model, "model_version": hypothesis.model_version}
        finished = heard(hypothesis.text, duration_s=hypothesis.duration_s).model_copy(update=known)
        if hypothesis.confidence is not None:
            finished = finished.model_copy(update={"confidence": hypothesis.confidence})
        await services.db_assist.finish(number, finished)
        await services.data_loader.store_recognition(number, KeptRecognition(recognition=recognition))
        stored = await services.data_loader.store_audio(number, sample.path.read_bytes())
        await services.db_assist.archive(
            number, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes
        )
        return number


@contextlib.contextmanager
def open_office(
    settings: Settings, *, admins: frozenset[int] = frozenset(), has_recogniser: bool = False
) -> Iterator[Office]:
    """Start the services on a free port; with `has_recogniser` the embedded model answers, too."""
    opened: Future[Office] = Future()
    ended = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(_run(settings, opened, ended, admins=admins, has_recogniser=has_recogniser)),
        daemon=True,
    )
    thread.start()
    try:
        yield opened.result(_TIMEOUT_S)
    finally:
        ended.set()
        thread.join(_TIMEOUT_S)


async def _run(
    settings: Settings,
    opened: "Future[Office]",
    ended: threading.Event,
    *,
    admins: frozenset[int],
    has_recogniser: bool,
) -> None:
    try:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            async with open_pages(settings, admins=admins, has_recogniser=has_recogniser) as pages:
                config = uvicorn.Config(pages.app, lifespan="off", log_config=None, access_log=False)
                server = uvicorn.Server(config)
                serving = asyncio.create_task(server.serve(sockets=[sock]))
                url = f"http://127.0.0.1:{sock.getsockname()[1]}"
                opened.set_result(Office(url, pages, asyncio.get_running_loop()))
                await asyncio.to_thread(ended.wait)
                server.should_exit = True
                await serving
    except Exception as error:
        if opened.done():
            raise
        opened.set_exception(error)
