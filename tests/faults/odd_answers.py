"""What comes in place of an answer of TorchServe's: proxies, other servers, broken networks.

Each is put in place of a good answer of `tests.frontend.api`, or is one of another form.
"""

from __future__ import annotations

import gzip
import json
import time
from io import BufferedIOBase
from typing import Any

from tests.frontend.api import Raw, described

#: Where a redirect leads: nobody may follow it there.
ELSEWHERE = "http://127.0.0.1:9/elsewhere"
SECRET = "s3cretManagementKey"
_HTML = b"<html><head><title>%d</title></head><body><h1>nginx</h1></body></html>"
_CHUNK = b"x" * (1 << 16)
HUGE_BYTES = 100 * 1024 * 1024


def raw(head: str, body: bytes = b"", *, length: bool = True) -> Raw:
    """Return an answer with this status line and these headers, one a line."""
    lines = head.splitlines()
    if length:
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join([f"HTTP/1.1 {lines[0]}", *lines[1:], "", ""]).encode() + body
    return Raw(lambda stream: _write(stream, data))


def cut(data: bytes) -> Raw:
    """Return bytes after which the connection is closed."""
    return Raw(lambda stream: _write(stream, data))


def page(status: int, words: str = "Odd") -> Raw:
    """Return the page of a proxy."""
    return raw(f"{status} {words}\nContent-Type: text/html\nServer: nginx", _HTML % status)


def _write(stream: BufferedIOBase, data: bytes) -> None:
    stream.write(data)


def _endless(head: bytes, part: bytes) -> Raw:
    """Return an answer that goes on as fast as it is read."""

    def write(stream: BufferedIOBase) -> None:
        stream.write(head)
        while True:
            stream.write(part)

    return Raw(write)


def _dripping(head: bytes, part: bytes) -> Raw:
    """Return an answer of which a little comes at a time, for a minute."""

    def write(stream: BufferedIOBase) -> None:
        stream.write(head)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            stream.write(part)
            stream.flush()
            time.sleep(0.02)

    return Raw(write)


def _huge(stream: BufferedIOBase) -> None:
    stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE_BYTES)
    stream.writelines(_CHUNK for _ in range(HUGE_BYTES // len(_CHUNK)))


OK = b"HTTP/1.1 200 OK\r\n"
_NO_ANSWERS: tuple[Any, ...] = (5, True, "text", [5], [[]], {})
_NO_VALUES: tuple[Any, ...] = (None, True, [], {}, 1.5)
_NO_WORKERS_VALUES: tuple[Any, ...] = ([], {"a": [1]}, True, 2.5)
_NO_LISTS: tuple[Any, ...] = (
    None, 5, "m", {}, {"modelName": "m"}, [5], [None], [{}], ["m"],
    [{"modelName": None}], [{"modelName": 5}], [{"modelName": ["m"]}], [{"modelName": {"a": 1}}],
)  # fmt: skip
_NO_TOKENS: tuple[Any, ...] = ([1], {"a": 1}, "next", "1.5", True, 2.5)
#: What no client takes for an answer of TorchServe's, whatever it asked.
NETWORK: dict[str, Any] = {
    "closed at once": cut(b""),
    "closed in the status line": cut(b"HTTP/1.1 2"),
    "closed in a header": cut(OK + b"Content-Le"),
    "closed after the headers": cut(OK + b"Content-Length: 500\r\n\r\n"),
    "cut body": cut(OK + b'Content-Length: 500\r\n\r\n[{"modelName": "m"'),
    "cut chunk": cut(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n["),
    "chunks that are none": cut(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"),
    "too short a length": cut(OK + b'Content-Length: 9\r\n\r\n{"status": "done"}'),
    "length that is none": cut(OK + b"Content-Length: many\r\n\r\n<"),
    "negative length": cut(OK + b"Content-Length: -5\r\n\r\n<"),
    "no HTTP": cut(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "no status": cut(b"HTTP/1.1 what OK\r\n\r\n"),
    "a thousand headers": cut(OK + b"X-A: b\r\n" * 1000 + b"\r\n{}"),
    "empty 200": raw("200 OK"),
    "204": raw("204 No Content", length=False),
    "page 200": page(200),
    "page 401": page(401),
    "page 403": page(403),
    "page 404": page(404),
    "page 405": page(405),
    "page 400": page(400),
    "page 409": page(409),
    "page 500": page(500),
    "page 502": page(502, "Bad Gateway"),
    "page 503": page(503),
    "page 504": page(504),
    "gateway's words 404": (404, {"message": "no Route matched with those values"}),
    "gateway's words 400": (400, {"message": "bad"}),
    "401": (401, {"code": 401, "message": "who are you?"}),
    "429": raw("429 Too Many Requests\nRetry-After: 3600", b"slow down"),
    "status 999": raw("999 Odd"),
    **{
        f"redirect {status}": raw(f"{status} Elsewhere\nLocation: {ELSEWHERE}")
        for status in (301, 302, 303, 307, 308)
    },
    "not UTF-8": b'{"status": "\xff\xfe"}',
    "with a byte order mark": b'\xef\xbb\xbf{"status": "done", "models": []}',
    "deep": b"[" * 200_000,
    "a number of 5,000 digits": b"1" * 5000,
    "compressed though nobody asked": raw(
        "200 OK\nContent-Encoding: gzip", gzip.compress(b'{"status": "done", "models": []}')
    ),
    **{f"JSON {json.dumps(value)}": value for value in _NO_ANSWERS},
    "null": b"null",
}
#: Those that take as long as a client waits, or much memory of one that does not look.
SLOW: dict[str, Any] = {
    "100 MB": Raw(_huge),
    "endless body": _endless(OK + b"\r\n", _CHUNK),
    "endless chunks": _endless(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + _CHUNK + b"\r\n"
    ),
    "compressed bomb": raw("200 OK\nContent-Encoding: gzip", gzip.compress(b" " * HUGE_BYTES, 9)),
    "endless 100 Continue": _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "endless trailers": _endless(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n" * 1000
    ),
    "silence": Raw(lambda _: time.sleep(20)),
    "body by drops": _dripping(OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "header by drops": _dripping(OK + b"X-A: ", b"x"),
    "headers by drops": _dripping(OK, b"X: y\r\n"),
    "100 Continue by drops": _dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}

WORKER = {"id": "9000", "startTime": "2026-01-01T00:00:00.000Z", "status": "READY", "pid": 77}
#: Descriptions of the model ``m`` that no frontend gives.
DESCRIPTIONS: dict[str, Any] = {
    "another model": [described("other")],
    "a version twice": [described(), described()],
    "a key twice": json.dumps([described()]).replace('"status"', '"status": "READY", "status"').encode(),
    "nothing in an object": {},
    "an empty text": "",
    "no workers' number": [described(minWorkers=None)],
    "two billion workers": [described(minWorkers=2**31 - 1, maxWorkers=2**31 - 1)],
    "workers in words": [described(minWorkers="one")],
    "workers in a text": [described(minWorkers="1")],
    "workers in an object": [described(workers={"id": "9000"})],
    "workers in a text of nothing": [described(workers="")],
    "half a worker": [described(minWorkers=0.5)],
    **{
        f"{key} is {json.dumps(value)}": [{**described(), key: value}]
        for key in ("modelName", "modelVersion", "minWorkers", "maxWorkers")
        for value in _NO_VALUES
    },
    **{
        f"worker's {key} is {json.dumps(value)}": [described(workers=[{**WORKER, key: value}])]
        for key in ("id", "pid", "status")
        for value in _NO_WORKERS_VALUES
    },
}  # fmt: skip
#: Odd ones that say what a description has to say all the same.
TOLERATED: dict[str, Any] = {
    "an unknown word": [described(workers=[{**WORKER, "status": "ZOMBIE"}])],
    "negative workers": [described(minWorkers=-1, maxWorkers=-1)],
    "no status": [described(workers=[{**WORKER, "status": None}])],
    "an address that is none": [described(modelUrl="http://[oops")],
    "an address with a null byte": [described(modelUrl="a\0b")],
    "a long address": [described(modelUrl="x" * 100_000)],
    "an odd time": [described(workers=[{**WORKER, "startTime": "soon"}])],
    "a process id that cannot be": [described(workers=[{**WORKER, "pid": 2**31 - 1}])],
}
#: Lists of models that no frontend gives.
LISTS: dict[str, Any] = {
    **{
        f"models is {json.dumps(value)}": {"models": value}
        for value in _NO_LISTS
    },
    **{
        f"next page is {json.dumps(value)}": {"models": [{"modelName": "m"}], "nextPageToken": value}
        for value in _NO_TOKENS
    },
}  # fmt: skip
