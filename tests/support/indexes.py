"""Package indexes on this machine: one serves wheels, one breaks off, one wants a password."""

from __future__ import annotations

import base64
import functools
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["Moody", "breaking_off", "dated", "locked", "moody", "private", "serving", "trickling"]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's own output is enough."""


class _BreakingOff(_Silent):
    def do_GET(self) -> None:
        """Announce the whole wheel, send half of it, and hang up."""
        path = Path(self.translate_path(self.path))
        if path.suffix != ".whl":
            return super().do_GET()
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True


class _Locked(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's own output is enough."""

    def do_GET(self) -> None:
        """Ask for a password, whatever was given."""
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 (the name is the protocol's)


@contextmanager
def _running(
    handler: Callable[..., BaseHTTPRequestHandler],
    context: ssl.SSLContext | None = None,
) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(
    wheels: Path,
    folder: Path,
    handler: type[_Silent] = _Silent,
    context: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve the wheels as a simple index laid out below `folder`; the value is its address.

    `context`: over TLS.
    """
    lay_out(wheels, folder)
    with _running(functools.partial(handler, directory=str(folder)), context) as port:
        yield f"http{'s' if context else ''}://127.0.0.1:{port}/simple/"


def lay_out(wheels: Path, folder: Path) -> None:
    """Make a simple index (PEP 503) below `folder` that knows these wheels, and those it knew."""
    for wheel in wheels.glob("*.whl"):
        project = folder / "simple" / wheel.name.split("-")[0].replace("_", "-")
        project.mkdir(parents=True, exist_ok=True)
        if not (project / wheel.name).exists():
            (project / wheel.name).hardlink_to(wheel)
        links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in project.glob("*.whl"))
        (project / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")


@contextmanager
def private(wheels: Path, folder: Path, user: str, password: str) -> Iterator[str]:
    """Serve the wheels, and whatever lies below `folder`, to this user alone, and slowly.

    The value is host and port.
    """
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(_Silent):
        def do_GET(self) -> None:
            time.sleep(0.02)  # time enough for others to look at the command lines
            if self.headers.get("Authorization") == wanted:
                return super().do_GET()
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    lay_out(wheels, folder)
    with _running(functools.partial(Handler, directory=str(folder))) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def dated(folder: Path, uploaded: Mapping[str, str], status: int = 200) -> Iterator[str]:
    """Serve the wheels in `folder` by the JSON API, each with the upload time of its version.

    PEP 691 and 700; a version without a time has none. `status`: answer so to everybody instead.
    """

    class Handler(_Silent):
        def do_GET(self) -> None:
            if status != 200:
                return self.send_error(status)
            kind, name = self.path.strip("/").split("/")
            if kind == "files":
                return self._answer((folder / name).read_bytes(), "application/zip")
            wheels = [w for w in folder.glob("*.whl") if w.name.split("-")[0] == name]
            if not wheels:
                return self.send_error(404)
            files = [self._file(wheel) for wheel in wheels]
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
            page["versions"] = [wheel.name.split("-")[1] for wheel in wheels]
            return self._answer(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")

        def _file(self, wheel: Path) -> dict[str, object]:
            file: dict[str, object] = {"filename": wheel.name, "url": f"/files/{wheel.name}"}
            file |= {"hashes": {}, "size": wheel.stat().st_size}
            when = uploaded.get(wheel.name.split("-")[1])
            return {**file, "upload-time": when} if when else file

        def _answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with _running(Handler) as port:
        yield f"http://127.0.0.1:{port}/simple/"


class Moody:
    """An index that can be told to stall (take every question, answer none) or to fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.mood = "serving"
        self.asked = threading.Event()
        """Set once it was asked in its present mood."""
        self.over = threading.Event()

    def turn(self, mood: str) -> None:
        """Change to `serving`, `stalling` or `failing`."""
        self.mood = mood
        self.asked.clear()

    def handler(self) -> type[_Silent]:
        """Return the handler of its requests."""
        index = self

        class Handler(_Silent):
            def end_headers(self) -> None:
                self.send_header("Cache-Control", "max-age=0")
                super().end_headers()

            def do_GET(self) -> None:
                index.asked.set()
                del self.headers["If-Modified-Since"]  # a test changes pages within a second
                if index.mood == "stalling":
                    index.over.wait(60)
                    self.close_connection = True
                elif index.mood == "failing":
                    self.send_error(500)
                else:
                    super().do_GET()

        return Handler


@contextmanager
def moody(wheels: Path, folder: Path) -> Iterator[Moody]:
    """Serve the wheels from an index whose mood the test changes."""
    index = Moody(folder)
    with serving(wheels, folder, index.handler()) as address:
        index.address = address
        yield index
        index.over.set()


@contextmanager
def trickling(content: bytes = b" " * 10_000) -> Iterator[str]:
    """Answer every request, one byte in a second: no read ever waits long."""
    over = threading.Event()

    class Handler(_Silent):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(OSError):
                for byte in content:
                    if over.wait(1):
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()

    with _running(Handler) as port:
        yield f"http://127.0.0.1:{port}/simple/"
        over.set()


@contextmanager
def breaking_off(wheels: Path, folder: Path) -> Iterator[str]:
    """Serve the wheels in the same way, but no more than the first half of each."""
    with serving(wheels, folder, _BreakingOff) as address:
        yield address


@contextmanager
def locked() -> Iterator[int]:
    """Answer 401 to everybody; the value is the port."""
    with _running(_Locked) as port:
        yield port
