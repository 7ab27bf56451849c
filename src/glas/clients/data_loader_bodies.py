"""Bodies of requests and answers of data_loader."""

from pydantic import Field

from glas.clients.bodies import Value
from glas.domain.object_keys import Key


class StoredObject(Value):
    """An object that was written, read back and compared."""

    key: str
    sha256: str
    size_bytes: int
    extension: str = Field(description="Extension for the format found in the bytes, without a dot.")


class Expected(Value):
    """The content that should be stored under a key."""

    key: Key
    size_bytes: int = Field(ge=0)
    sha256: str | None = Field(
        default=None,
        description="If it is given, the whole object is read and its hash compared; otherwise only the size.",
    )


class Expectations(Value):
    """Objects whose existence is checked."""

    objects: tuple[Expected, ...] = Field(max_length=1000)


class Lost(Value):
    """Objects that are missing or differ from what was stored."""

    keys: tuple[str, ...]


class Keys(Value):
    """Keys of objects."""

    keys: tuple[Key, ...] = Field(max_length=1000)


class ExportProgress(Value):
    """Progress of an export."""

    phase: str = Field(default="", description="What the export is doing: messages, manifest or dataset.")
    n_seen: int = Field(default=0, description="Number of changes read from db_assist.")
    n_written: int = Field(default=0, description="Number of new or changed messages that were written.")
    n_moved: int = Field(
        default=0, description="Number of written messages that were in the directory of another score before."
    )
    n_removed: int = Field(
        default=0,
        description="Number of messages that were removed, because they were deleted or the consent was withdrawn.",
    )
    n_failed: int = Field(
        default=0, description="Number of messages whose audio is missing, damaged or cannot be decoded."
    )
    n_shards: int = Field(default=0, description="Number of dataset files written.")


class ExportReport(ExportProgress):
    """Result of an export, and the present contents of the directory."""

    is_full: bool = Field(description="Whether everything was compared, not only what had changed.")
    n_messages: int = Field(description="Number of messages that are in the export now.")
    n_references: int = Field(description="Number of messages in the export that have a reference.")
    audio_s: float = Field(description="Seconds of exported audio.")
    directory: str = Field(description="Directory of the export, on the machine of data_loader.")
    wall_s: float = Field(description="Duration of the export in seconds.")


class ExportFailure(Value):
    """Error that ended an export early; the next export continues where this export stopped."""

    code: str
    message: str


class ExportState(Value):
    """State of the running export, or of the last one since the service started."""

    run: int = Field(description="Number of exports since the service started.")
    is_running: bool
    progress: ExportProgress = ExportProgress()
    report: ExportReport | None = None
    failure: ExportFailure | None = None


class Health(Value):
    """State of the service."""

    status: str
    store: str = Field(description="`directory` or `s3`.")
    version: str
