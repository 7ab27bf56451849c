"""Define all exceptions of Glas, in this tree of classes.

    GlasError
    ├── InputError (ValueError)                the input is wrong; the caller can correct it
    │   ├── InvalidParameterError              a field has a value that is not allowed
    │   │   └── ImplausibleCorrectionError     a correction or review without words, or an overlong review
    │   ├── NotFoundError (LookupError)        nothing with this name or id exists
    │   │   └── UnknownPersonError             nobody is registered with the given Telegram id
    │   ├── ConflictError                      the request contradicts stored data
    │   │   └── WouldReplaceError              a file exists already, and replacing it was not requested
    │   ├── BackupError                        a file is a damaged backup, or not a backup
    │   │   └── BackupEncryptedError           a backup is encrypted, and the right secret key was not given
    │   ├── DataSetError                       recordings for training or evaluation are missing or unusable
    │   ├── UploadTooLargeError                more bytes than the limit
    │   └── AudioError
    │       ├── EmptyAudioError                the file has no bytes or no sample
    │       ├── NoSoundTrackError              a video without sound
    │       ├── UnsupportedFormatError         not a format that Glas accepts
    │       ├── CorruptAudioError              an accepted format, but the content cannot be decoded
    │       ├── AudioTooLongError              more seconds than the limit
    │       └── DecodeLimitError               decoding needs too much memory, processor time or wall time
    ├── ModelError
    │   ├── UnknownModelError (LookupError)    no model of that name
    │   ├── ModelFileMissingError (FileNotFoundError)  a model directory lacks a file
    │   ├── ModelLoadError                     the files exist but cannot be loaded
    │   └── HubUnreachableError (ConnectionError)      weights cannot be downloaded
    ├── ServiceError
    │   ├── AuthenticationError                no API key, or a wrong API key
    │   ├── ForbiddenError (PermissionError)   the caller is known, but the request is not permitted
    │   ├── OverloadedError                    the queue is full; try again after `retry_after_s`
    │   ├── ServiceStoppingError               the service is about to end and accepts no new requests
    │   ├── ServiceUnreachableError (ConnectionError)  no connection
    │   ├── ServiceTimeoutError (TimeoutError) no answer in time
    │   └── ServiceFaultError                  an answer of unknown format, or an internal error
    └── ConfigurationError (ValueError)        a setting is wrong
        └── DataDirectoryInUseError            another process works in the data directory

Each exception has a code, which never changes. The code is written into HTTP bodies and logs. The HTTP client converts
the code in an answer to the exception that has this code; see `glas.domain.error_bodies`.
"""

from typing import ClassVar


class GlasError(Exception):
    """Base class of all exceptions of Glas.

    Attributes:
        code: name of the kind of error for programs; it never changes.
        status: HTTP status with which a service answers this error.
        param: the wrong field of the request, if any.
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
    """The input that a caller gave is wrong."""

    code = "invalid_input"
    status = 400


class InvalidParameterError(InputError):
    """A field has a value that is not allowed."""

    code = "invalid_parameter"


class ImplausibleCorrectionError(InvalidParameterError):
    """A correction or review contains no word, or a review is longer than what can be said in its recording."""

    code = "correction_implausible"


class NotFoundError(InputError, LookupError):
    """Nothing with the requested name or id exists, for example no such person or message."""

    code = "not_found"
    status = 404


class UnknownPersonError(NotFoundError):
    """No person with the given Telegram id is registered."""

    code = "person_unknown"


class ConflictError(InputError):
    """The request contradicts stored data. For example, something with the same name exists with other values."""

    code = "conflict"
    status = 409


class WouldReplaceError(ConflictError):
    """A file or directory exists already, and the caller did not ask to replace it."""

    code = "would_replace"


class BackupError(InputError):
    """A backup is damaged, incomplete, or not made by Glas; nothing was changed."""

    code = "backup_invalid"


class BackupEncryptedError(BackupError):
    """A backup is encrypted, and none of the given secret keys can decrypt it; nothing was changed."""

    code = "backup_encrypted"


class DataSetError(InputError):
    """Recordings for a training or an evaluation are missing, or the list of them has a wrong format."""

    code = "data_set_invalid"


class TooFewReferencesError(DataSetError):
    """There are no corrected recordings yet for a training, or none for the test of its model."""

    code = "references_too_few"


class UploadTooLargeError(InputError):
    """The request body has more bytes than the limit."""

    code = "upload_too_large"
    status = 413


class AudioError(InputError):
    """The bytes cannot be decoded to samples."""

    code = "audio_invalid"


class EmptyAudioError(AudioError):
    """The file is empty, or contains no sample."""

    code = "audio_empty"


class NoSoundTrackError(AudioError):
    """The file is a video without sound."""

    code = "audio_no_sound_track"


class UnsupportedFormatError(AudioError):
    """The bytes belong to no accepted format."""

    code = "audio_format_unsupported"


class CorruptAudioError(AudioError):
    """The file has an accepted format, but its content cannot be decoded."""

    code = "audio_corrupt"


class AudioTooLongError(AudioError):
    """The recording is longer than is permitted."""

    code = "audio_too_long"


class DecodeLimitError(AudioError):
    """Decoding exceeded its limit of memory, processor time or wall time."""

    code = "audio_decode_limit"


class ModelError(GlasError):
    """A model cannot be used."""

    code = "model_error"


class UnknownModelError(ModelError, LookupError):
    """No model with the requested name is known."""

    code = "model_unknown"
    status = 404


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A file is missing in a model's directory; the error text names the file and the directory."""

    code = "model_file_missing"


class ModelLoadError(ModelError):
    """The files of a model exist but cannot be loaded."""

    code = "model_load_failed"


class HubUnreachableError(ModelError, ConnectionError):
    """Weights cannot be downloaded; the error text names the directory into which a person can put the weights."""

    code = "hub_unreachable"
    status = 502


class ServiceError(GlasError):
    """A service could not do what the caller requested."""

    code = "service_error"


class AuthenticationError(ServiceError):
    """The caller sent no API key, or a wrong API key."""

    code = "invalid_api_key"
    status = 401


class ForbiddenError(ServiceError, PermissionError):
    """The caller is known but not permitted to make this request."""

    code = "forbidden"
    status = 403


class OverloadedError(ServiceError):
    """The queue of requests is full; `retry_after_s` is the number of seconds to wait before a new request."""

    code = "overloaded"
    status = 503


class ServiceStoppingError(ServiceError):
    """The service is about to end and accepts no new requests; after its restart, it accepts requests."""

    code = "service_stopping"
    status = 503


class ServiceUnreachableError(ServiceError, ConnectionError):
    """No connection to the service is possible."""

    code = "service_unreachable"
    status = 502


class ServiceTimeoutError(ServiceError, TimeoutError):
    """A service did not answer in time."""

    code = "service_timeout"
    status = 504


class ServiceFaultError(ServiceError):
    """A service had an internal error, or its answer has an unknown format."""

    code = "service_fault"
    status = 500


class ConfigurationError(GlasError, ValueError):
    """A setting has a value with which the program cannot start or must not start."""

    code = "configuration"


class DataDirectoryInUseError(ConfigurationError):
    """Another process has locked the data directory."""

    code = "data_dir_in_use"
