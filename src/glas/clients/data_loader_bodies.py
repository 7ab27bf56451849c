"""Bodies of requests to data_loader, and of its answers."""

from pydantic import Field

from glas.clients.bodies import Value
from glas.domain.object_keys import Key


class StoredObject(Value):
    """An object that was written into the object store, and was read to check that it has the bytes that were sent."""

    key: str
    sha256: str
    size_bytes: int
    extension: str = Field(description="File name extension for the format that was found in the bytes, without a dot.")


class Expected(Value):
    """The key of an object, and the size and the sha256 that the object should have."""

    key: Key
    size_bytes: int = Field(ge=0)
    sha256: str | None = Field(
        default=None,
        description="sha256 of the content that should be stored. If it is given, the whole object is read and "
        "compared with it. If it is null, only the size is compared.",
    )


class Expectations(Value):
    """Objects whose existence is checked."""

    objects: tuple[Expected, ...] = Field(max_length=1000)


class Lost(Value):
    """Objects that are missing or have other content than expected."""

    keys: tuple[str, ...]


class Keys(Value):
    """Keys of objects in the object store."""

    keys: tuple[Key, ...] = Field(max_length=1000)


class ExportProgress(Value):
    """Progress of an export."""

    phase: str = Field(
        default="",
        description="Present phase of the export: `messages`, `manifest` or `dataset`; empty before the first phase.",
    )
    n_seen: int = Field(default=0, description="Number of changes of messages that the export has read from db_assist.")
    n_written: int = Field(default=0, description="Number of new or changed messages that the export has written.")
    n_moved: int = Field(
        default=0,
        description="Number of written messages that the export moved from the directory of their previous score "
        "to the directory of their new score.",
    )
    n_removed: int = Field(
        default=0,
        description="Number of messages that were removed from the export, because the message was deleted or the "
        "speaker withdrew the consent.",
    )
    n_failed: int = Field(
        default=0,
        description="Number of messages that could not be exported, because their audio is missing, damaged or "
        "cannot be decoded.",
    )
    n_shards: int = Field(default=0, description="Number of dataset files (Parquet) that the export has written.")


class ExportReport(ExportProgress):
    """Result of an export, and the amount of data in the directory of the exported files after the export."""

    is_full: bool = Field(
        description="Whether all messages were compared with the database. Otherwise only those that had changed "
        "were compared."
    )
    n_messages: int = Field(description="Number of all messages in the directory of the export.")
    n_references: int = Field(
        description="Number of messages in the directory of the export that have a reference: words that a person gave."
    )
    audio_s: float = Field(description="Total length in seconds of the audio in the directory of the export.")
    directory: str = Field(description="Path of the directory of the export, on the machine of data_loader.")
    wall_s: float = Field(description="Time in seconds that the export took.")


class ExportFailure(Value):
    """Error that ended an export early; the next export continues where this export stopped."""

    code: str
    message: str


class ExportState(Value):
    """State of the running export, or of the last export since the service started."""

    run: int = Field(description="Number of exports that were started since the start of the service.")
    is_running: bool
    progress: ExportProgress = ExportProgress()
    report: ExportReport | None = None
    failure: ExportFailure | None = None


class Health(Value):
    """State of data_loader."""

    status: str
    store: str = Field(description="Where objects are stored: `directory` or `s3`.")
    version: str
