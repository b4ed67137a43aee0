"""Bound the connections of the sidecar: how many there are, and how long a client may take.

aiohttp 3 waits without end for the head of a request, and for a client that does not read its answer.
Without a bound, such connections use up the process's descriptors, and the sidecar goes blind.
"""

from __future__ import annotations

import asyncio
from typing import Any, Callable, cast

from aiohttp import web

#: Open connections at most, in a process that usually may open 1,024 files. With one more, the one
#: that has been idle for longest gives way, so that a probe is answered whoever else is connected.
MOST = 256
#: How long a client may take to send the head of a request, in seconds.
HEAD_SEC = 10.0
#: Likewise, for the body.
BODY_SEC = 10.0
#: How long a client may read nothing of an answer that the system cannot take over for it, in seconds.
READ_SEC = 10.0


class Connections:
    """The open connections of one server."""

    def __init__(self) -> None:
        self._open: dict[asyncio.BaseProtocol, _Connection] = {}

    def factory(self, serve: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.Protocol]:
        """Return what makes the protocol of a new connection.

        Args:
            serve: makes the protocol that answers.
        """
        return lambda: _Connection(cast("asyncio.Protocol", serve()), self._open)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Let a request take its time, once its head is there."""
        connection = self._open.get(request.protocol)
        if connection is None:
            return cast("web.StreamResponse", await handler(request))
        connection.answers()
        try:
            return cast("web.StreamResponse", await handler(request))
        finally:
            connection.is_idle_again()


class _Connection(asyncio.Protocol):
    """One connection: hands everything on, and ends it when the client takes too long."""

    def __init__(
        self, inner: asyncio.Protocol, others: dict[asyncio.BaseProtocol, _Connection]
    ) -> None:
        self._inner = inner
        self._open = others
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open[self._inner] = self
        self._inner.connection_made(transport)
        self._expect_head()
        if len(self._open) > MOST:
            idle = (one for one in self._open.values() if not one._is_answering)
            next(idle, self)._end()  # Itself, where all the others are being answered.

    def data_received(self, data: bytes) -> None:
        if self._timer is None and not self._is_answering:
            self._expect_head()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._is_read()
        self._open.pop(self._inner, None)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        self._is_read()
        self._inner.resume_writing()

    def answers(self) -> None:
        """Take note that a request's head is there."""
        self._stop_waiting()
        self._is_answering = True

    def is_idle_again(self) -> None:
        """Take note that the answer is made; aiohttp ends a connection that asks nothing more."""
        self._is_answering = False
        if self._open.pop(self._inner, None) is not None:
            self._open[self._inner] = self  # It is the last one that was idle for long.

    def _expect_head(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_SEC, self._end)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expect_reading(self, before: int | None = None) -> None:
        """End the connection, unless its client has read something in time; then expect that again.

        Args:
            before: bytes that waited for it the last time.
        """
        assert self._transport is not None
        left = self._transport.get_write_buffer_size()
        if left == before:
            self._end()
        else:
            later = asyncio.get_running_loop().call_later
            self._unread = later(READ_SEC, self._expect_reading, left)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _end(self) -> None:
        self._open.pop(self._inner, None)  # Now: its end is noticed later.
        if self._transport is not None:
            self._transport.abort()
