"""Unpack an archive as the frontend does, and refuse what would harm this machine.

TorchServe 0.12.0 (ZipUtils) writes every entry as a plain file: a symbolic link of a zip becomes a
file that holds its target, a link of a tar an empty one. It looks for names that lead out of the
archive, but not at how much there is to unpack, nor where the links of a folder lead.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import zipfile
from dataclasses import dataclass, field
from typing import IO, Callable

from ts_retry_ext.archive.model_archive import DAMAGED, MAX_MEMBERS, ArchiveError, inside
from ts_retry_ext.archive.tar import entries_of
from ts_retry_ext.archive.zip_entries import name_of

GIB = 1024**3
#: How many times its own size an archive may unpack to; weights hardly compress, zeros 1000 times.
MAX_RATIO = 100
#: What any archive may unpack to, however small it is.
ALWAYS_ALLOWED_BYTES = GIB
#: Room left on the disk.
KEPT_FREE_BYTES = 256 * 1024**2
_CHUNK = 1 << 20
_MAX_LINK = 4096


class NoRoomError(Exception):
    """The disk is too small for the archive; nothing is wrong with the archive."""


@dataclass
class Budget:
    """How much an archive may still unpack to.

    Attributes:
        free: bytes that the disk has room for.
    """

    path: str
    limit: int
    free: int
    used: int = field(default=0)

    def spend(self, size: int, member: str) -> None:
        """Take `size` bytes for `member`.

        Raises:
            ArchiveError: the archive unpacks to more than it may.
            NoRoomError: it unpacks to more than the disk has room for.
        """
        self.used += size
        if self.used > self.limit:
            why = (
                f"entry {member!r:.120} takes it beyond {_shown(self.limit)} unpacked, of an "
                f"archive of {_shown(os.path.getsize(self.path))}: it may be a zip bomb; if "
                "it is not, raise the limit with --max-unpacked"
            )
            raise ArchiveError(self.path, why)
        if self.used > self.free:
            room = f"{_shown(self.free)} are free in the temporary directory"
            msg = f"{self.path}: it unpacks to more than {room}; set TMPDIR"
            raise NoRoomError(msg)


def unpack(
    path: str,
    target: str,
    *,
    max_unpacked: int | None = None,
    proceed: Callable[[], None] = lambda: None,
) -> tuple[str, ...]:
    """Unpack the archive at `path` into the empty directory `target`.

    Args:
        path: a ``.mar`` (zip) or any other file (gzipped tar), as the frontend tells them apart.
        max_unpacked: bytes that it may unpack to; without it, what `MAX_RATIO` allows.
        proceed: called before each piece; what it raises ends the unpacking.

    Returns:
        A sentence for each entry that the frontend unpacks to something else than it is.

    Raises:
        ArchiveError: the archive is broken or refused; the message names archive and member.
        NoRoomError: the disk is too small.
    """
    allowed = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * os.path.getsize(path))
    free = shutil.disk_usage(target).free - KEPT_FREE_BYTES
    budget = Budget(path, allowed if max_unpacked is None else max_unpacked, free)
    writer = _Writer(budget, target, proceed)
    try:
        return _unpack_zip(writer) if path.endswith(".mar") else _unpack_tar(writer)
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        named = getattr(error, "filename", None)
        where = f" {os.path.relpath(named, target)!r:.120}" if isinstance(named, str) else ""
        raise ArchiveError(path, f"cannot be unpacked:{where} {reason}") from error


def check_links(folder: str) -> None:
    """Refuse a model folder with a link that leads out of it.

    Raises:
        ArchiveError: there is one; the message names folder, link and target.
    """
    root = os.path.realpath(folder)
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            link = os.path.join(place, name)
            if not os.path.islink(link):
                continue
            real = os.path.realpath(link)
            if not (real + os.sep).startswith(root + os.sep):
                member = os.path.relpath(link, root)
                why = f"{member!r:.120} is a link that leads out of the folder, to {real!r:.200}"
                raise ArchiveError(folder, f"{why}; --follow-links takes it as TorchServe does")


@dataclass
class _Writer:
    budget: Budget
    target: str
    proceed: Callable[[], None]

    @property
    def path(self) -> str:
        return self.budget.path

    def make_folder(self, name: str) -> None:
        os.makedirs(os.path.join(self.target, name), exist_ok=True)

    def write(self, name: str, source: IO[bytes] | None) -> None:
        file = os.path.join(self.target, name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            while source is not None:
                self.proceed()
                piece = source.read(_CHUNK)
                if not piece:
                    return
                stream.write(piece)


def _unpack_zip(writer: _Writer) -> tuple[str, ...]:
    notes = []
    with zipfile.ZipFile(writer.path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_MEMBERS:
            raise ArchiveError(writer.path, f"has more than {MAX_MEMBERS} entries")
        for entry in entries:
            # zipfile reads no more of an entry than its size says, so that one which lies is cut.
            writer.budget.spend(entry.file_size, entry.filename)
        for entry in entries:
            full = name_of(entry)
            name = inside(writer.path, full)
            if full.endswith("/"):
                writer.make_folder(name)
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                with archive.open(entry) as source:
                    target = source.read(_MAX_LINK).decode("utf-8", "replace")
                _check_link(writer.path, name, target)
                notes.append(f"{name} is a link, which TorchServe unpacks as a file that names it")
            with archive.open(entry) as source:
                writer.write(name, source)
    return tuple(notes)


def _unpack_tar(writer: _Writer) -> tuple[str, ...]:
    notes = []
    for count, (member, content) in enumerate(entries_of(writer.path), start=1):
        if count > MAX_MEMBERS:
            raise ArchiveError(writer.path, f"has more than {MAX_MEMBERS} entries")
        full = member.name + "/" if member.isdir() else member.name
        name = inside(writer.path, _without_first_folder(full))
        writer.budget.spend(member.size if member.isreg() else 0, name)
        if member.isdir():
            writer.make_folder(name)
        elif member.issym() or member.islnk():
            # A hard link names another entry of the archive, from its top.
            target = member.linkname if member.issym() else _from(name, member.linkname)
            _check_link(writer.path, name, target)
            notes.append(f"{name} is a link, which TorchServe unpacks as an empty file")
            writer.write(name, None)
        elif member.isreg():
            writer.write(name, content())
        else:
            why = f"entry {name!r:.120} is neither file, folder nor link"
            raise ArchiveError(writer.path, why)
    return tuple(notes)


def _without_first_folder(name: str) -> str:
    """Return what the frontend unpacks an entry of a tar to: all up to the first slash goes."""
    return name[name.find("/") + 1 :]


def _from(name: str, linked: str) -> str:
    """Return the entry `linked` of a tar as seen from the folder of the entry `name`."""
    return posixpath.relpath(_without_first_folder(linked) or ".", posixpath.dirname(name) or ".")


def _check_link(path: str, name: str, target: str) -> None:
    leads = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if target.startswith("/") or leads == ".." or leads.startswith("../"):
        why = f"entry {name!r:.120} is a link that leads out of the archive, to {target!r:.200}"
        raise ArchiveError(path, why)


def _shown(size: int) -> str:
    number, units = float(size), ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while number >= 1024 and len(units) > 1:
        number, units = number / 1024, units[1:]
    return f"{number:.0f} {units[0]}" if units[0] == "bytes" else f"{number:.1f} {units[0]}"
