"""The groups of settings, one for each thing that is set; `GLAS_<GROUP>__<NAME>` in the environment."""

import os
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class AudioSettings(BaseModel):
    """Limits within which foreign bytes are decoded."""

    model_config = ConfigDict(frozen=True)

    max_upload_mb: int = Field(default=200, gt=0, description="Largest request body or file, MiB.")
    max_uploads_mb: int = Field(
        default=400, gt=0, description="Request bodies held at once, MiB in all; the next one gets 503."
    )
    max_duration_s: float = Field(default=7200, gt=0, description="Longest audio, seconds of decoded samples.")
    decode_workers: int = Field(default=2, ge=1, description="Child processes that decode.")
    decode_memory_mb: int = Field(default=384, ge=128, description="Address space that decoding may add, MiB.")
    decode_cpu_s: int = Field(default=60, ge=1, description="Processor time for one file, seconds.")
    decode_wall_s: float = Field(default=120, gt=0, description="Longest wait for one file's decoding, seconds in all.")


class NnServiceSettings(BaseModel):
    """How `nn_service` recognises."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8001, ge=0, le=65535, description="Port when it runs without `web`; 0 takes a free one.")
    workers: int = Field(default=0, ge=0, description="Inference calls at once; 0 means one per processor, at most 8.")
    threads: int = Field(default=1, ge=1, description="Threads of one inference call.")
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="Where models run: `cpu`, or `cuda`, a graphics card."
    )
    precision: Literal["auto", "int8", "int8_float16", "float16", "bfloat16", "float32"] = Field(
        default="auto",
        description="Of Whisper's weights; `auto` is int8 on a processor, float16 on a graphics card. What the device "
        "does not know is refused at start.",
    )
    beam_size: int = Field(
        default=5,
        ge=1,
        le=10,
        description="How much Whisper searches for other texts than the most probable one: texts that are followed at "
        "once on a graphics card, six tried changes for each on a processor; 1 is fastest and makes more errors.",
    )
    queue_size: int = Field(default=64, ge=0, le=1000, description="Requests that may wait; the next one gets 503.")
    deadline_s: float = Field(
        default=3600, ge=0, description="Seconds after which a request that has no text yet is given up; 0: never."
    )
    keep_alive_s: float = Field(
        default=300,
        ge=0,
        description="Seconds after which a model that nobody uses is unloaded; that of GLAS_MODEL stays; 0: never.",
    )
    max_models: int = Field(default=3, ge=1, description="Models in memory at once; one more while a swap loads.")
    vad_threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Speech probability above which a frame is speech."
    )

    sentences: bool = Field(
        default=True, description="Capitals and full stops, by pauses, for models that write neither."
    )
    digits: bool = Field(default=True, description="Numbers, times and telephone numbers in digits.")

    @property
    def worker_count(self) -> int:
        """`workers` with 0 resolved."""
        return self.workers or min(os.cpu_count() or 1, 8)


class DataLoaderSettings(BaseModel):
    """How `data_loader` stores and exports."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8003, ge=0, le=65535, description="Port when it runs apart; 0 takes a free one.")
    export_hours: int = Field(
        default=3, ge=0, le=23, description="Hours between two exports; 0: only when `glas export` asks."
    )
    reconcile_hours: float = Field(
        default=24, ge=0, description="Hours after which an export compares everything instead of what has changed."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the speakers whose messages form the test set."
    )


class DbAssistSettings(BaseModel):
    """What `db_assist` pays and what it refuses."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8002, ge=0, le=65535, description="Port when it runs without `web`; 0 takes a free one.")
    pool_size: int = Field(default=10, ge=1, description="Most connections to PostgreSQL; SQLite needs no such choice.")
    daily_coin_cap: Decimal = Field(
        default=Decimal(600), ge=0, decimal_places=2, description="Most coins earned by one person in 24 hours."
    )
    correction_reward: Decimal = Field(
        default=Decimal(1), ge=0, decimal_places=2, description="Coins for the first correction of a message; 0: none."
    )
    correction_max_chars_per_s: float = Field(
        default=30,
        gt=0,
        description="Letters per second of audio above which a correction is doubtful.",
    )


class BotSettings(BaseModel):
    """How `tg_bot` behaves."""

    model_config = ConfigDict(frozen=True)

    webhook_url: str | None = Field(
        default=None,
        description="Public https address to which Telegram pushes; none: the bot asks for updates itself.",
    )
    webhook_secret: Secret | None = Field(
        default=None, description="What Telegram must send with every push; required with a webhook."
    )
    port: int = Field(default=8004, ge=0, le=65535, description="Port of the webhook; 0 takes a free one.")
    api_is_local: bool = Field(
        default=False, description="GLAS_TELEGRAM_API_URL runs with `--local` on this machine: files up to 2 GB."
    )
    max_file_mb: int = Field(
        default=20, ge=1, le=2000, description="Largest recording, MB; Telegram's own server gives out at most 20."
    )
    confirm_first: bool = Field(default=False, description="Ask «Распознать?» before each recording in private chats.")
    user_messages_per_minute: int = Field(
        default=20, ge=0, le=500, description="Recordings that a person may send in a minute; 0: any number."
    )
    user_minutes_per_day: int = Field(
        default=120, ge=0, description="Minutes of sound that a person may send in 24 hours; 0: any number."
    )
    beta_tester_minutes_per_day: int = Field(default=360, ge=0, description="The same for beta-testers.")
    rating_days: int = Field(default=7, ge=1, le=365, description="Days for which the buttons under a text work.")
    concurrency: int = Field(default=32, ge=1, description="Messages at work at once in one process.")
    recognitions: int = Field(default=4, ge=1, description="Of these, how many `nn_service` is given at once.")
    patience_s: float = Field(
        default=3600, gt=0, description="Seconds for which a service that is away is waited for, before a failure."
    )
    repair_hour: int = Field(
        default=3,
        ge=-1,
        le=23,
        description="Hour (UTC) at whose half lost originals are looked for and fetched again; -1: never by itself.",
    )
    slot: str | None = Field(
        default=None, description="Stable name of this process among several with one database; none: the host's name."
    )


class LogSettings(BaseModel):
    """What is logged and how it looks."""

    model_config = ConfigDict(frozen=True)

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lowest level shown.")
    format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for machines."
    )
