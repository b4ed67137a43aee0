"""What TorchServe's log says of models that it could not register (0.12.0 ModelServer, ModelManager)."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

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
_BANNER, _OPENED = b"Torchserve version:", b" API bind to: "
_MANAGEMENT = re.compile(rb"^Management address: (.+?)\r?$", re.MULTILINE)
#: The configuration that a start shows has fewer bytes, long lists of models included.
_SHOWN_BYTES = 64 * 1024
_DEFAULT_PORTS = {"http": 8081, "https": 8444}
_FAILED = re.compile(
    rb"^.{20,300} - (?:Failed to load model: |Custom pip package installation failed |Error while re)",
    re.MULTILINE,
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
        log: what servers logged.
        management: the address of the management API, by which servers that share a log are told apart.
        since_ms: when the run began, milliseconds since the epoch of the clock that the log shows. Where a
            log has no start since its level leaves that out, what was refused since then counts.
    """
    begin = _begin_of_run(log, management)
    run = log[max(begin, 0) :]
    if begin >= 0:
        run = _without_other_starts(run)
    added = _names_added(run)
    # A level that leaves out what was added may show what was unregistered.
    gone = () if added else _UNREGISTERED.findall(run)
    unregistered = frozenset(_text(name) for name in gone)
    if begin < 0:
        refused, restore_ended = _refused_since(log, since_ms) if since_ms else ({}, None)
        return LoggedRegistrations(refused, added, frozenset(), unregistered, False, restore_ended)
    opened = run.find(_OPENED)
    start = run if opened < 0 else run[:opened]
    later = _names_added(run[opened:]) if opened >= 0 else frozenset()
    refused, restore_ended = _refused(start.split(b"\n"))
    names = frozenset(name for name, _ in later)
    return LoggedRegistrations(refused, added, names, unregistered, True, restore_ended)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _names_added(log: bytes) -> frozenset[tuple[str, str]]:
    return frozenset((_text(name), _text(version)) for version, name in _ADDED.findall(log))


def _begin_of_run(log: bytes, management: str | None) -> int:
    """Return where the last start of a server begins, none that shows another address; else -1."""
    begin = log.rfind(_BANNER)
    while begin >= 0:
        shown = _MANAGEMENT.search(log, begin, begin + _SHOWN_BYTES)
        if management is None or shown is None or _address(_text(shown[1])) == _address(management):
            return begin
        begin = log.rfind(_BANNER, 0, begin)
    return -1


def _without_other_starts(run: bytes) -> bytes:
    """Return the log of a run without what other servers that log there registered at their starts."""
    parts = []
    end, begin = 0, run.find(_BANNER, len(_BANNER))
    while begin >= 0:
        parts.append(run[end:begin])
        end = run.find(_OPENED, begin)
        if end < 0:
            return b"".join(parts)
        begin = run.find(_BANNER, end)
    return b"".join([*parts, run[end:]]) if parts else run


def _address(text: str) -> str:
    """Return an address as TorchServe shows it (0.12.0 Connector): with its port."""
    found = re.fullmatch(r"(?i)(https?)://([^:/]+)(?::(\d+))?", text.strip())
    if found is None:
        return text.strip()
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    return f"{scheme}://{host}:{int(port) if port else _DEFAULT_PORTS[scheme]}"


def _refused_since(log: bytes, since_ms: int) -> tuple[dict[str, Refused], Refused | None]:
    for found in _FAILED.finditer(log):
        at = parse_line(log[found.start() : found.end()]).at
        if at is not None and at >= since_ms:
            return _refused(line for line in log[found.start() :].split(b"\n"))
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
