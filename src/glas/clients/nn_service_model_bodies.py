"""Bodies of requests and answers of nn_service about models: available, loaded, on disk, being downloaded."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from glas.clients.bodies import RequestBody
from glas.clients.nn_service_bodies import Body, TitleBody
from glas.domain.model_ref import ModelRef


class FetchState(StrEnum):
    """State of a download."""

    FETCHING = "fetching"
    LOADING = "loading"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class ModelBody(Body):
    """A model that requests can name."""

    id: str
    title: TitleBody
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["glas"] = "glas"
    is_default: bool = Field(description="Whether it is what `auto` means.")
    is_loaded: bool
    aliases: list[str] = Field(description="Other names that mean it now.")
    version: str | None = Field(description="Of the weights in memory; null if it is not loaded.")
    window_seconds: float | None = Field(description="Longest piece of speech it hears at once; null if not loaded.")


class ModelsBody(Body):
    """All models that requests can name."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class LoadedBody(Body):
    """A model in memory."""

    id: str
    version: str = Field(description="Of its weights: a hash over the model's files.")
    aliases: list[str] = Field(description="Other names that mean it now.")
    is_default: bool
    since: datetime
    in_flight: int = Field(ge=0, description="Requests that use it.")
    memory_bytes: int | None = Field(
        description="By how much the process grew while it was loaded; null where the system does not tell."
    )
    expires_at: datetime | None = Field(description="When it is unloaded unless it is used; null: it stays.")


class LoadedModelsBody(Body):
    """The loaded models, and the load of the service."""

    models: list[LoadedBody]
    in_flight: int = Field(ge=0, description="Recordings that are being recognised or wait.")
    resident_bytes: int | None = Field(description="Memory of the process; null where the system does not tell.")


class SwappedBody(LoadedBody):
    """A loaded model for which a name now stands."""

    survives_restart: bool | None = Field(
        description="Whether `auto` will mean it after a restart, too; null where `auto` was not changed."
    )


class CandidateBody(Body):
    """A candidate that is tried beside the default model."""

    model: str
    version: str = Field(description="Of its weights.")
    share: float = Field(ge=0, le=1, description="Share of people whom it answers.")
    shadow_share: float = Field(
        ge=0, le=1, description="Share of messages of which a second text is made while nobody waits."
    )

    @property
    def ref(self) -> ModelRef:
        """The candidate with its version."""
        return ModelRef(name=self.model, version=self.version)


class ErrorTold(Body):
    """The error that ended a download."""

    message: str
    code: str


class FetchBody(Body):
    """State and progress of the download of a model."""

    id: str
    state: FetchState
    serve: bool = Field(description="Whether the model becomes the default one afterwards.")
    done_bytes: int = Field(ge=0)
    total_bytes: int = Field(ge=0, description="0 until the source has told.")
    error: ErrorTold | None = Field(description="Only where it failed.")
    survives_restart: bool | None = Field(
        description="Whether the model stays the default one; null unless it is that."
    )


class OfferedBody(Body):
    """A model that can be downloaded, or is on disk."""

    id: str
    title: TitleBody
    summary: TitleBody
    size_mb: float | None = Field(description="What is fetched, in 10⁶ bytes; null where nobody knows.")
    licence: str
    is_on_disk: bool
    is_default: bool
    fetch: FetchBody | None = Field(description="The fetch that runs, or how the last one ended.")


class OfferedModelsBody(Body):
    """All known models, the best one first."""

    models: list[OfferedBody]


class FetchRequest(RequestBody):
    """Whether a model serves after its download."""

    serve: bool = Field(default=False, description="Make it the default one.")


class SwapRequest(RequestBody):
    """The model for which a name will stand; a name that no model has becomes an alias."""

    model: str | None = Field(default=None, description="Null: the same model, its files read anew.")
