"""Open an object store."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import LocalStore, S3Store

from glas.domain.errors import InvalidParameterError
from glas.s3.store import Store
from glas.system.files import make_directory

if TYPE_CHECKING:
    from obstore.store import S3Config  # exists for type checkers only

_CONNECT_S = 3
_REQUEST_S = 30  # to send or receive one part of an object
_RETRY_S = 15  # how long obstore itself tries again when the endpoint refuses or answers 5xx


def open_store(
    *,
    directory: Path | None = None,
    endpoint: str | None = None,
    bucket: str = "glas",
    access_key: str | None = None,
    secret_key: str | None = None,
) -> Store:
    """Open an object store: a bucket at `endpoint`, or a directory if `endpoint` is None. No request is sent.

    Args:
        directory: directory in which the objects are stored as files; it is created if it is missing.
        endpoint: address of an S3 server, e.g. `http://s3:8333`.
        bucket: name of the bucket.
        access_key: id of the key with which requests are signed. If `access_key` or `secret_key` is None, requests are
            not signed.
        secret_key: secret of the key whose id is `access_key`.
    """
    if endpoint is None:
        if directory is None:
            raise InvalidParameterError("expected a directory or an endpoint, got neither")
        make_directory(directory)
        return Store(LocalStore(directory, automatic_cleanup=True), directory)
    config: S3Config = {"skip_signature": True}
    if access_key is not None and secret_key is not None:
        config = {"access_key_id": access_key, "secret_access_key": secret_key}
    inner = S3Store(
        bucket,
        config=config,
        endpoint=endpoint,
        region="us-east-1",  # part of the signature; self-hosted servers accept this region
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_S),
            "timeout": timedelta(seconds=_REQUEST_S),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_S)},
    )
    return Store(inner, None)
