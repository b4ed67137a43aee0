"""The few messages of the worker protocol that a holder speaks (``ts/protocol``, 0.12.0).

All numbers are 32-bit, big-endian, signed; every text has its length in bytes before it.
"""

from __future__ import annotations

import socket
import struct
from typing import Mapping, NamedTuple

LOAD = b"L"
PREDICT = b"I"
HTTP_OK = 200
HTTP_INTERNAL_ERROR = 500
HTTP_UNAVAILABLE = 503
_END = struct.pack("!i", -1)
_MAX_TEXT = 1 << 20
_CHUNK = 1 << 16


class LoadRequest(NamedTuple):
    """What a LOAD message says of the model (0.12.0 RequestInput, ModelRequestEncoder).

    Attributes:
        model_name: the name under which the model is registered.
        model_path: the directory that the frontend made for the registration.
        handler: the handler as the manifest names it; without one the frontend sends the path.
        envelope: ``service_envelope``, or empty.
    """

    model_name: str
    model_path: str
    handler: str
    gpu: int | None
    batch_size: int = 1
    envelope: str = ""
    limit_max_image_pixels: bool = True


class Request(NamedTuple):
    """One request of a batch, without its data.

    Attributes:
        id: how the frontend names it.
        headers: those of the HTTP request, names in lower case; a gRPC request has hardly any.
    """

    id: bytes
    headers: dict[str, str]

    @property
    def is_http(self) -> bool:
        """Tell whether it came over HTTP: whatever else a client sends, it names the host."""
        return "host" in self.headers

    @property
    def is_describe(self) -> bool:
        """Tell whether it asks for the model's description, not for a prediction."""
        return self.headers.get("describe", "").lower() == "true"


class DisconnectedError(Exception):
    """The frontend closed the connection."""


def read_command(connection: socket.socket) -> bytes:
    """Return the letter that opens the next message. Raises DisconnectedError, OSError."""
    return _read(connection, 1)


def read_load(connection: socket.socket) -> LoadRequest:
    """Read the rest of a LOAD message.

    Raises:
        DisconnectedError: the frontend closed the connection within the message.
        ValueError: a length is impossible, so this is not the protocol we know.
    """
    name = _read_text(connection)
    path = _read_text(connection)
    batch_size = _read_int(connection)
    handler = _read_text(connection)
    gpu = _read_int(connection)
    envelope = _read_text(connection)
    limited = _read(connection, 1) != b"\0"
    device = gpu if gpu >= 0 else None
    return LoadRequest(name, path, handler, device, batch_size, envelope, limited)


def read_requests(connection: socket.socket) -> list[Request]:
    """Read the rest of a PREDICT message: the batch. What the clients sent is passed over.

    Raises:
        DisconnectedError: the frontend closed the connection within the message.
        ValueError: a length is impossible, so this is not the protocol we know.
    """
    requests: list[Request] = []
    while True:
        length = _read_int(connection)
        if length < 0:
            return requests
        identity = _read(connection, _checked(length))
        headers = {}
        while True:
            length = _read_int(connection)
            if length < 0:
                break
            name = _read(connection, _checked(length)).decode("utf-8", "replace")
            headers[name.lower()] = _read_text(connection)
        while True:
            length = _read_int(connection)
            if length < 0:
                break
            _skip(connection, _checked(length))  # the parameter's name
            _skip(connection, _read_int(connection))  # its content type
            _skip(connection, _read_int(connection))  # its value
        requests.append(Request(identity, headers))


def plain_response(code: int, message: str) -> bytes:
    """Return an answer without predictions: to LOAD, or for every request of a batch, with HTTP status `code`."""
    return struct.pack("!i", code) + _text(message) + _END


def batch_response(
    requests: list[Request],
    code: int,
    phrase: str,
    body: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the answer that gives each request of a batch the same status, headers and JSON `body`."""
    named = headers or {}
    sent = [_text(text) for header in named.items() for text in header]
    parts = [struct.pack("!i", HTTP_OK), _text(phrase)]
    for request in requests:
        parts += [struct.pack("!i", len(request.id)), request.id, _text("application/json")]
        parts += [struct.pack("!i", code), _text(phrase), struct.pack("!i", len(named)), *sent]
        parts.append(_text(body))
    return b"".join([*parts, _END])


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "backslashreplace")
    return struct.pack("!i", len(data)) + data


def _read_int(connection: socket.socket) -> int:
    return int(struct.unpack("!i", _read(connection, 4))[0])


def _read_text(connection: socket.socket) -> str:
    return _read(connection, _checked(_read_int(connection))).decode("utf-8", "replace")


def _checked(length: int) -> int:
    if not 0 <= length <= _MAX_TEXT:
        msg = f"a text of {length} bytes in a message of the frontend"
        raise ValueError(msg)
    return length


def _skip(connection: socket.socket, length: int) -> None:
    while length > 0:
        length -= len(_read(connection, min(length, _CHUNK)))


def _read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise DisconnectedError
        data += part
    return data
