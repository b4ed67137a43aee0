"""Check the files of a server's certificate and key before the start."""

from __future__ import annotations

import os
from typing import Iterator, Mapping

from ts_retry_ext.doctor.diagnosis import WARNING, WRONG
from ts_retry_ext.doctor.key_store import why_refused
from ts_retry_ext.doctor.port_checks import PORTS_OF_SCHEME
from ts_retry_ext.doctor.wrong_value import QUOTES, UNSET_VARIABLE, WrongValue
from ts_retry_ext.frontend.server_configuration import ServerConfiguration

#: Bytes of a key store that are read; one has a few thousand.
_LARGEST_KEY_STORE = 16 * 1024 * 1024


def wrong_tls_file(
    key: str, value: str, configuration: ServerConfiguration
) -> Iterator[WrongValue]:
    """Yield what is wrong with a file that TorchServe reads its certificate or key from.

    Args:
        key: the key that names it.
        value: what it is set to.
        configuration: the server's.
    """
    path = os.path.join(configuration.cwd, value)
    uses_tls = _uses_tls(configuration.properties)
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_KEY_STORE)
    except OSError as error:
        why = error.strerror or "cannot be read"
    else:
        if key == "keystore":
            yield from _unopened_key_store(content, configuration.properties, uses_tls=uses_tls)
        return
    bare = value.strip().strip(QUOTES)
    if bare != value and os.path.isfile(os.path.join(configuration.cwd, bare)):
        yield WrongValue("quotes and blanks count in this file", f"write {key}={bare}")
        return
    told = (
        "TorchServe does not start with https" if uses_tls else "no address is https, so not needed"
    )
    remedy = f"write {key}=FILE, a file that the server's user can read"
    yield WrongValue(f"{path}: {why}; {told}", remedy, WRONG if uses_tls else WARNING)


def _uses_tls(properties: Mapping[str, str]) -> bool:
    """Tell whether the server opens an address for which it needs its key."""
    addresses = (properties.get(address, "") for address in PORTS_OF_SCHEME)
    has_https = any(address.lower().startswith("https:") for address in addresses)
    return has_https or properties.get("enable_grpc_ssl", "").lower() == "true"


def _unopened_key_store(
    content: bytes, properties: Mapping[str, str], *, uses_tls: bool
) -> Iterator[WrongValue]:
    password = properties.get("keystore_pass")
    if password is not None and UNSET_VARIABLE.search(password):
        return  # Named with that key.
    refused = why_refused(content, properties.get("keystore_type"), password)
    if refused is not None:
        told = "TorchServe does not start" if uses_tls else "no address is https, so not needed"
        outcome = WRONG if uses_tls and refused.is_certain else WARNING
        yield WrongValue(f"{refused.why}; {told}", refused.remedy, outcome)
