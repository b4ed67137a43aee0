"""What TorchServe's log says of models that it could not register (0.12.0 ModelServer, ModelManager)."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, NamedTuple

from ts_retry_ext.logs.log_record import Kind, parse_line

#: The archive, or the model, that a line says was not registered.
REFUSED = re.compile(
    r"Failed to load model: (.+)|(?:Custom pip package installation|Virtual environment creation) failed for model (.{1,300}?):?[ \r]*(?:\n|$)"
)
#: Of a snapshot, TorchServe restores no further model, and does not say which one it could not register
#: (0.12.0 SnapshotManager.initModels).
RESTORE_ENDED = re.compile(
    r"Error while (?:retrieving snapshot details|registering model)\. Details: (.*)"
)
RESTORE_TOLD = "TorchServe stopped restoring its snapshot"
ADDED = re.compile(r"Adding new version (\S+) for model (.+)$")
_ADDED = re.compile(rb" - Adding new version (\S+) for model ([^\r\n]+)")
_UNREGISTERED = re.compile(rb" - Model ([^\r\n]+) unregistered\.")
#: How such lines begin: a long log is searched for that in a tenth of the time that a pattern takes.
_ADDING, _MODEL = b" - Adding new version ", b" - Model "
#: It stands in a line of its own, unless a layout of JSON makes one of the whole record.
_BANNER, _OPENED = b"\nTorchserve version:", b" API bind to: "
_MANAGEMENT = re.compile(rb"^Management address: (.+?)\r?$", re.MULTILINE)
#: The configuration that a start shows has fewer bytes, long lists of models included.
_SHOWN_BYTES = 64 * 1024
_DEFAULT_PORTS = {"http": 8081, "https": 8444}
_FAILED = (
    b" - Failed to load model: ",
    b" - Custom pip package installation failed ",
    b" - Error while re",
)
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
        added: names and versions of models that were registered, at whatever time.
        later: names of those that were registered after the start.
        unregistered: names of models that somebody unregistered.
        has_start: whether the log goes back to the start of the run.
        restore_ended: why the restore of a snapshot ended before its last model, or None.
    """

    refused: dict[str, Refused]
    added: frozenset[tuple[str, str]] = frozenset()
    later: frozenset[str] = frozenset()
    unregistered: frozenset[str] = frozenset()
    has_start: bool = False
    restore_ended: Refused | None = None

    def has_had(self, name: str, version: str | None = None) -> bool:
        """Tell whether a model, or that version of it, was registered at some time."""
        if version is not None:
            return (name, version) in self.added
        return name in self.unregistered or any(name == one for one, _ in self.added)

    def followed_by(self, newer: LoggedRegistrations) -> LoggedRegistrations:
        """Return what this, of a log that was rotated, and the log after it say of the run."""
        return LoggedRegistrations(
            {**newer.refused, **self.refused},
            self.added | newer.added,
            self.later | newer.later | {name for name, _ in newer.added},
            self.unregistered | newer.unregistered,
            self.has_start,
            self.restore_ended or newer.restore_ended,
        )


def archive_name(path: str) -> str:
    """Return the name under which an archive is registered from a model store."""
    name = path.strip().rstrip("/").replace("\\", "/").rpartition("/")[2]
    return name[:-4] if name.endswith(".mar") else name


def registrations_in(
    log: bytes, management: str | None = None, since_ms: int | None = None
) -> LoggedRegistrations:
    """Return what a log says of the registrations of the last run in it.

    What a server registers at its start it registers before it opens its addresses, so that no more of a
    long log is read line by line.

    Args:
        management: the address of the management API, by which servers that share a log are told apart.
        since_ms: when the run began, milliseconds since the epoch of the clock that the log shows. Where a
            log has no start since its level leaves that out, what was refused since then counts.
    """
    begin = _begin_of_run(log, management)
    if begin < 0:
        refused, restore_ended = _refused_since(log, since_ms) if since_ms else ({}, None)
        opened, parts = 0, [(0, len(log))]
    else:
        opened = log.find(_OPENED, begin)
        opened = len(log) if opened < 0 else opened
        refused, restore_ended = _refused(log[begin:opened].split(b"\n"))
        parts = list(_own_parts(log, begin))
    added = [found for part in parts for found in _matches(_ADDED, _ADDING, log, *part)]
    gone: list[re.Match[bytes]] = []
    if not added:  # A level that leaves out what was added may show what was unregistered.
        gone = [found for part in parts for found in _matches(_UNREGISTERED, _MODEL, log, *part)]
    return LoggedRegistrations(
        refused,
        frozenset((_text(found[2]), _text(found[1])) for found in added),
        frozenset(_text(found[2]) for found in added if found.start() >= opened and begin >= 0),
        frozenset(_text(found[1]) for found in gone),
        begin >= 0,
        restore_ended,
    )


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _places(literal: bytes, log: bytes, begin: int, end: int) -> Iterator[int]:
    at = log.find(literal, begin, end)
    while at >= 0:
        yield at
        at = log.find(literal, at + len(literal), end)


def _matches(
    pattern: re.Pattern[bytes], literal: bytes, log: bytes, begin: int, end: int
) -> Iterator[re.Match[bytes]]:
    """Yield where a pattern that begins with a literal matches in a part of a log."""
    for at in _places(literal, log, begin, end):
        found = pattern.match(log, at)
        if found is not None:
            yield found


def _begin_of_run(log: bytes, management: str | None) -> int:
    """Return where the last start of a server begins, none that shows another address; else -1."""
    begin = log.rfind(_BANNER)
    while begin >= 0:
        shown = _MANAGEMENT.search(log, begin, begin + _SHOWN_BYTES)
        if management is None or shown is None or _address(_text(shown[1])) == _address(management):
            return begin
        begin = log.rfind(_BANNER, 0, begin)
    return -1


def _own_parts(log: bytes, begin: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each part of a run, without the starts of other servers that log there."""
    while begin >= 0:
        other = log.find(_BANNER, begin + len(_BANNER))
        yield begin, len(log) if other < 0 else other
        begin = log.find(_OPENED, other) if other >= 0 else -1


def _address(text: str) -> str:
    """Return an address as TorchServe shows it (0.12.0 Connector): with its port."""
    found = re.fullmatch(r"(?i)(https?)://([^:/]+)(?::(\d+))?", text.strip())
    if found is None:
        return text.strip()
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    return f"{scheme}://{host}:{int(port) if port else _DEFAULT_PORTS[scheme]}"


def _refused_since(log: bytes, since_ms: int) -> tuple[dict[str, Refused], Refused | None]:
    places = sorted(at for literal in _FAILED for at in _places(literal, log, 0, len(log)))
    for place in places:
        begin = log.rfind(b"\n", 0, place) + 1
        at = parse_line(log[begin : place + 100]).at
        if at is not None and at >= since_ms:
            return _refused(log[begin : places[-1] + _SHOWN_BYTES].split(b"\n"))
    return {}, None


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
