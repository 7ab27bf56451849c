"""Bodies of requests and answers of data_loader."""

from pydantic import Field

from glas.clients.bodies import Value
from glas.domain.object_keys import Key


class StoredObject(Value):
    """An object that was written, read back and compared."""

    key: str
    sha256: str
    size_bytes: int
    extension: str = Field(description="As the bytes say, without the dot.")


class Expected(Value):
    """The content that should be stored under a key."""

    key: Key
    size_bytes: int = Field(ge=0)
    sha256: str | None = Field(default=None, description="Given: the object is read whole and compared.")


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

    phase: str = Field(default="", description="What it is doing: messages, manifest or dataset.")
    n_seen: int = Field(default=0, description="Changes read from db_assist.")
    n_written: int = Field(default=0, description="Messages written, new ones and changed ones.")
    n_moved: int = Field(default=0, description="Those of them that stood under another score before.")
    n_removed: int = Field(default=0, description="Messages taken away: deleted, or no longer consented to.")
    n_failed: int = Field(default=0, description="Messages whose audio is missing, damaged or cannot be decoded.")
    n_shards: int = Field(default=0, description="Dataset files written.")


class ExportReport(ExportProgress):
    """Result of an export, and the present contents of the directory."""

    is_full: bool = Field(description="Everything was compared, not only what had changed.")
    n_messages: int = Field(description="Messages in the export now.")
    n_references: int = Field(description="Those of them that have a reference.")
    audio_s: float = Field(description="Seconds of exported audio.")
    directory: str = Field(description="Where it lies, on the machine of data_loader.")
    wall_s: float = Field(description="How long it took, seconds.")


class ExportFailure(Value):
    """Error that ended an export early; the next export continues where this export stopped."""

    code: str
    message: str


class ExportState(Value):
    """State of the running export, or of the last one since the service started."""

    run: int = Field(description="Counts the exports since the service started; 0: none yet.")
    is_running: bool
    progress: ExportProgress = ExportProgress()
    report: ExportReport | None = None
    failure: ExportFailure | None = None


class Health(Value):
    """State of the service."""

    status: str
    store: str = Field(description="directory or s3.")
    version: str
