"""Read a log in blocks of whole lines: plain, gzip, or UTF-16; memory does not grow with the file."""

from __future__ import annotations

import codecs
import gzip
import zlib
from io import BufferedReader, BytesIO
from typing import IO, Callable, Iterator

#: Small enough to stay in a processor's cache while its lines are looked at; with 1 MB all takes a quarter longer.
BLOCK_BYTES = 256 * 1024
#: A longer line is cut here; nothing that TorchServe writes of a worker's start comes near it.
LONGEST_LINE = 2 << 20

STDIN = "-"
_GZIP = b"\x1f\x8b"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF8_BOM = codecs.BOM_UTF8


class DamagedFileError(Exception):
    """The rest of a file cannot be read; the message says why."""


def read_lines(
    path: str, told: Callable[[int], None], content: bytes | None = None
) -> Iterator[list[bytes]]:
    """Yield the lines of a file, `BLOCK_BYTES` of them at a time, without their line feeds.

    Args:
        path: the file; `STDIN` for what is piped in.
        told: is called with the number of bytes that were read from the disk since the last call.
        content: what to read instead of the file.

    Raises:
        OSError: the file cannot be read.
        DamagedFileError: a compressed file is cut or damaged; what came before was yielded.
    """
    with _opened(path, content) as raw:
        head = raw.peek(2)
        # Of a file that is cut, read1 gives what is there, and read nothing of its last megabyte.
        read = gzip.GzipFile(fileobj=raw).read1 if head.startswith(_GZIP) else raw.read
        yield from _lines(_text_blocks(read, raw, told))


def _opened(path: str, content: bytes | None) -> BufferedReader:
    if content is not None:
        return BufferedReader(BytesIO(content))
    return open(0 if path == STDIN else path, "rb", closefd=path != STDIN)


def _text_blocks(
    read: Callable[[int], bytes], raw: IO[bytes], told: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield blocks in UTF-8, or whatever the file holds that is no UTF-16."""
    position, can_tell = 0, raw.seekable()
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    while True:
        try:
            block = read(BLOCK_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            msg = f"damaged or cut after {position} bytes: {error}"
            raise DamagedFileError(msg) from error
        now = raw.tell() if can_tell else position + len(block)
        told(now - position)
        position = now
        if first:
            first = False
            encoding = _UTF16.get(block[:2])
            if encoding is not None:
                decoder = codecs.getincrementaldecoder(encoding)("replace")
                block = block[2:]
            elif block.startswith(_UTF8_BOM):
                block = block[len(_UTF8_BOM) :]
        if decoder is not None:
            yield decoder.decode(block, not block).encode("utf-8", "replace")
        elif block:
            yield block
        if len(block) == 0:
            return


def _lines(blocks: Iterator[bytes]) -> Iterator[list[bytes]]:
    rest, cutting = b"", False
    for block in blocks:
        if cutting:
            end = block.find(b"\n")
            if end < 0:
                continue
            cutting, block = False, block[end:]
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if lines:
            yield lines
        if len(rest) > LONGEST_LINE:
            yield [rest[:LONGEST_LINE]]
            rest, cutting = b"", True
    if rest:
        yield [rest]
