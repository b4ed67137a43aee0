"""The frontend's side of the worker protocol (0.12.0 ModelRequestEncoder, ModelResponseDecoder).

All numbers are 32-bit, big-endian, signed; every text has its length in bytes before it.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import NamedTuple

from ts_retry_ext.worker.protocol import HTTP_OK, LOAD, PREDICT, LoadRequest

_END = struct.pack("!i", -1)
MAX_TEXT = 1 << 30
_STREAM_NEXT = "ts_stream_next"


class WorkerDiedError(Exception):
    """The worker closed the connection."""


class NoAnswerError(Exception):
    """The worker did not answer in time."""


class Prediction(NamedTuple):
    """What a handler answered to one request.

    Attributes:
        status: HTTP status.
        content_type: empty where the handler named none.
        body: what the client gets.
        goes_on: whether more of a streamed answer follows.
    """

    status: int
    content_type: str
    body: bytes
    goes_on: bool


class Response(NamedTuple):
    """One answer of a worker: an HTTP status for all of it, a message, and predictions."""

    code: int
    message: str
    predictions: tuple[Prediction, ...]

    @property
    def is_ok(self) -> bool:
        """Tell whether the worker did what it was asked."""
        return self.code == HTTP_OK and all(p.status < 400 for p in self.predictions)


def load_message(request: LoadRequest) -> bytes:
    """Return the LOAD message that the frontend sends for `request`."""
    return b"".join(
        (
            LOAD,
            _text(request.model_name),
            _text(request.model_path),
            struct.pack("!i", request.batch_size if request.batch_size > 0 else 1),
            _text(request.handler),
            struct.pack("!i", -1 if request.gpu is None else request.gpu),
            _text(request.envelope),
            struct.pack("!?", request.limit_max_image_pixels),
        )
    )


def predict_request(request_id: str, body: bytes, content_type: str | None) -> bytes:
    """Return a PREDICT message with one request, as ``POST /predictions/M`` makes it."""
    headers = {"host": "localhost", "content-length": str(len(body))}
    if content_type:
        headers["content-type"] = content_type
    fields = b"".join(_text(name) + _text(value) for name, value in headers.items())
    # The frontend takes the parameter's type without what follows a semicolon, such as a charset.
    kind = (content_type or "").partition(";")[0].strip()
    parameter = _text("body") + _text(kind) + struct.pack("!i", len(body)) + body
    return PREDICT + _text(request_id) + fields + _END + parameter + _END + _END


def read_response(connection: socket.socket, until: float) -> Response:
    """Read one answer of a worker; give up at `until`, by `time.monotonic`.

    Raises:
        WorkerDiedError: the worker closed the connection.
        NoAnswerError: it did not answer in time.
        ValueError: this is not the protocol we know.
    """
    reader = _Reader(connection, until)
    code, message = reader.integer(), reader.text()
    predictions: list[Prediction] = []
    while True:
        length = reader.integer()
        if length == -1:
            return Response(code, message, tuple(predictions))
        reader.data(length)  # the request's id
        content_type, status = reader.text(), reader.integer()
        reader.text()  # the reason phrase
        headers = {reader.text(): reader.text() for _ in range(reader.integer())}
        body = reader.data(reader.integer())
        goes_on = headers.get(_STREAM_NEXT) == "true"
        predictions.append(Prediction(status, content_type, body, goes_on))


class _Reader:
    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def integer(self) -> int:
        return int(struct.unpack("!i", self.data(4))[0])

    def text(self) -> str:
        return self.data(self.integer()).decode("utf-8", "replace")

    def data(self, length: int) -> bytes:
        if not 0 <= length <= MAX_TEXT:
            msg = f"a text of {length} bytes in a message of the worker"
            raise ValueError(msg)
        data = bytearray()
        while len(data) < length:
            left = self._until - time.monotonic()
            if left <= 0:
                raise NoAnswerError
            self._connection.settimeout(left)
            try:
                part = self._connection.recv(min(length - len(data), 1 << 20))
            except socket.timeout:
                raise NoAnswerError from None
            except OSError as error:
                raise WorkerDiedError from error
            if not part:
                raise WorkerDiedError
            data += part
        return bytes(data)


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack("!i", len(data)) + data
