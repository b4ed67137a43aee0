"""What TorchServe's log says of models that it could not register (0.12.0 ModelServer, ModelManager)."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

from ts_retry_ext.logs.log_record import Kind, parse_line

#: The archive, or the model, that a line says was not registered.
REFUSED = re.compile(
    r"Failed to load model: (\S{1,300})|(?:Custom pip package installation|Virtual environment creation) failed for model (\S{1,300}?):?(?:\s|$)"
)
ADDED = re.compile(r"Adding new version (\S+) for model (.+)$")
_BANNER = b"Torchserve version:"
_JAVA = re.compile(r"^(?:Caused by: )?(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:: |$)")


class Refused(NamedTuple):
    """A registration that failed.

    Attributes:
        told: the frontend's line.
        why: what the exception or pip says, empty where that is not in the log.
    """

    told: str
    why: str


class LoggedRegistrations(NamedTuple):
    """What the log of one run says of registrations.

    Attributes:
        refused: by the name of the archive without ``.mar``, or of the model.
        added: models that were registered, at whatever time.
    """

    refused: dict[str, Refused]
    added: frozenset[str]


def archive_name(path: str) -> str:
    """Return the name under which an archive is registered from a model store."""
    name = path.rstrip("/").replace("\\", "/").rpartition("/")[2]
    return name[:-4] if name.endswith(".mar") else name


def registrations_in(log: bytes) -> LoggedRegistrations:
    """Return what a log says of the registrations of the last run in it."""
    begin = log.rfind(_BANNER)
    return _registrations(log[max(begin, 0) :].split(b"\n"))


def _registrations(lines: Iterable[bytes]) -> LoggedRegistrations:
    refused: dict[str, Refused] = {}
    added: set[str] = set()
    current: str | None = None
    for line in lines:
        record = parse_line(line)
        text = record.text.decode("utf-8", "replace").rstrip("\r")
        if record.kind is Kind.CONTINUED:
            if current is not None:
                refused[current] = _explained(refused[current], text)
            continue
        current = None
        if record.kind is not Kind.SERVER:
            continue
        found, known = REFUSED.match(text), ADDED.match(text)
        if found is not None:
            current = archive_name(found[1] or found[2])
            refused.setdefault(current, Refused(text, ""))
        elif known is not None:
            added.add(known[2])
    return LoggedRegistrations(refused, frozenset(added))


def _explained(refused: Refused, text: str) -> Refused:
    """Return a refusal with what a line below it adds: pip's last error, else the Java exception."""
    if text.startswith("ERROR: "):
        return refused._replace(why=text[len("ERROR: ") :])
    if not refused.why and _JAVA.match(text):
        return refused._replace(why=_JAVA.sub("", text))
    return refused
