from __future__ import annotations

import socket
from typing import Iterator

import pytest

from tests.frontend.api import serving
from ts_retry_ext.frontend import http as module
from ts_retry_ext.frontend.http import Answer, UnreachableError, reachable_address, request


@pytest.mark.parametrize(
    ("binding", "address"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://0.0.0.0:8081", "http://127.0.0.1:8081"),
        ("https://localhost", "https://localhost"),
        ("HTTPS://0.0.0.0:8444/", "https://127.0.0.1:8444"),
        ("http://[::]:8081", "http://[::1]:8081"),
        ("http://10.0.0.7:80", "http://10.0.0.7:80"),
    ],
)
def test_server_bound_to_every_interface_is_reached_through_loopback(
    binding: str, address: str
) -> None:
    assert reachable_address(binding) == address


@pytest.mark.parametrize("binding", ["unix:/tmp/m.sock", "", "8081", "http://:8081", "http://h:x"])
def test_what_cannot_be_reached_is_an_error_that_names_it(binding: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        reachable_address(binding)

    assert binding in str(caught.value)


def test_answer_is_returned_whatever_its_status() -> None:
    with serving({"GET /a": [1], "GET /b": (500, {"status": "Unhealthy"})}) as api:
        assert request("GET", api.address + "/a", timeout_sec=5) == Answer(200, b"[1]")
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

    with pytest.raises(UnreachableError, match=f"{address} does not answer: timed out"):
        request("GET", address + "/models", timeout_sec=0.2)

    silent.close()
    with pytest.raises(UnreachableError, match=f"{address} does not answer: Connection refused"):
        request("GET", address + "/models", timeout_sec=5)
