from __future__ import annotations

import json
import socket
import struct
import time
from typing import Iterator

import pytest

from tests.snapshot.writing import START
from tests.store.test_marker import MARKER
from ts_retry_ext.store.exception_record import FailingLine
from ts_retry_ext.store.times import to_text
from ts_retry_ext.worker.protocol import DisconnectedError, Request
from ts_retry_ext.worker.rejection import Rejection, report_for_clients, retry_after


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def text(value: str) -> bytes:
    return struct.pack("!i", len(value.encode())) + value.encode()


def batch(*requests: dict[str, str]) -> bytes:
    """As 0.12.0 ``ModelRequestEncoder`` writes it."""
    end = struct.pack("!i", -1)
    data = b"I"
    for number, headers in enumerate(requests):
        data += text(f"id-{number}")
        data += b"".join(text(name) + text(value) for name, value in headers.items()) + end
        data += text("body") + text("image/png") + text("x" * 100_000) + end
    return data + end


HTTP = {"Host": "localhost", "content-length": "3"}
GRPC: dict[str, str] = {}


def test_a_batch_is_read_and_its_data_passed_over(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    theirs.sendall(batch(HTTP, GRPC))
    requests = Rejection("m", MARKER).receive(ours)
    assert requests == [
        Request(b"id-0", {"host": "localhost", "content-length": "3"}),
        Request(b"id-1", {}),
    ]
    assert [request.is_http for request in requests] == [True, False]


def _answer(pair: tuple[socket.socket, socket.socket], *headers: dict[str, str]) -> bytes:
    ours, theirs = pair
    requests = [Request(b"id-%d" % number, entry) for number, entry in enumerate(headers)]
    Rejection("m", MARKER).answer(ours, requests)
    return theirs.recv(1 << 20)


def test_http_requests_get_503_each_for_itself(pair: tuple[socket.socket, socket.socket]) -> None:
    data = _answer(pair, {"host": "a"}, {"host": "b"})
    assert struct.unpack("!i", data[:4]) == (200,)
    assert data.count(struct.pack("!i", 503)) == 2
    for part in (b"id-0", b"id-1", b"application/json", b"syntax-error"):
        assert part in data


def test_a_client_is_told_when_the_next_trial_load_comes(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    planned = to_text(time.time() + 40)
    waits = MARKER._replace(waits_for=("files", "time"), next_trial_at=planned, trials=2)
    Rejection("m", waits).answer(ours, [Request(b"id-0", {"host": "a"})])
    data = theirs.recv(1 << 20)
    assert text("Retry-After") + text("40") in data
    body = json.loads(data[data.index(b"{") : data.rindex(b"}") + 1])
    assert (body["type"], body["state"]) == ("ModelWaitingException", "waiting")
    assert (body["waits_for"], body["trials"]) == (["files", "time"], 2)
    assert body["next_trial_at"] == planned


@pytest.mark.parametrize(
    ("ahead", "header"),
    [(0.2, {"Retry-After": "1"}), (-9.0, {"Retry-After": "1"}), (9.5, {"Retry-After": "10"}), (None, {})],
)  # fmt: skip
def test_retry_after_is_a_whole_number_of_seconds_and_never_none(
    ahead: float | None, header: dict[str, str]
) -> None:
    at = None if ahead is None else to_text(START + ahead)
    assert retry_after(at, START) == header


def test_a_batch_with_a_grpc_request_fails_as_a_whole(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    data = _answer(pair, {"host": "a"}, {})
    code, length = struct.unpack("!ii", data[:8])
    assert code == 503
    assert json.loads(data[8 : 8 + length])["rule"] == "syntax-error"


def test_who_asks_for_the_description_gets_the_report(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    data = _answer(pair, {"host": "a", "describe": "True"})
    assert struct.pack("!i", 503) not in data
    assert b'"ts_retry"' in data


@pytest.mark.parametrize("rank", ["1", "7"])
def test_only_the_first_rank_answers(
    pair: tuple[socket.socket, socket.socket], rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", rank)
    ours, theirs = pair
    Rejection("m", MARKER).answer(ours, [Request(b"id", {"host": "a"})])
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_a_frontend_that_goes_in_the_middle_is_noticed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(batch(HTTP)[:30])
    theirs.close()
    with pytest.raises(DisconnectedError):
        Rejection("m", MARKER).receive(ours)


def test_clients_are_told_no_path_and_no_traceback() -> None:
    place = FailingLine("h.py", 8, "initialize", "float(THRESHOLD)")
    marked = MARKER._replace(exception=MARKER.exception._replace(at=place))
    assert report_for_clients("m", marked)["at"] == "h.py:8 initialize: float(THRESHOLD)"
    told = json.dumps(report_for_clients("m", MARKER))
    assert "/tmp" not in told
    assert "traceback" not in told
