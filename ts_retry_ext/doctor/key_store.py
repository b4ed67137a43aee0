"""Tell, without Java, why a server could not open a key store: its form, its type, its password.

What TorchServe makes of it was tried with 0.12.0 on Java 17 (ConfigManager.getSslContext): the server
does not start. What only Java can tell is left to it: a key with another password than the store, a store
without a key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Iterator, NamedTuple

from ts_retry_ext.doctor.diagnosis import QUOTES

#: What 0.12.0 ConfigManager takes where the keys are missing.
DEFAULT_TYPE, DEFAULT_PASSWORD = "PKCS12", "changeit"
_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
#: Salt of the digest at the end of both (java.security: JavaKeyStore, com.sun.crypto.provider.JceKeyStore).
_WHITENER = b"Mighty Aphrodite"
#: Types that read PKCS12 and JKS alike (Java 9 and later, keystore.type.compat).
_DUAL = ("PKCS12", "JKS")
_SEQUENCE, _INTEGER, _OCTETS, _CONTENT = 0x30, 0x02, 0x04, 0xA0
#: How BER begins whose length is not told, which some tools write and nothing here reads.
_ENDLESS = b"\x30\x80"
#: Digests of a PKCS12's MAC by object identifier, with the block size that its key derivation needs.
_DIGESTS = {
    bytes.fromhex("2b0e03021a"): ("sha1", 64),
    bytes.fromhex("608648016503040201"): ("sha256", 64),
    bytes.fromhex("608648016503040202"): ("sha384", 128),
    bytes.fromhex("608648016503040203"): ("sha512", 128),
}
#: More rounds take longer than anybody waits for a check.
_MOST_ROUNDS = 1_000_000


class UnopenedStore(NamedTuple):
    """A key store that does not open.

    Attributes:
        is_certain: whether every Java refuses it.
    """

    why: str
    remedy: str
    is_certain: bool = True


class _Element(NamedTuple):
    """One element of DER: its tag, and what is inside."""

    tag: int
    content: bytes


def why_refused(
    content: bytes, store_type: str | None, password: str | None
) -> UnopenedStore | None:
    """Return why Java does not open a key store; None where it does, or where that cannot be told.

    Args:
        store_type: ``keystore_type``, or None where it is not set.
        password: ``keystore_pass``, or None where it is not set.
    """
    wanted = (store_type or DEFAULT_TYPE).upper()
    if wanted not in (*_DUAL, "JCEKS"):
        said = f"keystore_type is {store_type!r:.40}, which Java does not know by itself"
        return UnopenedStore(said, "write keystore_type=PKCS12, JKS or JCEKS", is_certain=False)
    form = _form(content)
    if form is None:
        return _no_store(content)
    if form != wanted and not (form in _DUAL and wanted in _DUAL):
        said = f"it is a {form} store, and keystore_type is {store_type or f'{DEFAULT_TYPE} by default'}"
        return UnopenedStore(said, f"write keystore_type={form}")
    return _wrong_password(content, form, password)


def _form(content: bytes) -> str | None:
    if content.startswith(_JKS):
        return "JKS"
    if content.startswith(_JCEKS):
        return "JCEKS"
    is_pkcs12 = content.startswith(_ENDLESS) or _parts_of_pkcs12(content)
    return "PKCS12" if is_pkcs12 else None


def _no_store(content: bytes) -> UnopenedStore:
    made = "openssl pkcs12 -export -inkey KEY.pem -in CERTIFICATE.pem -out FILE.p12"
    if not content:
        return UnopenedStore("it is empty", f"make one: {made}")
    if b"-----BEGIN " in content[:10_000]:
        remedy = (
            "name the key with private_key_file and the certificate with certificate_file, without keystore; "
            f"or make a key store: {made}"
        )
        return UnopenedStore("it holds PEM text, and a key store is binary", remedy)
    return UnopenedStore(
        "it is no key store, neither PKCS12 nor JKS, or not a whole one", f"make one: {made}"
    )


def _wrong_password(content: bytes, form: str, password: str | None) -> UnopenedStore | None:
    given = DEFAULT_PASSWORD if password is None else password
    if _opens(content, form, given) is not False:
        return None
    if password is None:
        said = f"keystore_pass is not set, and the password is not {DEFAULT_PASSWORD}, which TorchServe takes then"
        return UnopenedStore(said, "set keystore_pass")
    bare = password.strip().strip(QUOTES)
    if bare != password and _opens(content, form, bare):
        said = "keystore_pass has quotes or blanks around it, which count"
        return UnopenedStore(said, "write keystore_pass=PASSWORD with nothing around it")
    return UnopenedStore(
        "keystore_pass is not its password, or the file is torn", "correct keystore_pass"
    )


def _opens(content: bytes, form: str, password: str) -> bool | None:
    try:
        return (_opens_pkcs12 if form == "PKCS12" else _opens_jks)(content, password)
    except ValueError:
        return None  # This Python has no SHA-1, as with FIPS.


def _opens_jks(content: bytes, password: str) -> bool:
    """Tell whether a JKS or JCEKS store, which ends with a digest, is whole and has this password."""
    body, digest = content[:-20], content[-20:]
    made = hashlib.sha1(password.encode("utf-16-be") + _WHITENER + body)
    return hmac.compare_digest(made.digest(), digest)


def _opens_pkcs12(content: bytes, password: str) -> bool | None:
    """Tell whether a PKCS12 store has this password; None where it has no MAC of a known form.

    The key of the MAC is derived as RFC 7292 says in appendix B, of which one block is needed.
    """
    parts = _parts_of_pkcs12(content)
    if len(parts) < 3 or not password:  # Java takes an empty one in two forms.
        return None
    try:
        signed, mac, salt, rounds = _mac_of(parts[1], parts[2])
        name, block = _DIGESTS[mac[0]]
    except (ValueError, KeyError, IndexError):
        return None
    if rounds > _MOST_ROUNDS:
        return None
    key = b"\x03" * block + _repeated(salt, block)
    key += _repeated(password.encode("utf-16-be") + b"\0\0", block)
    for _ in range(rounds):
        key = hashlib.new(name, key).digest()
    return hmac.compare_digest(hmac.new(key, signed, name).digest(), mac[1])


def _mac_of(
    auth_safe: _Element, mac_data: _Element
) -> tuple[bytes, tuple[bytes, bytes], bytes, int]:
    """Return what is signed, the digest's identifier and value, its salt and its rounds.

    Raises:
        ValueError, IndexError: it has another form.
    """
    (wrapped,) = [one for one in _elements(auth_safe.content) if one.tag == _CONTENT]
    (signed,) = _elements(wrapped.content)
    info, salt, *more = _elements(mac_data.content)
    algorithm, digest = _elements(info.content)
    if (signed.tag, salt.tag, digest.tag) != (_OCTETS, _OCTETS, _OCTETS):
        raise ValueError
    rounds = int.from_bytes(more[0].content, "big") if more else 1
    identifier = next(_elements(algorithm.content))
    return signed.content, (identifier.content, digest.content), salt.content, rounds


def _parts_of_pkcs12(content: bytes) -> list[_Element]:
    """Return version, contents and MAC of a PKCS12 store; nothing where it is none."""
    try:
        whole = next(_elements(content))
        parts = list(_elements(whole.content))
    except (ValueError, StopIteration):
        return []
    is_pkcs12 = len(parts) > 1 and parts[0] == _Element(_INTEGER, b"\x03")
    return parts if whole.tag == _SEQUENCE and is_pkcs12 else []


def _elements(content: bytes) -> Iterator[_Element]:
    """Yield the elements of DER one after the other. Raises ValueError."""
    at = 0
    while at < len(content):
        head = content[at : at + 2]
        if len(head) < 2:
            raise ValueError
        tag, length, at = head[0], head[1], at + 2
        if length > 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(content[at : at + count], "big"), at + count
        elif length == 0x80:
            raise ValueError
        if at + length > len(content):
            raise ValueError
        yield _Element(tag, content[at : at + length])
        at += length


def _repeated(text: bytes, block: int) -> bytes:
    """Return `text` repeated until it fills whole blocks."""
    size = -(-len(text) // block) * block
    return (text * (size // len(text) + 1))[:size] if text else b""
