"""A small model hub over real HTTP: the two addresses that a download needs, ranges, and faults on request."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"

_LARGE = (".onnx", ".safetensors", ".bin")


@dataclass
class Hub:
    """One repository, with the requests that it received.

    Attributes:
        repository: `owner/name`.
        files: content by path.
        cut_after: bytes after which an answer with a file breaks off; each entry is used once, first come first cut.
        sent: bytes of content sent so far, by path.
        requests: paths asked for.
        lies: sends other bytes than the hashes promise.
        pause: files are sent only once it is set; None sends them at once.
        revision: the branch or commit under which the files are listed.
        deaf: answers to ranges with the whole file, as some proxies do.
    """

    repository: str
    files: dict[str, bytes]
    cut_after: list[int] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    lies: bool = False
    deaf: bool = False
    pause: threading.Event | None = None
    revision: str = "main"
    address: str = ""

    def listing(self) -> dict[str, object]:
        """Answer of `/api/models/…/revision/…?blobs=true`: weights are large files, texts are git blobs."""
        siblings: list[dict[str, object]] = []
        for path, content in self.files.items():
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
            sibling: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": blob}
            if path.endswith(_LARGE):
                sibling["lfs"] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                }
            siblings.append(sibling)
        return {"id": self.repository, "sha": COMMIT, "siblings": siblings}


def files_of(directory: Path) -> dict[str, bytes]:
    """Content of all files of a directory, by path."""
    found = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(hub, self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(hub: Hub, request: BaseHTTPRequestHandler) -> None:
    path = urlsplit(request.path).path
    hub.requests.append(path)
    base = f"/{hub.repository}/resolve/{COMMIT}/"
    store = "/store/"
    if path == f"/api/models/{hub.repository}/revision/{hub.revision}" and "blobs=true" in request.path:
        _send(request, json.dumps(hub.listing()).encode())
    elif path.startswith(base) and (name := path.removeprefix(base)) in hub.files:
        if name.endswith(_LARGE):  # large files lie elsewhere, with the real hub too
            request.send_response(302)
            request.send_header("Location", f"{hub.address}{store}{name}")
            request.end_headers()
        else:
            _send_file(hub, request, name)
    elif path.startswith(store):
        _send_file(hub, request, path.removeprefix(store))
    else:
        request.send_error(404)


def _send_file(hub: Hub, request: BaseHTTPRequestHandler, name: str) -> None:
    if hub.pause is not None:
        hub.pause.wait()
    content = hub.files[name][::-1] if hub.lies else hub.files[name]
    asked = request.headers.get("Range", "")
    begin = 0 if hub.deaf or not asked else int(asked.removeprefix("bytes=").removesuffix("-"))
    kept = hub.cut_after.pop(0) if hub.cut_after else len(content)
    hub.sent[name] = hub.sent.get(name, 0) + len(content[begin:][:kept])
    _send(request, content[begin:], kept=kept, status=206 if begin else 200)


def _send(request: BaseHTTPRequestHandler, body: bytes, *, kept: int | None = None, status: int = 200) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[:kept])  # HTTP/1.0: the connection ends here, before its time if less was kept
