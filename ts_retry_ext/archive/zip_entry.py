"""Take one entry of a zip as the frontend does, which unpacks with ``java.util.zip.ZipInputStream``."""

from __future__ import annotations

import zipfile

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _SIZE_FOLLOWS, _UTF8 = 0x1, 0x8, 0x800


def name_of(info: zipfile.ZipInfo) -> str:
    """Return an entry's name as Java reads it: UTF-8, flagged or not.

    Without the flag zipfile takes it for code page 437, or for what an extra field says.

    Raises:
        zipfile.BadZipFile: it is no UTF-8.
    """
    name = info.filename
    if not info.flag_bits & _UTF8:
        try:
            name = info.orig_filename.encode("cp437").decode("utf-8")
        except UnicodeError as error:
            msg = f"the name of entry {name!r:.120} is no UTF-8, the frontend refuses it"
            raise zipfile.BadZipFile(msg) from error
    return name.partition("\0")[0]


def check_entry(info: zipfile.ZipInfo) -> None:
    """Raise BadZipFile for an entry that Java cannot unpack."""
    name = info.filename
    if info.flag_bits & _ENCRYPTED:
        msg = f"{name} is encrypted, the frontend cannot unpack it"
        raise zipfile.BadZipFile(msg)
    if info.compress_type == zipfile.ZIP_STORED and info.flag_bits & _SIZE_FOLLOWS:
        why = "is stored with its size behind it (zipped to a pipe), the frontend cannot unpack it"
        msg = f"{name} {why}"
        raise zipfile.BadZipFile(msg)
    if info.compress_type not in _METHODS:
        method = f"zip's method {info.compress_type}"
        msg = f"{name} is compressed with {method}, the frontend knows deflate only"
        raise zipfile.BadZipFile(msg)
