from __future__ import annotations

import socket
import struct
from typing import Iterator

import pytest

from ts_retry_ext.worker.protocol import (
    DisconnectedError,
    LoadRequest,
    plain_response,
    read_command,
    read_load,
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("!i", len(data)) + data


def load_message(gpu: int) -> bytes:
    """As 0.12.0 ``ModelRequestEncoder`` writes it."""
    return (
        b"L" + text("müller") + text("/tmp/models/0123") + struct.pack("!i", 4) + text("h.py")
        + struct.pack("!i", gpu) + text("") + struct.pack("!?", True)
    )  # fmt: skip


@pytest.mark.parametrize(("gpu", "expected"), [(-1, None), (3, 3)])
def test_a_load_message_is_understood(
    pair: tuple[socket.socket, socket.socket], gpu: int, expected: int | None
) -> None:
    ours, theirs = pair
    theirs.sendall(load_message(gpu))
    assert read_command(ours) == b"L"
    assert read_load(ours) == LoadRequest("müller", "/tmp/models/0123", "h.py", expected, 4)


def test_torchserves_own_reader_and_writer_agree(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    handler = pytest.importorskip("ts.protocol.otf_message_handler")
    ours, theirs = pair
    theirs.sendall(load_message(2))
    command, message = handler.retrieve_msg(ours)
    assert (command, message["modelName"].decode(), message["gpu"]) == (b"L", "müller", 2)
    assert plain_response(500, "why ü") == bytes(handler.create_load_model_response(500, "why ü"))


def test_a_connection_that_closes_in_the_middle_is_told_from_a_broken_message(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(load_message(0)[:20])
    theirs.close()
    assert read_command(ours) == b"L"
    with pytest.raises(DisconnectedError):
        read_load(ours)


@pytest.mark.parametrize("length", [-5, 1 << 30])
def test_an_impossible_length_is_refused(
    pair: tuple[socket.socket, socket.socket], length: int
) -> None:
    ours, theirs = pair
    theirs.sendall(struct.pack("!i", length))
    with pytest.raises(ValueError):
        read_load(ours)
