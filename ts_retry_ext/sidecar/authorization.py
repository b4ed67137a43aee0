"""Decide whether a request may change something: right host, own origin, and the key."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Mapping, NamedTuple
from urllib.parse import urlsplit

from ts_retry_ext.frontend.keys import KeyFileError, is_kept, read_key

_OWN_SITE = ("same-origin", "none")
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
#: Where the proxy of a service mesh (Istio) calls from for somebody outside the pod.
_MESH_PROXY = "127.0.0.6"
_LONGEST_KEY = 4096


class Refusal(NamedTuple):
    """Why a request is refused."""

    status: int
    message: str


def foreign_host(headers: Mapping[str, str], allowed_hosts: tuple[str, ...]) -> Refusal | None:
    """Return why a request goes to a name that is not the sidecar's, or None where it does not.

    A page on another site can point a name of its own at this machine (DNS rebinding), and read
    what a browser is answered under that name.

    Args:
        allowed_hosts: names that the sidecar may be reached under, besides addresses.
    """
    host = headers.get("Host", "")
    name = _name(host)
    if name is None or not (_is_address(name) or name in ("localhost", *allowed_hosts)):
        msg = (
            f"the host {host!r} is not one of this sidecar's; allow it with --allow-host or "
            "retry_sidecar_hosts"
        )
        return Refusal(403, msg)
    return None


def foreign_page(headers: Mapping[str, str]) -> Refusal | None:
    """Return why a request comes from a page on another site, or None where it does not.

    Such a page can make a browser send us requests. What it cannot do is to hide its origin.
    """
    host = headers.get("Host", "")
    origin = headers.get("Origin")
    if origin is not None:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return Refusal(400, "the Origin header is no address")
        if parts.scheme not in ("http", "https") or parts.netloc.lower() != host.lower():
            return Refusal(403, "the request comes from another origin")
    if headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
        return Refusal(403, "the request comes from another site")
    return None


def unauthorized(
    presented: str | None,
    key_file: str | None,
    *,
    asked_for: bool,
    remote: str | None,
    headers: Mapping[str, str] | None = None,
    own_key_file: str | None = None,
) -> Refusal | None:
    """Return why a request lacks the management key, or None where all is well.

    Where there are no keys, the management API is open to whoever reaches it, mostly this machine
    alone. A sidecar that listens to the network must not let others in by the back door.

    Args:
        presented: the key that came with the request, or None.
        key_file: where TorchServe keeps its keys, or None.
        asked_for: whether the server asks for a key although no key file is known.
        remote: address that the request came from, or None where it is not known.
        headers: the request's headers, which show whether a proxy speaks for somebody else.
        own_key_file: holds a key of the sidecar's own, which is as good as the server's, or None.
    """
    if own_key_file is not None:
        refusal = _lacks_own_key(presented, own_key_file)
        if refusal is None or key_file is None or not is_kept(key_file):
            return refusal
    if key_file is None or not is_kept(key_file):
        if asked_for:
            msg = "the server asks for a key, and this sidecar has no key file to check yours with"
            return Refusal(403, msg)
        if not _is_loopback(remote) or _is_forwarded(remote, headers or {}):
            msg = (
                "the server has no keys to tell who may resume a model, so only callers on its own "
                "machine may: run ts-retry resume there, let TorchServe ask for keys, or give the "
                "sidecar a key with --own-key-file"
            )
            return Refusal(403, msg)
        return None
    if not presented:
        msg = "this server asks for its management key: Authorization: Bearer KEY"
        return Refusal(401, msg)
    try:
        key = read_key(key_file, "management")
    except KeyFileError as error:
        return Refusal(503, f"your key cannot be checked: {error}")
    if not hmac.compare_digest(presented.encode("utf-8", "replace"), key.text.encode("ascii")):
        return Refusal(401, "this is not the server's management key")
    if key.is_expired():
        return Refusal(401, "this management key has expired; take the new one from key_file.json")
    return None


def _lacks_own_key(presented: str | None, own_key_file: str) -> Refusal | None:
    try:
        with open(own_key_file, encoding="utf-8") as stream:
            key = stream.read(_LONGEST_KEY).strip()
    except (OSError, ValueError) as error:
        return Refusal(503, f"the sidecar's own key cannot be read: {error}")
    if not key:
        return Refusal(503, f"the sidecar's own key cannot be read: {own_key_file} is empty")
    if presented is None:
        return Refusal(401, "this sidecar asks for its key: Authorization: Bearer KEY")
    if not hmac.compare_digest(presented.encode("utf-8", "replace"), key.encode("utf-8")):
        return Refusal(401, "this is not the sidecar's key")
    return None


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the token of an ``Authorization`` header, or None."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_loopback(remote: str | None) -> bool:
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_forwarded(remote: str | None, headers: Mapping[str, str]) -> bool:
    """Tell whether a proxy on this machine speaks for somebody who may be anywhere."""
    names = {name.lower() for name in headers}
    marked = any(name in _PROXY_HEADERS or name.startswith("x-envoy-") for name in names)
    return marked or (remote or "").endswith(_MESH_PROXY)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
