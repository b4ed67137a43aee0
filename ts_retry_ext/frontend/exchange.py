"""One question to a frontend and its answer, as data, and the address that it goes to."""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple
from urllib.parse import urlsplit

#: A longer answer is none of TorchServe's.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
#: Characters that are shown of why an exchange failed.
MAX_REASON = 200
#: Ports of a ``management_address`` without one (0.12.0 Connector.parse).
MANAGEMENT_PORTS = {"http": 8081, "https": 8444}
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Question(NamedTuple):
    """A request to send.

    Attributes:
        timeout_sec: how long to wait for the answer, or None for as long as the client usually does.
        is_shared: whether the answer is for everybody who asks the same before it comes: asked again,
            it would take from the others what they were given.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    timeout_sec: float | None = None
    is_shared: bool = False


class HttpAnswer(NamedTuple):
    """What a server answered.

    Attributes:
        location: where it redirects to, or None.
    """

    status: int
    body: bytes
    location: str | None = None


class UnreachableError(Exception):
    """Nobody answers at an address, or not in HTTP. The message names the address.

    Attributes:
        is_garbage: whether something answers that is not HTTP.
    """

    def __init__(self, message: str, *, is_garbage: bool = False) -> None:
        super().__init__(message)
        self.is_garbage = is_garbage


def reachable_address(binding: str, ports: Mapping[str, int] | None = None) -> str:
    """Return the URL under which a client of this machine reaches what is bound to `binding`.

    A server bound to every interface is reached through loopback. A path is that of a proxy, which puts
    TorchServe's own paths behind it.

    Args:
        binding: the address as the configuration has it.
        ports: by scheme the port of an address without one, where that is not the usual one of HTTP.

    Raises:
        UnreachableError: it is a Unix socket, or no address, or one with a password.
    """
    if binding.lower().startswith("unix:"):
        msg = f"{without_password(binding)} is a Unix socket; only http:// and https:// addresses are supported"
        raise UnreachableError(msg)
    try:
        parts = urlsplit(binding)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        path, has_login = parts.path.rstrip("/"), "@" in parts.netloc
        has_more = bool(parts.query or parts.fragment)
    except ValueError:
        scheme, host, port, path, has_login, has_more = "", None, None, "", False, False
    if scheme not in ("http", "https") or not host or has_more:
        msg = f"{without_password(binding)!r} is no http:// or https:// address"
        raise UnreachableError(msg)
    if has_login:
        msg = (
            f"{without_password(binding)} is given with a login, and none is sent but TorchServe's keys: write it "
            "without, and let what answers there take requests from this machine"
        )
        raise UnreachableError(msg)
    host = _ANY_HOST.get(host, host)
    port = (ports or {}).get(scheme) if port is None else port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port is None else f":{port}") + path


def without_password(address: str) -> str:
    """Return an address without who logs in there and with what."""
    return re.sub(r"//[^/]*@", "//", address)


def place_of(url: str) -> str:
    """Return scheme, host and port of a URL, to name the server to people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def reason_of(error: BaseException) -> str:
    """Return in the system's words why an exchange failed."""
    import ssl

    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        if error.errno is not None and error.errno > 0:
            return os.strerror(error.errno)
        return error.strerror or str(error) or type(error).__name__
    # What is no HTTP may be shown as it came: as long as it is, and with line breaks.
    return " ".join(str(error).split())[:MAX_REASON] or type(error).__name__
