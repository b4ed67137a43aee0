from __future__ import annotations

import socket
import threading
import time
from typing import Iterator

import pytest

from tests.frontend.api import serving
from ts_retry_ext.frontend import http as module
from ts_retry_ext.frontend.exchange import HttpAnswer, UnreachableError
from ts_retry_ext.frontend.http import request


def test_answer_is_returned_whatever_its_status() -> None:
    with serving({"GET /a": [1], "GET /b": (500, {"status": "Unhealthy"})}) as api:
        assert request("GET", api.address + "/a", timeout_sec=5) == HttpAnswer(200, b"[1]")
        assert request("GET", api.address + "/b", timeout_sec=5).status == 500


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with serving({"GET /": "here"}) as api:
        assert request("GET", api.address + "/", timeout_sec=5).status == 200


def test_redirect_is_not_followed_so_that_no_token_travels() -> None:
    with serving({"GET /": (302, "")}) as api:
        headers = {"Authorization": "Bearer secret"}
        assert request("GET", api.address + "/", headers=headers, timeout_sec=5).status == 302


def test_too_long_an_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 10)

    with serving({"GET /": b"x" * 11}) as api, pytest.raises(
        UnreachableError, match="more than 10"
    ):
        request("GET", api.address + "/", timeout_sec=5)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_nobody_and_silence_are_errors_that_name_the_address(silent: socket.socket) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"

    with pytest.raises(UnreachableError, match=f"{address} did not answer within 0.2 s"):
        request("GET", address + "/models", timeout_sec=0.2)

    silent.close()
    with pytest.raises(UnreachableError, match=f"{address} does not answer: Connection refused"):
        request("GET", address + "/models", timeout_sec=5)


def test_silence_in_the_middle_of_an_error_is_one_that_names_the_address(
    silent: socket.socket,
) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    begun = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n{"

    def answer() -> None:
        with silent.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(begun)
            connection.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(UnreachableError, match=f"{address} did not answer within 0.5 s"):
        request("GET", address + "/models", timeout_sec=0.5)
    thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"no HTTP at all\r\n\r\n",
    ],
)
def test_answer_that_is_cut_or_no_http_is_garbage(silent: socket.socket, answer: bytes) -> None:
    def cut() -> None:
        with silent.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(answer)

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(UnreachableError, match="that is not HTTP") as caught:
        request("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_sec=5)
    thread.join()
    assert caught.value.is_garbage


def test_answer_that_comes_by_drops_is_not_waited_for_longer_than_asked(
    silent: socket.socket,
) -> None:
    def trickle() -> None:
        with silent.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try:
                for _ in range(100):
                    connection.sendall(b"x")
                    time.sleep(0.05)
            except OSError:
                pass  # The client has left.

    thread = threading.Thread(target=trickle)
    thread.start()
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="did not answer within 0.5 s"):
        request("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_sec=0.5)
    assert time.monotonic() - begun < 3
    thread.join()


@pytest.mark.parametrize("head", ["Content-Length: 0", "Content-Length: 2", "Connection: close"])
def test_body_is_read_to_its_end_however_that_is_told(silent: socket.socket, head: str) -> None:
    body = b"" if head.endswith("0") else b"{}"

    def answer() -> None:
        with silent.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)

    thread = threading.Thread(target=answer)
    thread.start()
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    assert request("GET", address, timeout_sec=5) == HttpAnswer(200, body)
    thread.join()
