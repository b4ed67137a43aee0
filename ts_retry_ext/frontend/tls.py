"""Decide whether the certificate of a server is trusted."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: OpenSSL's X509_V_FLAG_PARTIAL_CHAIN, which the module `ssl` names from Python 3.10 on.
_PARTIAL_CHAIN = 0x80000


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
