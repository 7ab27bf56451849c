"""Bodies of requests to nn_service about available, loaded and downloaded models, and of its answers."""

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
    is_default: bool = Field(description="Whether this is the default model, to which the name `auto` refers.")
    is_loaded: bool
    aliases: list[str] = Field(description="Additional names that refer to this model at present.")
    version: str | None = Field(
        description="Version of the model in memory: a hash of the files with its weights. null if the model is "
        "not loaded."
    )
    window_seconds: float | None = Field(
        description="Longest piece of speech in seconds that the model can recognise at once. null if the model "
        "is not loaded."
    )


class ModelsBody(Body):
    """All models that requests can name."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class LoadedBody(Body):
    """A model in memory."""

    id: str
    version: str = Field(description="Version of the model: a hash of the files with its weights.")
    aliases: list[str] = Field(description="Additional names that refer to this model at present.")
    is_default: bool
    since: datetime
    in_flight: int = Field(ge=0, description="Number of requests that use the model at present.")
    memory_bytes: int | None = Field(
        description="Bytes by which the memory of the process grew while the model was loaded. null if the system "
        "does not report it."
    )
    expires_at: datetime | None = Field(
        description="Time at which the model is unloaded if no request uses it before. null means that it is "
        "never unloaded."
    )


class LoadedModelsBody(Body):
    """The loaded models, the number of recordings in progress, and the memory of the process."""

    models: list[LoadedBody]
    in_flight: int = Field(ge=0, description="Number of recordings that are being recognised or wait for recognition.")
    resident_bytes: int | None = Field(
        description="Memory that the process occupies, in bytes. null if the system does not report it."
    )


class SwappedBody(LoadedBody):
    """The loaded model that answers new requests with the given name."""

    survives_restart: bool | None = Field(
        description="Whether `auto` refers to this model also after a restart. null if the request did not change "
        "`auto`."
    )


class CandidateBody(Body):
    """A candidate that answers a share of people, while the default model answers all others."""

    model: str
    version: str = Field(description="Version of the candidate: a hash of the files with its weights.")
    share: float = Field(
        ge=0,
        le=1,
        description="Share (0..1) of people whose recordings the candidate recognises instead of the default model.",
    )
    shadow_share: float = Field(
        ge=0,
        le=1,
        description="Share (0..1) of messages for which the candidate recognises a second text, besides the text "
        "of the default model. This happens only while no recording waits.",
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
    serve: bool = Field(description="Whether the model becomes the default model after the download.")
    done_bytes: int = Field(ge=0)
    total_bytes: int = Field(ge=0, description="Size of the download in bytes. 0 means that it is not known yet.")
    error: ErrorTold | None = Field(description="Error that ended the download. null if the download did not fail.")
    survives_restart: bool | None = Field(
        description="Whether the model is the default model also after a restart. null if the model did not "
        "become the default model."
    )


class OfferedBody(Body):
    """A model that can be downloaded, or is on disk."""

    id: str
    title: TitleBody
    summary: TitleBody
    size_mb: float | None = Field(description="Size of the download in megabytes (10⁶ bytes). null if it is not known.")
    licence: str
    is_on_disk: bool
    is_default: bool
    fetch: FetchBody | None = Field(
        description="State of the running download of this model, or of its last download. null if there was none."
    )


class OfferedModelsBody(Body):
    """All known models, the best one first."""

    models: list[OfferedBody]


class FetchRequest(RequestBody):
    """Whether a model becomes the default model after its download."""

    serve: bool = Field(default=False, description="Whether the model becomes the default model after the download.")


class SwapRequest(RequestBody):
    """The model that answers requests with a name from now on; if no model has this name, the name becomes an alias."""

    model: str | None = Field(
        default=None,
        description="Name of the model to which the name in the path will refer. null means that the model does "
        "not change, and that its files are read again.",
    )
