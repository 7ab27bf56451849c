"""Store which candidate was chosen, in a file in the directory of models.

All servers that use this directory read the file. So these servers try the same candidate on the same people.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.errors import ModelError, ModelFileMissingError
from glas.engines.catalogue import keep_choice, uniform_on_disk
from glas.system.files import delete

CANDIDATE = "candidate"


class CandidateChoice(BaseModel):
    """A candidate, the share of people whom it answers, and the share of messages that it recognises additionally.

    For the additionally recognised messages, its text is the second hypothesis, which the person does not receive.
    """

    model_config = ConfigDict(frozen=True)

    model: str = Field(min_length=1, description="Name of the candidate, in the format of the setting GLAS_MODEL.")
    share: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Share (0..1) of people whose recordings the candidate recognises instead of the default model.",
    )
    shadow_share: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Share (0..1) of messages for which the candidate recognises a second text, besides the text "
        "of the default model. This happens only while no recording waits.",
    )


def chosen_candidate(models_dir: Path) -> CandidateChoice | None:
    """Return the chosen candidate; None if no candidate was chosen, or if the file with the choice is damaged."""
    try:
        return CandidateChoice.model_validate_json((models_dir / CANDIDATE).read_bytes())
    except (OSError, ValidationError):
        return None


def choose_candidate(choice: CandidateChoice, models_dir: Path) -> str:
    """Choose a candidate; all servers that use the directory `models_dir` then try the candidate.

    Returns:
        The uniform name of the candidate.

    Raises:
        ModelFileMissingError: the candidate is not on disk.
        ModelError: the directory of models cannot be written.
    """
    name = uniform_on_disk(choice.model, models_dir)
    if name is None:
        raise ModelFileMissingError(f"expected a model on disk, got {choice.model}; get it: glas models get")
    keep_choice(models_dir / CANDIDATE, choice.model_copy(update={"model": name}).model_dump_json() + "\n")
    return name


def end_candidate(models_dir: Path) -> bool:
    """End the trial of the candidate, so that the champion answers everybody.

    Returns:
        Whether there was a candidate.

    Raises:
        ModelError: the directory of models cannot be written.
    """
    path = models_dir / CANDIDATE
    try:
        return delete(path)
    except OSError as error:
        raise ModelError(f"{path}: the candidate cannot be taken back: {error}.") from error
