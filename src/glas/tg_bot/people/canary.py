"""End the trial of a candidate if its ratings are worse than the champion's, or if the candidate was refused.

A trial is the time in which a candidate answers a share of people (see "canary" in the glossary).
"""

import asyncio
from dataclasses import dataclass

import structlog

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import DecisionRequest
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import GlasError
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef

_US = "tg_bot"
_DECIDED_AGAINST = frozenset({ModelState.REFUSED, ModelState.ROLLED_BACK, ModelState.RETIRED})

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class CanaryWatch:
    """Compares the ratings of candidate and champion at intervals; several processes of the bot may do this."""

    nn_service: NnServiceClient
    db_assist: DbAssistClient
    look_s: float

    async def watch(self) -> None:
        """Compare the ratings at intervals, until the task is cancelled."""
        while True:
            try:
                await self.compare_ratings()
            except GlasError as error:
                _log.warning("the ratings of a candidate could not be compared", code=error.code, error=error.message)
            except Exception:  # noqa: BLE001 - logged; a bug met once must not end all later comparisons
                _log.exception("the ratings of a candidate could not be compared")
            await asyncio.sleep(self.look_s)

    async def compare_ratings(self) -> None:
        """Compare the ratings once, and end the trial if necessary.

        The trial ends if the ratings of the candidate are worse, or if the model is no longer a candidate.

        The decision is stored before the trial is ended. If the process is killed between these two steps, the next
        comparison finds the decision and ends the trial.

        Raises:
            GlasError: nn_service or db_assist does not answer.
        """
        tried = await self.nn_service.candidate()
        if tried is None:
            return
        known = await self.db_assist.model(tried.ref)
        if known is not None and known.state in _DECIDED_AGAINST:
            await self._take_back(tried.ref, known.state.value)
            return
        champion = (await self.nn_service.health()).served
        found = None if champion is None else await self.db_assist.compare_ratings(champion, tried.ref)
        if found is None or not found.has_alarm:
            return
        if known is not None and known.state is ModelState.CANDIDATE:
            wanted = DecisionRequest(state=ModelState.REFUSED, operator=_US, reason=found.summary)
            await self.db_assist.decide(known.id, wanted)
        await self._take_back(tried.ref, found.summary)

    async def _take_back(self, ref: ModelRef, why: str) -> None:
        await self.nn_service.take_candidate_back()
        _log.warning("the candidate is taken back", model=str(ref), reason=why)
