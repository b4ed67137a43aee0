"""Check the files of a server's certificate and key before the start."""

from __future__ import annotations

import os
from typing import Iterator, Mapping

from ts_retry_ext.doctor.diagnosis import QUOTES, UNSET_VARIABLE, WARNING, WRONG, WrongValue
from ts_retry_ext.doctor.key_store import why_refused
from ts_retry_ext.doctor.port_checks import PORTS_OF_SCHEME
from ts_retry_ext.frontend.server_configuration import ServerConfiguration

_PEM_FILES = ("certificate_file", "private_key_file")
_NO_START = "TorchServe does not start"
_NOT_READ = "TorchServe does not read it, with the addresses and files that are set"
#: Bytes of a key store that are read; one has a few thousand.
_LARGEST_KEY_STORE = 16 * 1024 * 1024


def wrong_tls_file(
    key: str, value: str, configuration: ServerConfiguration
) -> Iterator[WrongValue]:
    """Yield what is wrong with a file that TorchServe reads its certificate or key from."""
    path = os.path.join(configuration.cwd, value)
    is_read = _is_read(key, configuration.properties)
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_KEY_STORE)
    except OSError as error:
        why = error.strerror or "cannot be read"
    else:
        if key == "keystore":
            yield from _unopened_key_store(content, configuration.properties, is_read=is_read)
        return
    bare = value.strip().strip(QUOTES)
    if bare != value and os.path.isfile(os.path.join(configuration.cwd, bare)):
        yield WrongValue("quotes and blanks count in this file", f"write {key}={bare}")
        return
    told = _NO_START if is_read else _NOT_READ
    remedy = f"write {key}=FILE, a file that the server's user can read"
    yield WrongValue(f"{path}: {why}; {told}", remedy, WRONG if is_read else WARNING)


def wrong_grpc_tls(value: str, properties: Mapping[str, str]) -> Iterator[WrongValue]:
    """Yield what gRPC with TLS lacks: it takes no key store (0.12.0, tried: the server ends after its start)."""
    lacking = [key for key in _PEM_FILES if key not in properties]
    if value.lower() == "true" and lacking:
        why = f"gRPC takes no key store, and {' and '.join(lacking)} {'are' if len(lacking) > 1 else 'is'} not set; {_NO_START}"
        yield WrongValue(why, f"write {' and '.join(f'{key}=FILE' for key in lacking)}")


def _is_read(key: str, properties: Mapping[str, str]) -> bool:
    """Tell whether TorchServe reads the file at its start.

    A key store is for addresses with https, and goes before the other files there (0.12.0
    ConfigManager.getSslContext). gRPC reads the others.
    """
    addresses = (properties.get(address, "") for address in PORTS_OF_SCHEME)
    has_https = any(address.lower().startswith("https:") for address in addresses)
    if key == "keystore":
        return has_https
    has_grpc = properties.get("enable_grpc_ssl", "").lower() == "true"
    return has_grpc or (has_https and "keystore" not in properties)


def _unopened_key_store(
    content: bytes, properties: Mapping[str, str], *, is_read: bool
) -> Iterator[WrongValue]:
    password = properties.get("keystore_pass")
    if password is not None and UNSET_VARIABLE.search(password):
        return  # Named with that key.
    refused = why_refused(content, properties.get("keystore_type"), password)
    if refused is not None:
        told = _NO_START if is_read else _NOT_READ
        outcome = WRONG if is_read and refused.is_certain else WARNING
        yield WrongValue(f"{refused.why}; {told}", refused.remedy, outcome)
