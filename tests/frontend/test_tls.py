"""Both clients against a server with a certificate of its own, on every address of this machine."""

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

from tests.frontend.clients import Ask, both_clients
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint

pytestmark = both_clients


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


def version(ask: Ask, address: str, certificate: Path | None) -> object:
    """Ask the server something; what it answers with means that it does not tell its version."""
    endpoint = Endpoint(address, certificate_file=str(certificate) if certificate else None)
    return ask(endpoint, lambda client: client.torchserve_version())


@pytest.mark.parametrize("trusted", ["own.pem", "ca.pem"])
def test_certificate_of_the_server_is_trusted_whoever_signed_it(
    ask: Ask, signed: Path, trusted: str
) -> None:
    with serving_tls(signed, "127.0.0.1") as address:
        assert version(ask, address, signed / trusted) is None


def test_certificate_of_somebody_else_is_not_trusted_unless_the_system_does(
    ask: Ask, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = signed / "foreign.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=foreign -keyout f.key -out"
    subprocess.run(["openssl", *command.split(), str(foreign)], cwd=signed, check=True)
    with serving_tls(signed, "127.0.0.1") as address, pytest.raises(
        ManagementError,
        match="CERTIFICATE_VERIFY_FAILED.*name the one that signed it in SSL_CERT_FILE",
    ):
        version(ask, address, foreign)
    monkeypatch.setenv("SSL_CERT_FILE", str(signed / "ca.pem"))
    with serving_tls(signed, "127.0.0.1") as address:
        assert version(ask, address, foreign) is None


def test_certificate_file_that_is_none_is_an_error(ask: Ask, signed: Path) -> None:
    broken = signed / "broken.pem"
    broken.write_text("not a certificate")
    with serving_tls(signed, "127.0.0.1") as address, pytest.raises(
        ManagementError, match=f"{address} does not answer"
    ):
        version(ask, address, broken)


def test_server_at_an_address_of_this_machine_needs_no_known_certificate(
    ask: Ask, signed: Path
) -> None:
    addresses = [a.address for found in psutil.net_if_addrs().values() for a in found
                 if a.family == socket.AF_INET]  # fmt: skip
    for host in addresses:
        with serving_tls(signed, host) as address:
            assert version(ask, address, None) is None
