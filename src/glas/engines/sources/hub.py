"""List and download files of a repository of the model hub over plain HTTP; downloads can be resumed.

huggingface_hub is not used. Version 2 of huggingface_hub deletes an incomplete file when the connection breaks, and
files of models have hundreds of megabytes. Only two addresses of the hub are needed, which every mirror also has:
`/api/models/{repository}/revision/{revision}?blobs=true` and `/{repository}/resolve/{commit}/{file}`.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from glas.domain.errors import HubUnreachableError, ModelLoadError
from glas.engines.sources import unfinished
from glas.system.files import sha256_of

# The time after which a person at a terminal learns that there is no network. The look-up of a name has no time limit,
# and takes half a minute if the name servers cannot be reached. So the limit is for the whole request.
REACH_S = 8.0
# Time without data in the middle of a file, after which the connection is closed and opened again.
STALL_S = 20.0
# Number of attempts in a row without a single byte, after which a download fails.
ATTEMPTS = 3
PAUSE_S = 1.0

OnBytes = Callable[[int, int], None]
"""A function that is called with the number of bytes of a file that have arrived, and the size of the file."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        path: path of the file in the repository.
        url: address of the file's content at a fixed commit.
        size: size of the file in bytes.
        digest: hash of the content, hexadecimal.
        digest_kind: `sha256` for large files; `git` (the hash of a git blob) for small files; empty if there is no
            hash.
    """

    path: str
    url: str
    size: int
    digest: str
    digest_kind: str


def client() -> httpx.Client:
    """Make an HTTP client for the hub; the client uses the usual environment variables for proxies."""
    timeout = httpx.Timeout(REACH_S, read=STALL_S)
    return httpx.Client(timeout=timeout, follow_redirects=True, headers={"Accept-Encoding": "identity"})


def listing(http: httpx.Client, endpoint: str, repository: str, revision: str = "main") -> list[RemoteFile]:
    """List the files of a repository at a branch or a commit.

    Raises:
        HubUnreachableError: there is no answer within `REACH_S` seconds, or the answer is not that of a hub.
    """
    url = f"{endpoint}/api/models/{repository}/revision/{quote(revision, safe='')}"
    answer = _within(REACH_S, lambda: http.get(url, params={"blobs": "true"}, timeout=REACH_S), url)
    if not answer.is_success:
        raise HubUnreachableError(f"{url} answers {answer.status_code}")
    try:
        content = answer.json()
        commit, siblings = content["sha"], content["siblings"]
        return [_remote_file(f"{endpoint}/{repository}/resolve/{commit}", sibling) for sibling in siblings]
    except (ValueError, KeyError, TypeError) as error:
        raise HubUnreachableError(f"{url} does not answer as a model hub does ({error!r})") from error


def download(http: httpx.Client, remote: RemoteFile, target: Path, on_bytes: OnBytes) -> None:
    """Download a file; a second call continues an interrupted download, if the file in the repository has not changed.

    Raises:
        HubUnreachableError: `ATTEMPTS` attempts in a row failed; the incomplete file stays for the next call.
        ModelLoadError: the file does not have the hash that the hub states; the file is deleted.
    """
    if (
        target.is_file()
        and target.stat().st_size == remote.size
        and _digest(target, remote.digest_kind) == remote.digest
    ):
        on_bytes(remote.size, remote.size)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = unfinished(target, remote.digest)
    fruitless = 0
    part.touch()
    while (have := part.stat().st_size) < remote.size:
        try:
            _continue(http, remote, part, have, on_bytes)
        except (httpx.TransportError, HubUnreachableError) as error:
            fruitless = 0 if part.stat().st_size > have else fruitless + 1
            if fruitless == ATTEMPTS:
                raise HubUnreachableError(f"{remote.url}: {error or type(error).__name__}") from error
            time.sleep(PAUSE_S * fruitless)
    if (got := _digest(part, remote.digest_kind)) != remote.digest:
        part.unlink()
        raise ModelLoadError(
            f"{remote.url}: expected {remote.digest_kind} {remote.digest}, got {got}. The file is deleted; try again."
        )
    part.replace(target)


def _continue(http: httpx.Client, remote: RemoteFile, part: Path, have: int, on_bytes: OnBytes) -> None:
    with http.stream("GET", remote.url, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
        if not answer.is_success:
            raise HubUnreachableError(f"answers {answer.status_code}")
        # A server that ignores the range sends everything again with 200.
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            # The bytes are written as they arrive. If they were collected into larger pieces, the last piece would be
            # lost when the connection breaks.
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                on_bytes(done, remote.size)
    if done < remote.size:
        raise HubUnreachableError(f"expected {remote.size} bytes, got {done}")


def _remote_file(base_url: str, sibling: dict[str, Any]) -> RemoteFile:
    path, large = sibling["rfilename"], sibling.get("lfs")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(path)
    if large:
        return RemoteFile(path, f"{base_url}/{path}", int(large["size"]), large["sha256"], "sha256")
    digest = sibling.get("blobId") or ""
    return RemoteFile(path, f"{base_url}/{path}", int(sibling["size"]), digest, "git" if digest else "")


def _digest(path: Path, kind: str) -> str:
    match kind:
        case "sha256":
            return sha256_of(path)
        case "git":
            content = path.read_bytes()  # only small files have no other hash
            return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
        case _:
            return ""


def _within(seconds: float, request: Callable[[], httpx.Response], url: str) -> httpx.Response:
    answers: list[httpx.Response] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(request())
        except (httpx.HTTPError, OSError) as error:
            errors.append(error)

    # A daemon, so that a name server that never answers cannot keep the program from ending.
    asking = threading.Thread(target=ask, daemon=True, name="hub")
    asking.start()
    asking.join(seconds)
    if answers:
        return answers[0]
    reason = str(errors[0]) or type(errors[0]).__name__ if errors else f"no answer within {seconds:g} s"
    raise HubUnreachableError(f"{url}: {reason}")
