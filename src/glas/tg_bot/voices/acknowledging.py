"""Tell people that their recordings must wait, because more recordings came than can be recognised immediately."""

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
    """Acknowledges recordings that must wait; the caller opens and closes the objects in the fields."""

    durable: Durable
    placeholders: Placeholders
    metrics: Metrics

    async def acknowledge(self, arguments: dict[str, Any]) -> None:
        """Inform the sender of a recording that the recording waits, and put the recording into its queue.

        This function is a workflow of the durable engine.

        If the sender cannot be informed now, the recording is enqueued nevertheless, because a later message to the
        sender may succeed. If the recording is refused, it is not enqueued.
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
        """Count and log a recording that is not enqueued, because it was refused or cannot be answered."""
        self.metrics.answered(outcome, None)
        _log.info("a recording was handled", transcription=None, outcome=outcome, seconds=None)
