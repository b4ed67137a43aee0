"""Find the files of a log, and tell which of them one writer wrote."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Iterator, Sequence

from ts_retry_ext.logs.byte_blocks import STDIN
from ts_retry_ext.settings import STATE_DIRECTORY_NAME

#: Logs of TorchServe that hold nothing of a worker's start (0.12.0, log4j2.xml).
_OTHER_LOGS = re.compile(r"^(?:access_log|model_metrics|ts_metrics)\b")
#: What a file in a folder has to look like; one that is named on the command line may look as it likes.
_LOG_NAME = re.compile(
    r"(?:\.(?:log|txt|out|err|json|jsonl|ndjson|tsv|csv)(?:[.\-_][\w.\-]*)?|\.gz)$|^\d+$",
    re.IGNORECASE,
)
_COMPRESSED = re.compile(r"\.gz$", re.IGNORECASE)
_ROTATED = re.compile(r"[.\-_](?:\d{1,3}|\d{8}(?:-\d{4,6})?|\d{4}-\d\d-\d\d[\w\-]*)$")
_ROTATED_BY_DAY = re.compile(r"\.\d\d-[A-Za-z]{3,4}(?=\.log$)")
_TORCHSERVE_NAME = re.compile(r"^(?:ts_log|model_log)\b")


@dataclass(frozen=True)
class LogFile:
    """One file to read.

    Attributes:
        size: bytes on the disk.
        named: whether the user named it, not only its folder.
        writer: names who wrote it: equal for the parts of a rotated log, and for ts_log and
            model_log of one folder. Two writers may still prove to be one server.
        content: what it holds, where it is no file but a text that was read before.
    """

    path: str
    size: int
    writer: str
    named: bool = True
    content: bytes | None = None


class LogFilesError(Exception):
    """There is nothing to read; the message is one line fit for people."""


def find_files(names: Sequence[str]) -> tuple[list[LogFile], list[str]]:
    """Return the files to read, each once, and what is wrong with the rest.

    Args:
        names: files, folders, and `STDIN`. A folder is searched to any depth for what looks like a log.

    Raises:
        LogFilesError: a name does not exist, or there is no file at all.
    """
    found: dict[tuple[int, int], LogFile] = {}
    problems: list[str] = []
    for name in names:
        if name == STDIN:
            found[-1, -1] = LogFile(STDIN, 0, STDIN)
            continue
        if not os.path.exists(name):
            msg = f"{name}: there is no such file or folder; name TorchServe's logs or their folder"
            raise LogFilesError(msg)
        before, is_folder = len(found), os.path.isdir(name)
        paths = _in_folder(name) if is_folder else iter([name])
        for path in paths:
            try:
                status = os.stat(path)
            except OSError as error:
                problems.append(f"{path}: left out: {error.strerror}")
                continue
            if status.st_size == 0 and stat.S_ISREG(status.st_mode):
                if not is_folder:
                    problems.append(f"{path}: is empty")
                continue
            file = LogFile(path, status.st_size, _writer(path), not is_folder)
            found.setdefault((status.st_dev, status.st_ino), file)
        if is_folder and len(found) == before:
            problems.append(
                f"{name}: holds no log (*.log, rotated, .gz, .txt, .json, .csv); name the files"
            )
    if not found:
        raise LogFilesError("; ".join(problems) or "no log was named")
    return list(found.values()), problems


def _in_folder(folder: str) -> Iterator[str]:
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - {STATE_DIRECTORY_NAME})
        for file in sorted(files):
            path = os.path.join(at, file)
            if _LOG_NAME.search(file) and not _OTHER_LOGS.match(file) and os.path.isfile(path):
                yield path


def _writer(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))
    if _TORCHSERVE_NAME.match(name):
        return os.path.join(folder, "ts_log")
    name = _ROTATED_BY_DAY.sub("", _COMPRESSED.sub("", name))
    shorter = _ROTATED.sub("", name)
    # A container's runtime names its logs by number: 0.log, 1.log.
    stem = os.path.splitext(shorter)[0]
    return folder if stem.isdigit() else os.path.join(folder, shorter or name)
