from __future__ import annotations

import socket
import struct
import time
from typing import Iterator

import pytest

from ts_retry_ext.trial.frontend_side import (
    NoAnswerError,
    WorkerDiedError,
    load_message,
    predict_request,
    read_response,
)
from ts_retry_ext.worker.protocol import (
    LoadRequest,
    batch_response,
    plain_response,
    read_command,
    read_load,
    read_requests,
)

LONG = 60.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_load_message_is_what_a_worker_reads(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    ours.sendall(load_message(LoadRequest("müller", "/m", "h.py:f", None, batch_size=0)))
    assert read_command(theirs) == b"L"
    assert read_load(theirs) == LoadRequest("müller", "/m", "h.py:f", None, batch_size=1)


def test_every_field_of_a_load_message_arrives(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    request = LoadRequest("m", "/m", "/m", 3, 8, "json", False)
    ours.sendall(load_message(request))
    read_command(theirs)
    assert read_load(theirs) == request


def test_a_request_and_its_answer(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    ours.sendall(predict_request("id-1", b"\0data", "text/plain; charset=utf-8"))
    assert read_command(theirs) == b"I"
    requests = read_requests(theirs)
    assert requests[0].id == b"id-1"
    assert requests[0].headers["content-type"] == "text/plain; charset=utf-8"
    theirs.sendall(batch_response(requests, 503, "no", '{"code": 503}'))
    answer = read_response(ours, time.monotonic() + LONG)
    assert answer.code == 200
    assert not answer.is_ok
    assert answer.predictions[0].body == b'{"code": 503}'
    assert answer.predictions[0].content_type == "application/json"


def test_an_answer_to_load(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(plain_response(507, "System out of memory"))
    answer = read_response(ours, time.monotonic() + LONG)
    assert (answer.code, answer.message, answer.is_ok) == (507, "System out of memory", False)


def test_silence_death_and_nonsense_are_told_apart(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    with pytest.raises(NoAnswerError):
        read_response(ours, time.monotonic() + 0.01)
    theirs.sendall(struct.pack("!ii", 200, -7))
    with pytest.raises(ValueError, match="-7 bytes"):
        read_response(ours, time.monotonic() + LONG)
    theirs.close()
    with pytest.raises(WorkerDiedError):
        read_response(ours, time.monotonic() + LONG)
