"""Clients that ask nothing, or slowly, take nobody else's turn."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.sidecar.sidecars import Sidecar, sidecar
from ts_retry_ext.sidecar import connections
from ts_retry_ext.sidecar.connections import BODY_SEC, HEAD_SEC, MOST, Connections


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar without a server."""
    folder = tmp_path_factory.mktemp("alone")
    with sidecar(folder, "--management", "http://127.0.0.1:9", "--state-dir", str(folder)) as run:
        yield run


def connected(to: Sidecar) -> socket.socket:
    parts = urlsplit(to.address)
    return socket.create_connection((str(parts.hostname), parts.port or 0), 30)


def is_closed(connection: socket.socket) -> bool:
    """Tell whether the other side has ended a connection; waits up to its time-out."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_probe_is_answered_however_many_idle_connections_there_are(alone: Sidecar) -> None:
    idle = [connected(alone) for _ in range(MOST + 50)]
    try:
        assert alone.ask("/livez").status == 200
        assert all(is_closed(one) for one in idle[:50])
        idle[-1].settimeout(0.2)
        assert not is_closed(idle[-1])
    finally:
        for one in idle:
            one.close()
    assert alone.process.poll() is None


def test_a_client_that_sends_its_head_or_body_by_drops_is_ended(alone: Sidecar) -> None:
    begun = time.monotonic()
    head, body = connected(alone), connected(alone)
    with head, body:
        form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20"
        asked = f"POST /models/m/resume HTTP/1.1\r\nHost: localhost\r\n{form}\r\n\r\nke"
        body.sendall(asked.encode())
        body.settimeout(0.5)
        head.settimeout(0.5)
        head.sendall(b"GET /livez HTTP/1.1\r\nX-Long: ")
        while time.monotonic() - begun < HEAD_SEC - 2:
            head.sendall(b"G")
            assert not is_closed(head)
        head.settimeout(HEAD_SEC)
        body.settimeout(BODY_SEC)
        assert is_closed(head)
        assert b" 408 " in body.recv(64)


def test_a_connection_that_is_kept_open_is_good_for_another_request(alone: Sidecar) -> None:
    with connected(alone) as kept:
        for _ in range(2):
            kept.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert kept.recv(4096).startswith(b"HTTP/1.1 200 ")


LONG = bytes(32_000_000)  # More than the system's buffers take over.
Reader = Callable[[asyncio.StreamReader], Awaitable[int]]


@pytest.fixture
def read_of_long_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reader], int]:
    """Ask for a long answer, and return how many bytes of it a reader says it got."""
    monkeypatch.setattr(connections, "READ_SEC", 0.3)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=LONG)

    async def ask(reader: Reader) -> int:
        bounded = Connections()
        app = web.Application(middlewares=[bounded.middleware])
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        assert runner.server is not None
        made = bounded.factory(runner.server)
        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1")
        address = server.sockets[0].getsockname()
        answered, to_server = await asyncio.open_connection(*address, limit=4096)
        to_server.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            return await reader(answered)
        finally:
            to_server.close()
            server.close()
            await runner.cleanup()

    return lambda reader: asyncio.run(ask(reader))


async def _rest(answer: asyncio.StreamReader) -> int:
    size = 0
    try:
        while read := await answer.read(1_000_000):
            size += len(read)
    except ConnectionError:
        pass
    return size


def test_a_client_that_does_not_read_its_answer_is_ended(
    read_of_long_answer: Callable[[Reader], int],
) -> None:
    async def nothing_for_long(answer: asyncio.StreamReader) -> int:
        await asyncio.sleep(2)
        return await _rest(answer)

    assert read_of_long_answer(nothing_for_long) < len(LONG)


def test_a_client_that_reads_slowly_gets_its_whole_answer(
    read_of_long_answer: Callable[[Reader], int],
) -> None:
    async def by_drops(answer: asyncio.StreamReader) -> int:
        size = 0
        for _ in range(10):
            await asyncio.sleep(0.1)
            for _ in range(20):
                size += len(await answer.readexactly(100_000))
        return size + len(await answer.readexactly(len(LONG) - size))

    assert read_of_long_answer(by_drops) == len(LONG)
