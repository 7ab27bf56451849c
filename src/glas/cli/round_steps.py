"""Record the steps of a round in db_assist while `glas learn` runs."""

from datetime import UTC, datetime

from glas.cli.db_assist import ask_db_assist
from glas.cli.language import say
from glas.cli.session import err
from glas.clients.learning_bodies import StepEntry
from glas.domain.errors import GlasError
from glas.domain.model_records import LearningStep
from glas.settings import Settings
from glas.training.rounds import Steps


class RecordedSteps(Steps):
    """Records the steps of a round. If db_assist does not answer, one warning is printed, and the round continues."""

    def __init__(self, settings: Settings) -> None:
        """Store the current time as the beginning of the export, which is run before the first round."""
        self._settings = settings
        self._began = {LearningStep.EXPORT: datetime.now(UTC)}
        self._exported: datetime | None = None
        self._is_silent = False

    def exported(self) -> None:
        """Store the current time as the end of the export.

        The export is recorded together with the first step of the round, because the name of the round is not known
        earlier.
        """
        self._exported = datetime.now(UTC)

    def begun(self, name: str, step: LearningStep) -> None:
        """Record that a step begins; before the first step, also record the export."""
        if step is LearningStep.DATASET and self._exported is not None:
            began = self._began[LearningStep.EXPORT]
            self._record(name, LearningStep.EXPORT, StepEntry(began=began, finished=self._exported))
        self._began[step] = datetime.now(UTC)
        self._record(name, step, StepEntry(began=self._began[step]))

    def ended(self, name: str, step: LearningStep, **details: str | float) -> None:
        """Record that a step has ended."""
        now = datetime.now(UTC)
        self._record(name, step, StepEntry(began=self._began.get(step, now), finished=now, details=details))

    def _record(self, name: str, step: LearningStep, entry: StepEntry) -> None:
        try:
            ask_db_assist(self._settings, lambda db_assist: db_assist.record_step(name, step, entry))
        except GlasError as error:
            if not self._is_silent:
                self._is_silent = True
                err.print(say("records-failed", detail=str(error)), style="yellow", markup=False)
