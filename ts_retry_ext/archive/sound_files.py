"""Whether a file is whole, as far as its format shows without the library that reads it."""

from __future__ import annotations

import json
import os
import struct
import zipfile

#: A larger JSON file is not read.
MAX_JSON_BYTES = 8 * 1024 * 1024
#: Nor is a longer header of safetensors. 1,000 tensors take about 100 kB.
MAX_HEADER_BYTES = 8 * 1024 * 1024
_LENGTH = struct.Struct("<Q")


def is_sound(path: str) -> bool:
    """Tell whether a file shows that it is whole: JSON, safetensors, or what torch, NumPy and Keras keep in a zip.

    False as well if its format shows nothing, or if it cannot be read. What lies in the middle is not looked at.
    """
    if not os.path.isfile(path):
        return False  # Opening a pipe would wait for ever.
    try:
        if path.lower().endswith(".json"):
            return _holds_json(path)
        if path.lower().endswith(".safetensors"):
            return _is_as_long_as_its_header_says(path)
        with zipfile.ZipFile(path) as archive:
            return bool(archive.infolist())
    except Exception:
        return False


def _holds_json(path: str) -> bool:
    if os.path.getsize(path) > MAX_JSON_BYTES:
        return False
    # As most code reads it: a byte order mark breaks that.
    with open(path, encoding="utf-8") as stream:
        json.load(stream)
    return True


def _is_as_long_as_its_header_says(path: str) -> bool:
    """Tell whether the tensors of a safetensors file end where it does: a length, a header in JSON, then all tensors."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
        if length > min(size, MAX_HEADER_BYTES):
            return False
        header = json.loads(stream.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return bool(_LENGTH.size + length + max(ends, default=0) == size)
