"""Read a gzipped tar from its beginning to its end, in memory that does not depend on what it claims."""

from __future__ import annotations

import gzip
import tarfile
from functools import partial
from typing import IO, Callable, Iterator, Optional, cast

#: What may stand before one entry's content: long names, extended attributes, a map of holes. tarfile
#: keeps all of it in memory, and a megabyte of gzip holds a gigabyte of it.
MAX_HEADER_BYTES = 1024 * 1024

#: Opens what an entry holds; None for a link.
Content = Callable[[], Optional[IO[bytes]]]


class TarHeaderError(tarfile.TarError):
    """An entry's header is larger than any that a person's tool writes."""


def entries_of(path: str) -> Iterator[tuple[tarfile.TarInfo, Content]]:
    """Yield each entry with what opens its content; to be opened before the next one is asked for.

    Raises:
        OSError, EOFError, zlib.error: it is no gzip file, or damaged.
        tarfile.TarError: it holds no tar, a damaged one, or a header beyond `MAX_HEADER_BYTES`.
    """
    with gzip.open(path) as unpacked:
        source = _Source(unpacked)
        with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r:") as archive:
            while True:
                member = archive.next()
                if member is None:
                    return
                source.left = None
                yield member, partial(_opened, archive, member)
                source.left = MAX_HEADER_BYTES


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    return archive.extractfile(member) if member.isreg() else None


class _Source:
    """What tarfile reads from; a content that nobody wants is passed over and costs no memory.

    Attributes:
        left: bytes that may be read; None for any number.
    """

    def __init__(self, unpacked: gzip.GzipFile) -> None:
        self._unpacked = unpacked
        self.left: int | None = MAX_HEADER_BYTES
        self.tell = unpacked.tell
        self.seek = unpacked.seek

    def read(self, size: int) -> bytes:
        if self.left is not None:
            self.left -= size
            if self.left < 0:
                msg = f"the header of an entry is larger than {MAX_HEADER_BYTES // 1024} KiB"
                raise TarHeaderError(msg)
        return self._unpacked.read(size)
