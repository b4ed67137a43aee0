"""A server on loopback that answers as TorchServe's APIs do, and keeps what it was asked."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, Callable, Dict, Iterator, NamedTuple, Tuple

Reply = Tuple[int, Any]
Answers = Dict[str, Any]


class Raw(NamedTuple):
    """An answer that is written as it is, status line and all; the connection is closed after it.

    Attributes:
        write: writes it, and may go on until the client leaves.
    """

    write: Callable[[BufferedIOBase], object]


class Api:
    """A running server.

    Attributes:
        address: its URL.
        answers: for each ``METHOD /path``, with or without the query, what to answer: JSON content,
            a status with content, bytes, `Raw`, or a function that returns one of them.
        asked: ``METHOD /path?query`` of each request.
        keys: the token of each request, or None.
        encodings: the ``Accept-Encoding`` of each request, or None.
    """

    def __init__(self, address: str, answers: Answers) -> None:
        self.address = address
        self.answers = answers
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.encodings: list[str | None] = []

    def answer(self, asked: str, key: str | None) -> Reply:
        """Return what is to be answered."""
        self.asked.append(asked)
        self.keys.append(key)
        content = self.answers.get(asked, self.answers.get(asked.partition("?")[0]))
        if callable(content):
            content = content(key)
        if content is None:
            return 404, {
                "code": 404,
                "type": "ModelNotFoundException",
                "message": "Model not found",
            }
        if isinstance(content, Raw) or not isinstance(content, tuple):
            return 200, content
        return content


class _Server(ThreadingHTTPServer):
    def handle_error(self, *connection: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # The client has left.
            super().handle_error(*connection)


@contextmanager
def serving(answers: Answers | Callable[[str | None], Any]) -> Iterator[Api]:
    """Run such a server for the time of the context."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            header = self.headers.get("Authorization")
            api.encodings.append(self.headers.get("Accept-Encoding"))
            status, content = api.answer(f"{self.command} {self.path}", header)
            if isinstance(content, Raw):
                self.close_connection = True
                with suppress(OSError):  # The client has left.
                    content.write(self.wfile)
                return
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_OPTIONS = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    api = Api(f"http://127.0.0.1:{server.server_address[1]}", answers)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def described(name: str = "m", version: str = "1.0", **changes: Any) -> dict[str, Any]:
    """Return an entry of the describe API as 0.12.0 gives it, with changes."""
    worker = {"id": "9000", "startTime": "2026-01-01T00:00:00.000Z", "status": "READY",
              "memoryUsage": 0, "pid": 77, "gpu": False, "gpuUsage": "N/A"}  # fmt: skip
    return {
        "modelName": name,
        "modelVersion": version,
        "modelUrl": f"{name}.mar",
        "runtime": "python",
        "minWorkers": 1,
        "maxWorkers": 2,
        "maxRetryTimeoutInSec": 300,
        "loadedAtStartup": True,
        "workers": [worker],
        **changes,
    }
