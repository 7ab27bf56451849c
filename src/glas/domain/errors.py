"""Every error that Glas raises on purpose, in one tree.

    GlasError
    ├── InputError (ValueError)                the caller can mend it
    │   ├── InvalidParameterError              a field has a value that is not allowed
    │   │   └── ImplausibleCorrectionError     a correction that can hardly be what was said
    │   ├── NotFoundError (LookupError)        no person, message or other thing of that name
    │   │   └── UnknownPersonError             nobody registered under this Telegram id
    │   ├── ConflictError                      the same thing was said before, differently
    │   │   └── WouldReplaceError              something is there already, and nobody said that it may go
    │   ├── BackupError                        a backup is damaged, or no backup
    │   ├── DataSetError                       recordings with reference texts that cannot be read
    │   ├── UploadTooLargeError                more bytes than the limit
    │   └── AudioError
    │       ├── EmptyAudioError                no bytes, or no sample in them
    │       ├── NoSoundTrackError              a film without sound
    │       ├── UnsupportedFormatError         not a format that we accept
    │       ├── CorruptAudioError              the right format, but it cannot be decoded
    │       ├── AudioTooLongError              more seconds than the limit
    │       └── DecodeLimitError               decoding asked for too much memory, processor or wall time
    ├── ModelError
    │   ├── UnknownModelError (LookupError)    no model of that name
    │   ├── ModelFileMissingError (FileNotFoundError)  a model directory lacks a file
    │   ├── ModelLoadError                     the files are there and cannot be loaded
    │   └── HubUnreachableError (ConnectionError)      weights cannot be fetched
    ├── ServiceError
    │   ├── AuthenticationError                no key, or a wrong one
    │   ├── ForbiddenError (PermissionError)   known, but not allowed to do this
    │   ├── OverloadedError                    the queue is full; come back after `retry_after_s`
    │   ├── ServiceUnreachableError (ConnectionError)  nobody answers
    │   ├── ServiceTimeoutError (TimeoutError) no answer in time
    │   └── ServiceFaultError                  an answer that is not one of ours, or a fault within
    └── ConfigurationError (ValueError)        a setting is wrong
        └── DataDirectoryInUseError            another process works in the data directory

`code` is stable: it travels in HTTP bodies and logs, and `from_code` makes the same error out of it on the other side.
"""

from typing import ClassVar


class GlasError(Exception):
    """Root of the tree.

    Attributes:
        code: stable machine-readable name.
        status: the HTTP status under which services report it.
        param: the request field at fault, where there is one.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.message


class InputError(GlasError, ValueError):
    """What the caller sent cannot be accepted."""

    code = "invalid_input"
    status = 400


class InvalidParameterError(InputError):
    """A field has a value that is not allowed."""

    code = "invalid_parameter"


class ImplausibleCorrectionError(InvalidParameterError):
    """A correction is too far from what was heard, or too long for the time, to be what was said."""

    code = "correction_implausible"


class NotFoundError(InputError, LookupError):
    """There is no person, message or other thing of that name."""

    code = "not_found"
    status = 404


class UnknownPersonError(NotFoundError):
    """Nobody registered under this Telegram id."""

    code = "person_unknown"


class ConflictError(InputError):
    """It was done before with other values, or the state of the thing does not allow it."""

    code = "conflict"
    status = 409


class WouldReplaceError(ConflictError):
    """Something is there already, and nobody said that it may be replaced."""

    code = "would_replace"


class BackupError(InputError):
    """A backup is damaged, unfinished or not one of ours; nothing was changed."""

    code = "backup_invalid"


class DataSetError(InputError):
    """A folder or manifest of recordings is not what it should be, or names audio that is not there."""

    code = "data_set_invalid"


class UploadTooLargeError(InputError):
    """The request body has more bytes than the limit."""

    code = "upload_too_large"
    status = 413


class AudioError(InputError):
    """The bytes do not give samples."""

    code = "audio_invalid"


class EmptyAudioError(AudioError):
    """There are no bytes, or no sample in them."""

    code = "audio_empty"


class NoSoundTrackError(AudioError):
    """The file is a film without any sound."""

    code = "audio_no_sound_track"


class UnsupportedFormatError(AudioError):
    """The bytes belong to no accepted format."""

    code = "audio_format_unsupported"


class CorruptAudioError(AudioError):
    """The format is right, but the content cannot be decoded."""

    code = "audio_corrupt"


class AudioTooLongError(AudioError):
    """The audio has more seconds than the limit."""

    code = "audio_too_long"


class DecodeLimitError(AudioError):
    """Decoding asked for more memory, processor time or wall time than it may have."""

    code = "audio_decode_limit"


class ModelError(GlasError):
    """A model cannot be used."""

    code = "model_error"


class UnknownModelError(ModelError, LookupError):
    """No model of that name is known."""

    code = "model_unknown"
    status = 404


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A model directory lacks a file; the message names both."""

    code = "model_file_missing"


class ModelLoadError(ModelError):
    """The files of a model are there, but they cannot be loaded."""

    code = "model_load_failed"


class HubUnreachableError(ModelError, ConnectionError):
    """Weights cannot be fetched; the message names the directory to fill by hand."""

    code = "hub_unreachable"
    status = 502


class ServiceError(GlasError):
    """A service could not do its work."""

    code = "service_error"


class AuthenticationError(ServiceError):
    """No key was given, or a wrong one."""

    code = "invalid_api_key"
    status = 401


class ForbiddenError(ServiceError, PermissionError):
    """The one who asks is known, but may not do this."""

    code = "forbidden"
    status = 403


class OverloadedError(ServiceError):
    """The queue is full; `retry_after_s` says when to come back."""

    code = "overloaded"
    status = 503


class ServiceUnreachableError(ServiceError, ConnectionError):
    """Nobody answers at the address of a service."""

    code = "service_unreachable"
    status = 502


class ServiceTimeoutError(ServiceError, TimeoutError):
    """A service did not answer in time."""

    code = "service_timeout"
    status = 504


class ServiceFaultError(ServiceError):
    """A service failed within, or its answer is not one that we understand."""

    code = "service_fault"
    status = 500


class ConfigurationError(GlasError, ValueError):
    """A setting has a value with which the program must not start."""

    code = "configuration"


class DataDirectoryInUseError(ConfigurationError):
    """Another process works in the data directory."""

    code = "data_dir_in_use"


def _tree(root: type[GlasError]) -> dict[str, type[GlasError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def from_code(code: str, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> GlasError:
    """Make the error that `code` names; an unknown code gives a `ServiceFaultError`."""
    cls = _tree(GlasError).get(code, ServiceFaultError)
    return cls(message, param=param, retry_after_s=retry_after_s)


def to_body(error: GlasError) -> dict[str, dict[str, str | None]]:
    """The JSON body under which an error travels: the shape of OpenAI's API, which its clients understand."""
    kind = "invalid_request_error" if error.status < GlasError.status else "server_error"
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def from_body(status: int, body: object, *, retry_after_s: float | None = None) -> GlasError:
    """The error that an HTTP answer carries; an answer that is not ours gives a `ServiceFaultError`."""
    match body:
        case {"error": {"message": str(message), "code": str(code), **rest}}:
            param = rest.get("param")
            return from_code(
                code, message, param=param if isinstance(param, str) else None, retry_after_s=retry_after_s
            )
        case _:
            return ServiceFaultError(
                f"expected an answer or an error body, got status {status} with {str(body)[:200]!r}"
            )
