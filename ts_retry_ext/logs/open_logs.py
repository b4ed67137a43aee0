"""Open the files of a log, and read all of them as one."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import Callable, Iterator, Sequence

from ts_retry_ext.logs.byte_blocks import DamagedFileError, read_lines
from ts_retry_ext.logs.collected_form import CollectedForm
from ts_retry_ext.logs.log_files import LogFile
from ts_retry_ext.logs.log_record import Kind, LogRecord, clock, records
from ts_retry_ext.logs.merging import LoggedServer, LogSource, merged

#: Where the frontend writes a time of day as milliseconds since the epoch, too (0.12.0 WorkerThread).
_EPOCH = re.compile(rb"(?:to backend at|start timestamp): (\d{13})$")
#: Time zones differ by multiples of it, in milliseconds.
_QUARTER_MS = 15 * 60 * 1000
_DAY_MS = 24 * 3600 * 1000
#: Lines at the begin of a file that are looked at.
_LOOKED_AT = 300
#: What each of them writes, and TorchServe does not.
_WORDS = {
    "multi-model-server": (b"com.amazonaws.ml.mms.", b"Multi Model Server version", b"MMS Home:"),
    "Triton": (b"model_lifecycle.cc:", b"tritonserver", b"triton_python_backend", b"model_repository_manager.cc:"),
    "vLLM": (b"vLLM API server version", b"(APIServer pid=", b"vllm.entrypoints.openai"),
    "TensorFlow Serving": (b"tensorflow_serving/",),
    "BentoML": (b"[bentoml.",),
    "MLServer": (b"[mlserver]", b"mlserver.rest"),
}  # fmt: skip
#: A line of TorchServe's own: an engine that a handler starts is no server.
_TORCHSERVE = (b"org.pytorch.serve.", b"MODEL_LOG - ", b"Torchserve version")


class Reading:
    """Read files once, in the order of their times.

    Args:
        told: is called with the number of bytes that were read since the last call.

    Attributes:
        zone_known: whether the log tells what its clock is ahead of UTC.
    """

    def __init__(self, files: Sequence[LogFile], told: Callable[[int], None]) -> None:
        self._problems: list[str] = []
        self.zone_known = False
        self._told = self._report = told
        self._files = files

    def records(self) -> Iterator[tuple[LoggedServer, int, LogRecord]]:
        """Yield each record once, with its server and its time in milliseconds since the epoch (UTC)."""
        return merged(self._sources())

    @property
    def problems(self) -> list[str]:
        """Return what was wrong with files, each thing once though a file was opened twice."""
        return list(dict.fromkeys(self._problems))

    def _blocks(self, file: LogFile) -> Iterator[list[LogRecord]]:
        path = file.path
        form, knows_torchserve, is_first = CollectedForm(), False, True
        try:
            for lines in bare_lines(file, form, self._told):
                other = _other_server(lines) if is_first else None
                is_first = False
                if other is not None:
                    self._problems.append(
                        f"{path}: looks like a log of {other}; lines that look like TorchServe's were read"
                    )
                # Most lines tell nothing; but when a log begins and ends matters.
                block = [*clock(lines[0]), *records(lines), *clock(lines[-1])]
                if block:
                    knows_torchserve = knows_torchserve or any(r.at is not None for r in block)
                    yield block
        except OSError as error:
            self._problems.append(f"{path}: cannot be read: {error.strerror}")
            return
        except DamagedFileError as error:
            self._problems.append(f"{path}: {error}; what comes before was read")
            return
        if form.width is not None:
            self._problems.append(
                f"{path}: its lines were broken at {form.width} columns; they were joined, but a blank may be missing"
            )
        if file.named and not knows_torchserve:
            self._problems.append(f"{path}: has no line of TorchServe about a worker")

    def _sources(self) -> list[LogSource]:
        """Return the files with their first time, and with what their clocks are ahead of UTC.

        The clocks of one server agree, so that a file that does not tell is like its neighbors.
        """
        sources: list[LogSource] = []
        known: dict[str, int] = {}
        for file in self._files:
            source = LogSource(file.path, file.writer, partial(self._blocks, file))
            # What comes through a pipe can be read once.
            is_kept = len(self._files) == 1 or not os.path.isfile(file.path)
            self._told = self._report if is_kept else _ignored
            if source.peek() is None:
                continue
            sources.append(source)
            source.at = next((r.at for r in source.ready if r.at is not None), 0)
            zones = map(_zone_of, source.ready)
            zone = next((ahead for ahead in zones if ahead is not None), None)
            if zone is not None:
                known.setdefault(source.writer, zone)
            if not is_kept:
                source.close()
        self._told = self._report
        self.zone_known = bool(known)
        otherwise = next(iter(known.values()), 0)
        for source in sources:
            source.zone_ms = known.get(source.writer, otherwise)
        return sources


def bare_lines(
    file: LogFile, form: CollectedForm, told: Callable[[int], None]
) -> Iterator[list[bytes]]:
    """Yield the lines of a file in blocks, without what a collector put around them; `form` learns what that is.

    Raises:
        OSError: the file cannot be read.
        DamagedFileError: a compressed file is cut or damaged; what came before was yielded.
    """
    for lines in read_lines(file.path, told, file.content):
        bare = form.bare(lines)
        if bare:
            yield bare
    rest = form.rest()
    if rest:
        yield rest


def _ignored(_: int) -> None:
    """Count nothing: these bytes are read again."""


def _zone_of(record: LogRecord) -> int | None:
    found = _EPOCH.search(record.text) if record.kind is Kind.WORKER else None
    if found is None or record.at is None:
        return None
    ahead = record.at - int(found[1])
    return round(ahead / _QUARTER_MS) * _QUARTER_MS if abs(ahead) < _DAY_MS else None


def _other_server(lines: Sequence[bytes]) -> str | None:
    """Return the name of the server that wrote a file, by its first lines; None for TorchServe and what nobody knows."""
    head = b"\n".join(line[:400] for line in lines[:_LOOKED_AT])
    if any(word in head for word in _TORCHSERVE):
        return None
    return next(
        (name for name, words in _WORDS.items() if any(word in head for word in words)), None
    )
