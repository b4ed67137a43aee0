"""Speak HTTP with the frontend of this machine: no proxy, no redirect, bounded answers."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Mapping
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 16 * 1024 * 1024
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PARTIAL_CHAIN = 0x80000
"""OpenSSL's X509_V_FLAG_PARTIAL_CHAIN, which the module `ssl` names from Python 3.10 on."""


class UnreachableError(Exception):
    """Nobody answers at an address, or not in HTTP. The message names the address."""


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        status: HTTP status code.
        body: the body, as bytes.
    """

    status: int
    body: bytes


def reachable_address(binding: str, ports: Mapping[str, int] | None = None) -> str:
    """Return the URL under which a client of this machine reaches what is bound to `binding`.

    A server bound to every interface is reached through loopback.

    Args:
        binding: the address as the configuration has it.
        ports: by scheme the port of one without, where that is not the usual one of HTTP.

    Raises:
        UnreachableError: it is a Unix socket, or no address.
    """
    parts = urlsplit(binding)
    if binding.lower().startswith("unix:"):
        msg = f"{binding} is a Unix socket; only http:// and https:// addresses are supported"
        raise UnreachableError(msg)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise UnreachableError(f"{binding!r} is no http:// or https:// address")
    scheme, host = parts.scheme.lower(), _ANY_HOST.get(host, host)
    port = (ports or {}).get(scheme) if port is None else port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port is None else f":{port}")


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    certificate_file: str | None = None,
    timeout_sec: float,
) -> Answer:
    """Send one request and return the answer, whatever its status.

    Args:
        method: HTTP method.
        url: where to.
        headers: headers to send.
        certificate_file: the server's own certificate (PEM), to be trusted for https.
        timeout_sec: how long to wait for a connection, and for each part of the answer.

    Raises:
        UnreachableError: nobody answers, or not in HTTP, or with too much.
    """
    sent = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    try:
        try:
            with _opener(url, certificate_file).open(sent, timeout=timeout_sec) as response:
                return _answer(response.status, response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(f"{_place(url)} does not answer: {_words(reason)}") from error


def _answer(status: int, stream: Any) -> Answer:
    body = stream.read(MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        raise http.client.HTTPException(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return Answer(status, body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Return a redirect as it is: TorchServe sends none, and a token must not travel."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(url: str, certificate_file: str | None) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoRedirect()]
    if url.startswith("https:"):
        context = tls_context(url, certificate_file)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


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


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _words(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__
