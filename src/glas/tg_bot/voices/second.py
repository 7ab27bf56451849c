"""Recognise some messages again with another model while no other request waits; reviewers see both texts.

The second recognition delays nobody. nn_service refuses it while there is other work, and stops it as soon as another
request arrives. A recognition that was stopped is not repeated, and nothing is stored about it.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.clients.nn_service_model_bodies import CandidateBody
from glas.domain.canary import is_drawn
from glas.domain.errors import GlasError
from glas.domain.transcription import Hypothesis

_LOOK_S = 10.0
_DEFAULT = "auto"

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass
class SecondHypotheses:
    """Recognises messages again with another model, one message at a time.

    A message that is offered while another message is being recognised gets no second text.
    """

    nn_service: NnServiceClient
    db_assist: DbAssistClient
    _running: "asyncio.Task[None] | None" = None
    _tried: CandidateBody | None = None
    _looked_at: float = field(default=-_LOOK_S)

    def offer(self, transcription_id: int, heard: Hypothesis, data: bytes, keywords: Sequence[str]) -> None:
        """Start the second recognition of a message with another model; do not wait for its end.

        The other model is the candidate, or the champion if the candidate has answered. Only a share of all messages is
        recognised by a second model; see `glas.domain.canary.is_drawn`. Nothing is done if the message does not belong
        to this share, if there is no candidate, or if another message is being recognised again.

        Args:
            transcription_id: id of the message.
            heard: the hypothesis of the first model.
            data: the bytes of the recording.
            keywords: the keywords that were sent with the recording.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._hear(transcription_id, heard, data, keywords))

    async def close(self) -> None:
        """Cancel the second recognition that is running, if there is one."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _hear(self, transcription_id: int, heard: Hypothesis, data: bytes, keywords: Sequence[str]) -> None:
        try:
            tried = await self._candidate()
            if tried is None or not is_drawn(transcription_id, tried.ref, tried.shadow_share):
                return
            # If the candidate has answered, the second model is the champion.
            other = _DEFAULT if heard.model == tried.model else tried.model
            second = await self.nn_service.transcribe(data, model=other, keywords=keywords, when_idle=True)
            if second.hypothesis.model_version != heard.model_version:
                await self.db_assist.store_second_hypothesis(transcription_id, second.hypothesis)
        except GlasError as error:
            _log.info("a message has no second text", transcription=transcription_id, code=error.code)
        except Exception:  # noqa: BLE001 - logged; the person has their answer in any case
            _log.exception("a message has no second text", transcription=transcription_id)

    async def _candidate(self) -> CandidateBody | None:
        """Return the candidate; None if there is none. The information can be some seconds old."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_S:
            self._tried = await self.nn_service.candidate()
            self._looked_at = now
        return self._tried
