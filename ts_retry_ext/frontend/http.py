"""Send one HTTP request and wait for its answer: no proxy, no redirect, bounded answers, and whose certificate is trusted."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from functools import partial
from time import monotonic
from typing import Any, Mapping
from urllib.parse import urlsplit

from ts_retry_ext.frontend.exchange import (
    MAX_ANSWER_BYTES,
    HttpAnswer,
    UnreachableError,
    place_of,
    reason_of,
)

_PART_BYTES = 64 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: OpenSSL's X509_V_FLAG_PARTIAL_CHAIN, which the module `ssl` names from Python 3.10 on.
_PARTIAL_CHAIN = 0x80000


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    certificate_file: str | None = None,
    timeout_sec: float,
) -> HttpAnswer:
    """Send one request and return the answer, whatever its status.

    Proxies of the environment are not used, and a redirect is returned as it is: TorchServe sends
    none, and a token must not travel.

    Args:
        certificate_file: the server's own certificate (PEM), to be trusted for https.
        timeout_sec: how long to wait for a connection, and for the whole answer.

    Raises:
        UnreachableError: nobody answers in time, or not in HTTP, or with too much.
    """
    parts = urlsplit(url)
    target = parts.path or "/"
    target += f"?{parts.query}" if parts.query else ""
    place, deadline = place_of(url), monotonic() + timeout_sec
    try:
        connection = _connection(url, certificate_file, timeout_sec)
        connection.response_class = partial(_response, deadline)  # type: ignore[assignment]
        try:
            sent = {**(headers or {}), "Connection": "close"}
            connection.request(method, target, body, sent)
            with connection.getresponse() as response:
                location = response.getheader("Location")
                answer = HttpAnswer(response.status, _body(response), location)
        finally:
            connection.close()
    except socket.timeout as error:
        msg = f"{place} did not answer within {timeout_sec:g} s"
        raise UnreachableError(msg) from error
    except OSError as error:
        msg = f"{place} does not answer: {reason_of(error)}"
        raise UnreachableError(msg) from error
    except (http.client.HTTPException, ValueError) as error:
        msg = f"{place} answers with something that is not HTTP: {reason_of(error)}"
        raise UnreachableError(msg, is_garbage=True) from error
    if len(answer.body) > MAX_ANSWER_BYTES:
        msg = f"{place} answers with more than {MAX_ANSWER_BYTES} bytes"
        raise UnreachableError(msg, is_garbage=True)
    return answer


def _body(response: http.client.HTTPResponse) -> bytes:
    """Return the body, or somewhat more than what is allowed of one that is too long."""
    body = bytearray()
    while len(body) <= MAX_ANSWER_BYTES:
        if response.isclosed():
            break
        part = response.read1(_PART_BYTES)
        if not part and response.length:
            raise http.client.IncompleteRead(bytes(body), response.length)
        if not part:
            break
        body += part
    return bytes(body)


def _response(
    deadline: float, sock: socket.socket, *args: Any, **options: Any
) -> http.client.HTTPResponse:
    """Return what reads an answer from `sock` until `deadline`."""
    return http.client.HTTPResponse(_Timed(sock, deadline), *args, **options)  # type: ignore[arg-type]


class _Timed(io.RawIOBase):
    """Reads a socket until a moment that counts for the whole answer, its head included.

    A socket's own time limit begins anew with each byte that comes.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what `HTTPResponse` reads from."""
        del mode
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_sec = self._deadline - monotonic()
        if left_sec <= 0:
            msg = "timed out"
            raise socket.timeout(msg)
        self._sock.settimeout(left_sec)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connection(
    url: str, certificate_file: str | None, timeout_sec: float
) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_sec)
    context = tls_context(url, certificate_file)
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout_sec, context=context)


def tls_context(url: str, certificate_file: str | None) -> ssl.SSLContext:
    """Return what decides whether the certificate of the server at `url` is trusted.

    Raises:
        OSError: `certificate_file` cannot be read, or is no certificate.
    """
    context = ssl.create_default_context()
    if certificate_file is not None:
        # It is trusted itself, whoever signed it; its name is rarely the one of the address.
        context.load_verify_locations(certificate_file)
        context.verify_flags |= _PARTIAL_CHAIN
        context.check_hostname = False
    elif _is_of_this_machine(urlsplit(url).hostname or ""):
        # A key store's certificate is not at hand, and nothing leaves the machine.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_of_this_machine(host: str) -> bool:
    if host in _LOOPBACK:
        return True
    import psutil

    own = {address.address for found in psutil.net_if_addrs().values() for address in found}
    try:
        places = [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except OSError:
        return False
    return any(place in own or place.startswith("127.") for place in places)
