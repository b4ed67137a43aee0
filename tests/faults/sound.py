"""What is sound, to be spoilt: the files that operators and model makers hand in, and those of the store."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from tests.archive.packing import files, manifest
from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.settings import SETTINGS
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import SCHEMA
from ts_retry_ext.store.directory import ServerRun
from ts_retry_ext.store.marker import marker_to_json
from ts_retry_ext.store.record import Event, Record, TrialResult, record_to_json

ROOT = Path(__file__).parents[2]
CONFIG = (ROOT / "config.properties").read_bytes() + b"".join(
    f"{row.property_key} = {row.default}\n".encode() for row in SETTINGS if row.property_key
)
YAML = (
    "minWorkers: 1\nmaxWorkers: 1\nmaxRetryTimeoutInSec: 20\nhandler: {a: [1, 2.5, null, ~]}\n"
    "retry:\n  onFatal: hold\n  maxHardCrashes: 2\n  rules:\n  - {id: a, when: {type: X}}\n"
)
RULES = (
    "- {id: a, when: {message: 'no (licence|seat)', errno: [ENOENT], http_status: [5xx], phase: import},\n"
    "   verdict: recoverable, reason: why, remedy: what, scope: host}\n"
    "- id: b\n  when:\n    type: [X, a.Y]\n    unless: z\n    path: missing_on_host\n  verdict: unknown\n  reason: why\n"
)
#: Words of YAML that a mutation of single bytes hardly ever makes.
YAML_TOKENS = (
    "!!int x", "!!timestamp", "&a [*a]", "*none", "? [a]", "<<: 1", "2024-13-99", "!!python/name:os.system",
    "\t", "%YAML 9", "---\n---", "'", "{", "0x" + "f" * 400, "1e999", "\x00", "\ud7ff", "- " * 60,
)  # fmt: skip
MANIFEST = manifest(configFile="model-config.yaml")

_WRITTEN = (
    Record(Event.SUMMARY, "2020-09-13T12:26:40.000Z", counts={"start": 3, "load": 2},
           first_failure="2020-09-13T12:26:40.000Z"),
    record(Event.START, 0, oom_kills=0), record(Event.LOAD, 1), failure(2, group="7.0"),
    record(Event.START, 3, 2), record(Event.LOADED, 4, 2), record(Event.HOLD, 5, 3),
    record(Event.RELEASE, 6, 3, reason="why"), record(Event.HOLD, 6.1, 3), record(Event.TRIAL, 6.2, 3),
    failure(6.3, 3)._replace(event=Event.TRIED, result=TrialResult.FAILED),
    record(Event.RESUME, 7), record(Event.START, 8, 4),
)  # fmt: skip
JOURNAL = b"".join(map(journal.line_of, _WRITTEN))
RECORDS = tuple(map(record_to_json, _WRITTEN))
MARKER = marker_to_json(marker())
RUN = {**ServerRun(1, "1", 2.0, None, "/", "http://127.0.0.1:1", None)._asdict(), "schema": SCHEMA}
RETIRED = {"schema": SCHEMA, "min_workers": 1, "max_workers": 2, "at": "2020-09-13T12:26:40.000Z"}


def _mar() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(MANIFEST, YAML).items():
            archive.writestr(name, content)
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files(MANIFEST, YAML).items():
            info = tarfile.TarInfo("m/" + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


MAR = _mar()
#: Not compressed yet.
TAR = _tar()
