"""What can be told of a key store without Java; Java 17 and TorchServe 0.12.0 say the same of each."""

from __future__ import annotations

import pytest

from tests.doctor.key_stores import PASSWORD, STORES
from ts_retry_ext.doctor.key_store import why_refused

PKCS12 = [name for name in STORES if name.startswith("PKCS12")]
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name", STORES)
def test_the_right_password_is_told_from_a_wrong_one(name: str) -> None:
    content, form = STORES[name], name.split()[0]
    assert why_refused(content, form, PASSWORD) is None
    for wrong in ("rightpas", "Rightpass", "rightpass1", "\u00e9"):
        refused = why_refused(content, form, wrong)
        assert refused is not None
        assert refused.why.startswith("keystore_pass is not its password")
        assert wrong not in refused.why + refused.remedy


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} ", f'"{PASSWORD}"'])
def test_blanks_and_quotes_that_count_are_named(password: str) -> None:
    refused = why_refused(STORES["PKCS12 keytool"], None, password)
    assert refused is not None
    assert "quotes or blanks" in refused.why
    assert PASSWORD not in refused.why + refused.remedy


def test_a_password_that_is_not_set_is_the_default_one() -> None:
    refused = why_refused(STORES["PKCS12 keytool"], None, None)
    assert refused is not None
    assert "keystore_pass is not set, and the password is not changeit" in refused.why


@pytest.mark.parametrize(
    ("name", "store_type", "why"),
    [
        ("PKCS12 keytool", "pkcs12", None),
        ("PKCS12 keytool", "JKS", None),
        ("JKS keytool", None, None),
        ("JKS keytool", "PKCS12", None),
        ("JCEKS keytool", "jceks", None),
        ("JCEKS keytool", None, "it is a JCEKS store, and keystore_type is PKCS12 by default"),
        ("PKCS12 openssl", "JCEKS", "it is a PKCS12 store, and keystore_type is JCEKS"),
        ("PKCS12 openssl", "PEM", "keystore_type is 'PEM', which Java does not know by itself"),
    ],
)
def test_java_reads_pkcs12_and_jks_under_either_type(
    name: str, store_type: str | None, why: str | None
) -> None:
    refused = why_refused(STORES[name], store_type, PASSWORD)
    assert (refused and refused.why) == why


@pytest.mark.parametrize(
    ("content", "why", "remedy"),
    [
        (b"", "it is empty", "openssl pkcs12 -export"),
        (CERTIFICATE, "it holds PEM text", "private_key_file"),
        (b"Bag Attributes\n" + CERTIFICATE, "it holds PEM text", "private_key_file"),
        (b"hello", "it is no key store", "openssl pkcs12 -export"),
        (STORES["PKCS12 keytool"][:-1], "or not a whole one", ""),
        (STORES["JKS keytool"][:-1], "or the file is torn", ""),
        # A certificate as DER: two sequences, and no version.
        (b"\x30\x04\x30\x02\x05\x00", "it is no key store", ""),
    ],
)
def test_what_is_no_whole_key_store_is_named(content: bytes, why: str, remedy: str) -> None:
    refused = why_refused(content, None, PASSWORD)
    assert refused is not None
    assert why in refused.why
    assert remedy in refused.remedy


@pytest.mark.parametrize("name", PKCS12)
def test_no_torn_or_changed_store_ends_in_an_exception(name: str) -> None:
    content = STORES[name]
    for at in range(0, len(content), 7):
        why_refused(content[:at], None, PASSWORD)
        why_refused(content[:at] + b"\xff" + content[at + 1 :], None, PASSWORD)


@pytest.mark.parametrize(
    "content",
    [
        b"\x30\x80\x02\x01\x03\x30\x80\x00\x00\x00\x00",  # BER without lengths.
        b"\x30\x07\x02\x01\x03\x30\x02\x30\x00",  # Without a MAC.
    ],
)
def test_nothing_is_said_of_a_form_that_cannot_be_read_here(content: bytes) -> None:
    assert why_refused(content, None, PASSWORD) is None


def test_an_empty_password_is_left_to_java() -> None:
    assert why_refused(STORES["PKCS12 openssl"], None, "") is None
