"""A small package index over real HTTP: the simple pages and the wheels, and faults on request."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_PIECES = 4


@dataclass
class Index:
    """Packages, with the requests for them.

    Attributes:
        wheels: content by file name.
        stuck_at: file name of a wheel of which only three quarters are sent, until `go_on` is set.
        go_on: lets the rest go.
        requests: names of the wheels that were asked for.
    """

    wheels: dict[str, bytes]
    stuck_at: str = ""
    go_on: threading.Event = field(default_factory=threading.Event)
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def page(self, package: str) -> bytes | None:
        """The simple page of a package; None where there is none."""
        links = [
            f'<a href="/files/{name}#sha256={hashlib.sha256(content).hexdigest()}">{name}</a>'
            for name, content in self.wheels.items()
            if name.startswith(f"{package.replace('-', '_')}-")
        ]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None


def wheel(package: str, version: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel that holds data."""
    name = f"{package.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}.dist-info/WHEEL", tags)
        archive.writestr(f"{name}.dist-info/RECORD", "")
    return buffer.getvalue()


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """Serve `index` on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(index, self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    index.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield index
    finally:
        index.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(index: Index, request: BaseHTTPRequestHandler) -> None:
    path = urlsplit(request.path).path
    if (found := re.fullmatch(r"/simple/([\w.-]+)/", path)) and (page := index.page(found[1])):
        _begin(request, "text/html", len(page))
        request.wfile.write(page)
    elif (name := path.removeprefix("/files/")) in index.wheels:
        index.requests.append(name)
        content = index.wheels[name]
        _begin(request, "application/octet-stream", len(content))
        cut = len(content) * (_PIECES - 1) // _PIECES
        request.wfile.write(content[:cut])
        if name == index.stuck_at:
            index.go_on.wait()
        try:
            request.wfile.write(content[cut:])
        except (BrokenPipeError, ConnectionResetError):  # the one who asked was killed
            return
    else:
        request.send_error(404)


def _begin(request: BaseHTTPRequestHandler, kind: str, length: int) -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(length))
    request.end_headers()
