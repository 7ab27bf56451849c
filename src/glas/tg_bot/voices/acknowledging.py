"""Tell people that their recordings wait, if there are more recordings than can be recognised at once."""

from dataclasses import dataclass
from typing import Any

import structlog

from glas.domain.errors import GlasError
from glas.durable import Durable
from glas.tg_bot.api.errors import PersonGoneError
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.voices.jobs import LATER, VOICES, VoiceJob
from glas.tg_bot.voices.placeholders import Placeholders

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Acknowledging:
    """Objects that are needed to acknowledge recordings; the caller opens and closes them."""

    durable: Durable
    placeholders: Placeholders
    metrics: Metrics

    async def acknowledge(self, arguments: dict[str, Any]) -> None:
        """Tell the sender of a recording that the recording waits, and enqueue the recording.

        This function is a workflow.

        If the message cannot be sent now, the recording is enqueued all the same, because a message may be possible
        later. If the recording is refused, it is not enqueued.
        """
        job = VoiceJob.model_validate(arguments)
        try:
            opened = await self.placeholders.open(job, is_waiting=True)
        except PersonGoneError as error:
            self._end(error.code)
            return
        except GlasError:
            await self.durable.enqueue(job.work())
            return
        if opened.refused is not None:
            self._end(opened.refused)
            return
        told = {"answer_message_id": opened.message_id, "is_acknowledged": opened.message_id is not None}
        is_later = await self.durable.backlog.has_work(str(job.party), VOICES, LATER)
        await self.durable.enqueue(job.model_copy(update=told | {"is_later": is_later}).work())

    def _end(self, outcome: str) -> None:
        """Count and log a recording that is not enqueued."""
        self.metrics.answered(outcome, None)
        _log.info("a recording was handled", transcription=None, outcome=outcome, seconds=None)
