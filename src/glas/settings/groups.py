"""Groups of settings. The environment variable of a setting in a group is `GLAS_<GROUP>__<NAME>`."""

import os
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class AudioSettings(BaseModel):
    """Limits of uploads and of decoding."""

    model_config = ConfigDict(frozen=True)

    max_upload_mb: int = Field(
        default=200, gt=0, description="Largest size of the body of a request, or of a file with a recording, in MiB."
    )
    max_uploads_mb: int = Field(
        default=400,
        gt=0,
        description="Largest total size in MiB of the bodies of all requests that the server handles at the same "
        "time. Further requests get the status 503.",
    )
    max_duration_s: float = Field(
        default=7200,
        gt=0,
        description="Length of the longest recording that Glas recognises, in seconds of decoded sound.",
    )
    decode_workers: int = Field(default=2, ge=1, description="Number of child processes that decode recordings.")
    decode_memory_mb: int = Field(
        default=384,
        ge=128,
        description="Memory (address space) in MiB that a child process may use to decode one file, in addition to "
        "the memory that it used before and to the size of the file.",
    )
    decode_cpu_s: int = Field(
        default=60, ge=1, description="Largest processor time in seconds for the decoding of one file."
    )
    decode_wall_s: float = Field(
        default=120,
        gt=0,
        description="Longest total time in seconds that the server waits for the decoder of one file.",
    )


class NnServiceSettings(BaseModel):
    """Settings of `nn_service`."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8001,
        ge=0,
        le=65535,
        description="Port of `nn_service`. It is used only if `nn_service` and `web` run in different processes. 0 "
        "means that the operating system chooses a free port.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        description="Number of calls of a model (inference) that run at the same time. 0 means one for each "
        "processor, but at most 8.",
    )
    threads: int = Field(default=1, ge=1, description="Number of processor threads that each call of a model uses.")
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="Device on which models run: `cpu`, or `cuda` for a graphics card."
    )
    precision: Literal["auto", "int8", "int8_float16", "float16", "bfloat16", "float32"] = Field(
        default="auto",
        description="Number format of Whisper's weights. `auto` means int8 on a processor and float16 on a graphics "
        "card. The server does not start if the device does not support the format.",
    )
    beam_size: int = Field(
        default=5,
        ge=1,
        le=10,
        description="How thoroughly Whisper searches for a better text. On a graphics card, this is the beam size. On "
        "a processor, Glas changes the first text in different ways and chooses the best of these texts. With 5, there "
        "are at most 30 changes. 1 (on a processor: no changes) is the fastest and makes the most errors.",
    )
    queue_size: int = Field(
        default=64,
        ge=0,
        le=1000,
        description="Number of recordings that may wait for recognition. Further requests get the status 503.",
    )
    deadline_s: float = Field(
        default=3600,
        ge=0,
        description="Seconds after which a request for recognition is cancelled if it has no result. 0 means never.",
    )
    keep_alive_s: float = Field(
        default=300,
        ge=0,
        description="Seconds without a request after which a model is unloaded from memory. 0 means never. The "
        "default model is always in memory.",
    )
    keep_former_s: float = Field(
        default=86_400,
        ge=0,
        description="Seconds for which the previous default model stays in memory after another model became the "
        "default model. During this time it can become the default model again without loading.",
    )
    max_models: int = Field(
        default=3,
        ge=1,
        description="Largest number of models in memory. While a model is replaced, one more model may be in memory.",
    )
    max_own_models: int = Field(
        default=4,
        ge=0,
        description="Largest number of own models (models that answer one person or one group) in memory. They do not "
        "count towards GLAS_NN_SERVICE__MAX_MODELS. 0 means that own models are not used.",
    )
    vad_threshold: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Probability (0..1) above which the speech detector counts a short stretch of sound as speech.",
    )

    sentences: bool = Field(
        default=True,
        description="Whether Glas adds capital letters, and full stops at pauses, to the texts of models that write "
        "neither.",
    )
    digits: bool = Field(
        default=True, description="Whether Glas writes numbers, times, dates and telephone numbers in digits."
    )

    @property
    def worker_count(self) -> int:
        """Number of workers: `workers`; if this is 0, the number of processors, but at most 8."""
        return self.workers or min(os.cpu_count() or 1, 8)


class DataLoaderSettings(BaseModel):
    """Settings of `data_loader`."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8003,
        ge=0,
        le=65535,
        description="Port of `data_loader`. It is used only if `data_loader` and `web` run in different processes. 0 "
        "means that the operating system chooses a free port.",
    )
    models_token: Secret | None = Field(
        default=None,
        description="Token with which `nn_service` may read models from `data_loader`. The token permits nothing "
        "else. It is necessary only if several servers of `nn_service` do not share a directory of models. If the "
        "token is set, Glas also stores new models in the object store.",
    )
    export_hours: int = Field(
        default=3,
        ge=0,
        le=23,
        description="Hours between two exports of training data. 0 means that only the command `glas export` "
        "starts an export.",
    )
    reconcile_hours: float = Field(
        default=24,
        ge=0,
        description="Hours after an export that compared all files with the database. The first export after this "
        "time compares all files again; earlier exports compare only what has changed.",
    )
    test_share: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share (0..1) of the speakers whose exported messages belong to the test set.",
    )


class DbAssistSettings(BaseModel):
    """Settings of `db_assist`, such as the number of coins for a correction."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8002,
        ge=0,
        le=65535,
        description="Port of `db_assist`. It is used only if `db_assist` and `web` run in different processes. 0 "
        "means that the operating system chooses a free port.",
    )
    pool_size: int = Field(
        default=10,
        ge=1,
        description="Largest number of connections of `db_assist` to PostgreSQL. The setting has no effect with "
        "SQLite.",
    )
    daily_coin_cap: Decimal = Field(
        default=Decimal(600),
        ge=0,
        decimal_places=2,
        description="Largest number of coins that a person can earn in 24 hours with ratings, corrections and reviews.",
    )
    correction_reward: Decimal = Field(
        default=Decimal(1),
        ge=0,
        decimal_places=2,
        description="Number of coins that a person gets for the first correction of a message. 0 means that "
        "corrections are not paid.",
    )
    correction_max_chars_per_s: float = Field(
        default=30,
        gt=0,
        description="Largest number of letters that a person can say in a second. A correction that has more letters "
        "for each second of the recording is doubtful: probably not all of its words were said.",
    )
    vocabulary_chat_people: int = Field(
        default=2,
        ge=1,
        description="Number of members of a group who must correct the same name, before this name becomes a keyword "
        "for the recordings of the group.",
    )
    vocabulary_people: int = Field(
        default=3,
        ge=1,
        description="Number of people who must correct the same name, before this name becomes a keyword for the "
        "recordings of all people. Only people who agreed to training count.",
    )
    vocabulary_refresh_s: float = Field(
        default=60,
        ge=0,
        description="Seconds after which `db_assist` reads the vocabulary of the installation (keywords for the "
        "recordings of all people) from the database again. 0 means that it reads this vocabulary for each recording.",
    )
    review_reward: Decimal = Field(
        default=Decimal(5),
        ge=0,
        decimal_places=2,
        description="Number of coins that a reviewer gets for a review, if another person independently gives the "
        "same result. 0 means that reviews are not paid.",
    )
    review_check_every: int = Field(
        default=5,
        ge=0,
        description="How many reviews there are, on average, for each check. A check is a review of a message whose "
        "words another person has already given. 0 means that there are no checks.",
    )
    review_minutes: float = Field(
        default=15, gt=0, description="Minutes for which a message is reserved for one reviewer."
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        description="Age in days at which messages of people who do not agree to training are deleted, with recording "
        "and text. 0 means that they are never deleted for their age.",
    )
    training_retention_days: int = Field(
        default=0,
        ge=0,
        description="Age in days at which messages of people who agree to training are deleted, with recording and "
        "text. 0 means that they are never deleted for their age.",
    )
