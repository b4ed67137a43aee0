"""Tell whether a zip's entries are those that its directory names.

zipfile goes by the directory at the end; ``java.util.zip.ZipInputStream``, with which the frontend
unpacks (0.12.0 ZipUtils.unzip), reads one entry after the other from the beginning and never sees
the directory. An entry that only one of them knows would be checked and not run, or run and not
checked.
"""

from __future__ import annotations

import struct
import zipfile
from typing import IO

_HEADER = struct.Struct("<4s5H3L2H")
_ENTRY = b"PK\x03\x04"
_SIZE_FOLLOWS = 0x8
#: Bytes that may stand behind an entry whose size follows: with or without a mark, 32 or 64 bits.
_DESCRIPTORS = (12, 16, 20, 24)


def check_layout(stream: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Raise BadZipFile where reading on from entry to entry meets others than the directory names.

    Args:
        stream: the file, at any position.
        archive: the same file.
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
        if stream.read(len(_ENTRY)) != _ENTRY:
            continue
        msg_0 = "after its last entry there is one that the zip's directory does not name"
        raise zipfile.BadZipFile(msg_0)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
