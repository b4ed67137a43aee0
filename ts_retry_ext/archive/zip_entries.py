"""Take a zip as the frontend does, which unpacks with ``java.util.zip.ZipInputStream`` (0.12.0 ZipUtils.unzip).

zipfile goes by the directory at the end of a zip. Java reads one entry after the other from the
beginning and never sees the directory. An entry that only one of them knows would be checked and not
run, or run and not checked.
"""

from __future__ import annotations

import struct
import zipfile
from typing import IO

_HEADER = struct.Struct("<4s5H3L2H")
_ENTRY = b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _SIZE_FOLLOWS, _UTF8 = 0x1, 0x8, 0x800
#: Bytes that may stand behind an entry whose size follows: with or without a mark, 32 or 64 bits.
_DESCRIPTORS = (12, 16, 20, 24)


def check_layout(stream: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Raise BadZipFile where reading on from entry to entry meets others than the directory names.

    `stream` is the same file as `archive`, at any position.
    """
    at = 0
    gaps: tuple[int, ...] = (0,)
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset - at not in gaps:
            msg = f"before {info.filename!r:.120} there is something that the zip's directory does not name"
            raise zipfile.BadZipFile(msg)
        stream.seek(info.header_offset)
        header = stream.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(_ENTRY):
            msg = f"{info.filename!r:.120} is not where the zip's directory says"
            raise zipfile.BadZipFile(msg)
        fields = _HEADER.unpack(header)
        flags, method, name_length, extra_length = fields[2], fields[3], fields[9], fields[10]
        name = stream.read(name_length)
        if name != _raw_name(info) or method != info.compress_type:
            msg = f"{info.filename!r:.120} has the name {name!r:.120}, or another compression, in its own header"
            raise zipfile.BadZipFile(msg)
        at = info.header_offset + _HEADER.size + name_length + extra_length + info.compress_size
        gaps = _DESCRIPTORS if flags & _SIZE_FOLLOWS else (0,)
    for gap in gaps:
        stream.seek(at + gap)
        if stream.read(len(_ENTRY)) == _ENTRY:
            msg = "after its last entry there is one that the zip's directory does not name"
            raise zipfile.BadZipFile(msg)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


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
