"""Make model archives for tests: by hand, so that broken ones can be made too."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Mapping

CONFIG = "model-config.yaml"


def manifest(name: str = "m", **model: Any) -> dict[str, Any]:
    """Return a manifest as torch-model-archiver writes it, with changes to its model section."""
    section = {"modelName": name, "handler": "h.py", "modelVersion": "1.0", **model}
    return {"createdOn": "now", "runtime": "python", "model": section, "archiverVersion": "0.12.0"}


def files(content: Any, config: str | None = None, name: str = CONFIG) -> dict[str, bytes]:
    """Return the entries of an archive: the manifest, a handler and a configuration."""
    text = content if isinstance(content, str) else json.dumps(content)
    entries = {"MAR-INF/MANIFEST.json": text.encode(), "h.py": b"pass\n"}
    if config is not None:
        entries[name] = config.encode()
    return entries


def write_mar(path: Path, entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a ``.mar`` with `entries`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def write_nameless(path: Path, entries: Mapping[str, bytes]) -> Path:
    """Write a ``.mar`` with `entries` and one whose name is empty: zipfile reads names up to a null byte."""
    write_mar(path, {**entries, "~": b""})
    path.write_bytes(path.read_bytes().replace(b"~", b"\0"))
    return path


def write_tar(path: Path, entries: Mapping[str, bytes | str], prefix: str = "m/") -> Path:
    """Write a gzipped tar with `entries`; a text instead of bytes is a symbolic link's target."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in entries.items():
            info = tarfile.TarInfo(prefix + name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def write_unflagged(path: Path, name: bytes, entries: Mapping[str, bytes] = {}) -> Path:
    """Write a ``.mar`` with an empty entry whose name is these bytes, as Info-ZIP writes names."""
    stand_in = "#" * len(name)
    write_mar(path, {**entries, stand_in: b""})
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name))
    return path


def write_tar_bomb(path: Path, size: int) -> Path:
    """Write a gzipped tar whose first entry has `size` bytes of extended attributes."""
    header = tarfile.TarInfo("m/x")
    header.type, header.size = tarfile.XHDTYPE, size
    with gzip.open(path, "wb") as stream:
        stream.write(header.tobuf())
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return path


def write_folder(path: Path, entries: Mapping[str, bytes]) -> Path:
    """Write a model folder with `entries`."""
    for name, data in entries.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def packed(path: Path, config: str | None = None, name: str = "m") -> Path:
    """Write an ordinary ``.mar`` whose manifest names `config` where there is one."""
    named = {} if config is None else {"configFile": CONFIG}
    return write_mar(path, files(manifest(name, **named), config))
