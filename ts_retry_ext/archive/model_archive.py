"""Read the manifest and the configuration of a model archive, without unpacking it.

Follows TorchServe 0.12.0 ModelArchive.downloadModel and ZipUtils: a file whose name ends in
``.mar`` is a zip, any other file a gzipped tar whose entries lose their first folder, and a folder
is a model as it stands, or through its only sub-folder.
"""

from __future__ import annotations

import os
import posixpath
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator

from ts_retry_ext.archive.manifest import (
    Manifest,
    ManifestError,
    parse_manifest,
    why_worker_refuses,
)
from ts_retry_ext.archive.model_folder import (
    MANIFEST,
    MAX_CONFIG_BYTES,
    MAX_MANIFEST_BYTES,
    read_file,
)
from ts_retry_ext.archive.tar import Content, entries_of
from ts_retry_ext.archive.zip_entries import check_entry, check_layout, name_of

#: Memory for the YAML files of a tar until its manifest says which one counts.
MAX_KEPT_BYTES = 16 * 1024 * 1024
MAX_MEMBERS = 200_000

_CONFIG_NAME = re.compile(r"[^/]*config[^/]*\.ya?ml", re.IGNORECASE)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")

#: What reading an archive can raise: RuntimeError for a password or a zip of a later version, ValueError
#: for a name that is not in the encoding it claims.
DAMAGED = (
    OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile, tarfile.TarError
)  # fmt: skip


class ArchiveError(Exception):
    """An archive that cannot be read, or that the frontend does not register.

    Attributes:
        stops_server: whether a server that is to load it at its start ends because of it.
    """

    def __init__(self, path: str, why: str, *, stops_server: bool = False) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.stops_server = stops_server


@dataclass(frozen=True)
class Archive:
    """What the frontend learns from an archive at registration.

    Attributes:
        config: the bytes of the file that the manifest names as ``configFile``; None where it names
            none or the archive does not hold it.
        unnamed_config: a file at the top of the archive that looks like a configuration although
            the manifest names none, or None.
        manifest_refused: why TorchServe's worker cannot read the manifest, or None where it can.
    """

    path: str
    manifest: Manifest | None
    config: bytes | None = field(repr=False)
    unnamed_config: str | None
    manifest_refused: str | None = None

    @property
    def model(self) -> str:
        """Return the model's name; without one in the manifest, the name a server start gives it.

        A registration through the API can give it yet another one.
        """
        named = self.manifest.model if self.manifest else None
        return named or default_model_name(self.path)

    @property
    def version(self) -> str:
        """Return the model's version."""
        return (self.manifest or Manifest()).version

    @property
    def config_file(self) -> str | None:
        """Return the path inside the archive that the manifest names as ``configFile``."""
        return (self.manifest.config_file or None) if self.manifest else None


def read_archive(path: str) -> Archive:
    """Read the archive or model folder at `path`.

    Raises:
        ArchiveError: it is missing, unreadable, no archive, or one that the frontend refuses.
    """
    try:
        if os.path.isdir(path):
            return _read_folder(path)
        return _read_mar(path) if path.endswith(".mar") else _read_tar(path)
    except ManifestError as error:
        raise ArchiveError(path, str(error), stops_server=error.stops_server) from error
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ArchiveError(path, f"cannot be read: {reason}") from error


def is_model_folder(path: str) -> bool:
    """Tell whether the folder at `path` is a model: a manifest in it, or in its only sub-folder."""
    return os.path.isfile(os.path.join(model_root(path), MANIFEST))


def default_model_name(path: str) -> str:
    """Return the name a server start gives to a model without one in its manifest.

    As 0.12.0 ModelServer.getDefaultModelName does: only the endings of a ``.mar`` and a ``.model``
    go, and what is no letter, digit or underscore becomes an underscore.
    """
    name = posixpath.basename(path.rstrip("/"))
    if ".model" in name or ".mar" in name:
        name = name[: name.rindex(".")]
    return re.sub(r"\W|^_", "_", name, flags=re.ASCII)


def model_root(path: str) -> str:
    """Return `path`, or its only entry where that is a folder (a SageMaker download)."""
    if os.path.isfile(os.path.join(path, MANIFEST)):
        return path
    try:
        names = os.listdir(path)
    except OSError:
        return path
    inner = os.path.join(path, names[0]) if len(names) == 1 else ""
    return inner if os.path.isdir(inner) else path


def _read_folder(path: str) -> Archive:
    root = model_root(path)

    def read(name: str, limit: int) -> bytes | None:
        data = read_file(root, name, limit)
        return None if data is None else _limited(path, name, data, limit)

    return _read_entries(path, os.listdir(root), read)


def _read_mar(path: str) -> Archive:
    with open(path, "rb") as stream:
        start = stream.read(64)
    if not start.startswith(_ZIP_STARTS):
        hint = "; it is a Git LFS pointer, fetch it first" if b"git-lfs" in start else ""
        raise ArchiveError(path, f"is no zip archive{hint}")
    with open(path, "rb") as stream, zipfile.ZipFile(path) as archive:
        check_layout(stream, archive)
        # The frontend unpacks in order, so the last of two entries with one name wins.
        named = [(name_of(info), info) for info in archive.infolist()]
        entries = {inside(path, name): info for name, info in named if name}
        for info in entries.values():
            check_entry(info)

        def read(name: str, limit: int) -> bytes | None:
            info = entries.get(posixpath.normpath(name))
            if info is None or info.is_dir():
                return None
            with archive.open(info) as stream:
                return _limited(path, name, stream.read(limit + 1), limit)

        return _read_entries(path, entries, read)


def _read_tar(path: str) -> Archive:
    kept: dict[str, bytes] = {}
    names = []
    room = MAX_KEPT_BYTES
    for name, size, read in _tar_entries(path):
        names.append(name)
        # torch-model-archiver writes the manifest last, so that the file it names has passed by.
        if name == MANIFEST or (size <= room and name.lower().endswith((".yaml", ".yml"))):
            kept[name] = read(MAX_MANIFEST_BYTES if name == MANIFEST else MAX_CONFIG_BYTES)
            room -= size

    def find(name: str, limit: int) -> bytes | None:
        wanted = posixpath.normpath(name)
        if wanted not in kept and wanted in names:
            for found, _, read in _tar_entries(path):
                if found == wanted:
                    kept[wanted] = read(limit)
        return kept.get(wanted)

    return _read_entries(path, names, find)


def _tar_entries(path: str) -> Iterator[tuple[str, int, Callable[[int], bytes]]]:
    """Yield name, size and reader of each file of a gzipped tar, as the frontend unpacks them."""
    for count, (member, content) in enumerate(entries_of(path), start=1):
        if count > MAX_MEMBERS:
            raise ArchiveError(path, f"has more than {MAX_MEMBERS} entries")
        # Everything up to the first slash goes, whatever it is.
        name = inside(path, member.name[member.name.find("/") + 1 :])
        if member.isdir():
            continue

        def read(limit: int, name: str = name, content: Content = content) -> bytes:
            # A link is unpacked as an empty file.
            file = content()
            return b"" if file is None else _limited(path, name, file.read(limit + 1), limit)

        yield name, member.size, read


def _read_entries(
    path: str, names: Iterable[str], read: Callable[[str, int], bytes | None]
) -> Archive:
    """Put an archive together from its entries' names and a reader of one entry."""
    content = read(MANIFEST, MAX_MANIFEST_BYTES)
    manifest = None if content is None else parse_manifest(content)
    refused = None if content is None else why_worker_refuses(content)
    config_file = manifest.config_file if manifest else None
    if config_file:
        # Java takes an absolute path as one inside the folder.
        return Archive(
            path, manifest, read(config_file.lstrip("/"), MAX_CONFIG_BYTES), None, refused
        )
    unnamed = sorted(name for name in names if _CONFIG_NAME.fullmatch(name))
    return Archive(path, manifest, None, unnamed[0] if unnamed else None, refused)


def inside(path: str, name: str) -> str:
    """Return the normal form of an entry's name; refuse one that leads out of the archive."""
    normal = posixpath.normpath(name.lstrip("/") or ".")
    if normal == ".." or normal.startswith("../"):
        raise ArchiveError(path, f"entry {name!r:.120} leads out of the archive")
    return normal


def _limited(path: str, name: str, data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise ArchiveError(path, f"{name} is larger than {limit // 1024} KiB")
    return data
