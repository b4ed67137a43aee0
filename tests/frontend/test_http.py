from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import psutil
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
    with pytest.raises(UnreachableError, match=f"{address} does not answer: timed out"):
        request("GET", address + "/models", timeout_sec=0.5)
    thread.join()


def test_port_of_an_address_without_one_is_what_the_server_takes() -> None:
    ports = {"http": 8081, "https": 8444}

    assert reachable_address("http://0.0.0.0", ports) == "http://127.0.0.1:8081"
    assert reachable_address("https://localhost/", ports) == "https://localhost:8444"
    assert reachable_address("https://localhost:1", ports) == "https://localhost:1"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate that a company's own authority signed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("signed")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=torchserve.example -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out own.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@contextmanager
def serving_tls(folder: Path, host: str) -> Iterator[str]:
    """Serve with the certificate in `folder` for the time of the context; yield the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(folder / "own.pem"), str(folder / "key.pem"))
    with http.server.HTTPServer((host, 0), http.server.BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_certificate_of_the_server_is_trusted_whoever_signed_it(signed: Path) -> None:
    with serving_tls(signed, "127.0.0.1") as address:
        own, other = str(signed / "own.pem"), str(signed / "ca.pem")
        assert request("GET", address, certificate_file=own, timeout_sec=5).status == 501
        assert request("GET", address, certificate_file=other, timeout_sec=5).status == 501


def test_certificate_of_somebody_else_is_not_trusted(signed: Path) -> None:
    foreign = signed / "foreign.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=foreign -keyout f.key -out"
    subprocess.run(["openssl", *command.split(), str(foreign)], cwd=signed, check=True)
    with serving_tls(signed, "127.0.0.1") as address, pytest.raises(
        UnreachableError, match="CERTIFICATE_VERIFY_FAILED"
    ):
        request("GET", address, certificate_file=str(foreign), timeout_sec=5)


def test_server_at_an_address_of_this_machine_needs_no_known_certificate(signed: Path) -> None:
    addresses = [a.address for found in psutil.net_if_addrs().values() for a in found
                 if a.family == socket.AF_INET]  # fmt: skip
    for host in addresses:
        with serving_tls(signed, host) as address:
            assert request("GET", address, timeout_sec=5).status == 501
