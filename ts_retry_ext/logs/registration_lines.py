"""What TorchServe's log says of models that it could not register (0.12.0 ModelServer, ModelManager)."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

from ts_retry_ext.logs.log_record import Kind, parse_line

#: The archive, or the model, that a line says was not registered.
REFUSED = re.compile(
    r"Failed to load model: (\S{1,300})|(?:Custom pip package installation|Virtual environment creation) failed for model (\S{1,300}?):?(?:\s|$)"
)
#: Of a snapshot, TorchServe restores no further model, and does not say which one it could not register
#: (0.12.0 SnapshotManager.initModels).
RESTORE_ENDED = re.compile(
    r"Error while (?:retrieving snapshot details|registering model)\. Details: (.*)"
)
RESTORE_TOLD = "TorchServe stopped restoring its snapshot"
ADDED = re.compile(r"Adding new version (\S+) for model (.+)$")
_ADDED = re.compile(rb" - Adding new version \S+ for model ([^\r\n]+)")
_BANNER, _OPENED = b"Torchserve version:", b" API bind to: "
_JAVA = re.compile(r"^(?:Caused by: )?(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:: |$)")


class Refused(NamedTuple):
    """A registration that failed.

    Attributes:
        told: the frontend's line.
        why: what the exception or pip says, empty where that is not in the log.
        after: the model before it in a snapshot, at which the restore ended; empty for one that was
            refused itself.
    """

    told: str
    why: str
    after: str = ""


class LoggedRegistrations(NamedTuple):
    """What the log of one run says of registrations.

    Attributes:
        refused: by the name of the archive without ``.mar``, or of the model.
        added: models that were registered, at whatever time.
        has_start: whether the log goes back to the start of the run.
        restore_ended: why the restore of a snapshot ended before its last model, or None.
    """

    refused: dict[str, Refused]
    added: frozenset[str]
    has_start: bool
    restore_ended: Refused | None = None


def archive_name(path: str) -> str:
    """Return the name under which an archive is registered from a model store."""
    name = path.rstrip("/").replace("\\", "/").rpartition("/")[2]
    return name[:-4] if name.endswith(".mar") else name


def registrations_in(log: bytes) -> LoggedRegistrations:
    """Return what a log says of the registrations of the last run in it.

    What a server registers at its start it registers before it opens its addresses, so that no more of a
    long log is read line by line.
    """
    begin = log.rfind(_BANNER)
    run = log[max(begin, 0) :]
    added = frozenset(name.decode("utf-8", "replace") for name in _ADDED.findall(run))
    opened = run.find(_OPENED)
    start = run if opened < 0 else run[:opened]
    refused, restore_ended = _refused(start.split(b"\n")) if begin >= 0 else ({}, None)
    return LoggedRegistrations(refused, added, begin >= 0, restore_ended)


def _refused(lines: Iterable[bytes]) -> tuple[dict[str, Refused], Refused | None]:
    refused: dict[str, Refused] = {}
    restore_ended: Refused | None = None
    current: str | None = None
    for line in lines:
        record = parse_line(line)
        text = record.text.decode("utf-8", "replace").rstrip("\r")
        if record.kind is Kind.CONTINUED:
            if current is not None:
                refused[current] = _explained(refused[current], text)
            continue
        ended = RESTORE_ENDED.match(text) if record.kind is Kind.SERVER else None
        if ended is not None:
            restore_ended = Refused(RESTORE_TOLD, ended[1])
        found = REFUSED.match(text) if record.kind is Kind.SERVER else None
        current = None if found is None else archive_name(found[1] or found[2])
        if current is not None:
            refused.setdefault(current, Refused(text, ""))
    return refused, restore_ended


def _explained(refused: Refused, text: str) -> Refused:
    """Return a refusal with what a line below it adds: pip's last error, else the Java exception."""
    if text.startswith("ERROR: "):
        return refused._replace(why=text[len("ERROR: ") :])
    if not refused.why and _JAVA.match(text):
        return refused._replace(why=_JAVA.sub("", text))
    return refused
