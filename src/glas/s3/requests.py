"""Record a span for each request to the object store; convert errors of the library obstore into errors of Glas."""

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from glas import tracing
from glas.domain.errors import NotFoundError, ServiceFaultError, ServiceUnreachableError

_NO_BUCKET = "NoSuchBucket"


@contextmanager
def request(operation: str, subject: str, *, is_directory: bool) -> Iterator[None]:
    """Record a span that lasts as long as the context; convert errors of obstore in the context into errors of Glas.

    An error of Glas contains only the first line of obstore's message. The other lines are technical details of the
    request.

    Args:
        operation: name of the operation, for the trace.
        subject: keys of the objects, or another description of what is accessed, for the message of an error.
        is_directory: whether the object store is a local directory.

    Raises:
        NotFoundError: an object does not exist.
        ServiceUnreachableError: the endpoint cannot be reached.
        ServiceFaultError: the endpoint refuses the access key, or the file system reports an error.
    """
    try:
        with tracing.span("s3", operation):
            yield
    except FileNotFoundError as error:
        raise NotFoundError(f"nothing is stored under {subject}", param="key") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise ServiceFaultError(f"the object store refuses the access key of Glas: {_first_line(error)}") from error
    except BaseError as error:
        if is_directory:
            raise ServiceFaultError(f"the directory of the object store fails: {_first_line(error)}") from error
        raise ServiceUnreachableError(f"the object store cannot be reached: {_first_line(error)}") from error


def lacks_bucket(error: BaseError) -> bool:
    """Return whether an error means that the bucket does not exist; SeaweedFS creates it with the first object."""
    return _NO_BUCKET in str(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
