"""A server with many models, some of them down for a few causes."""

from __future__ import annotations

import time
from typing import Any, Sequence

from tests.cli.servers import Frontend, described
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.exception_record import ExceptionRecord, FailingLine, FrameRecord
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

FIRST_PID = 300_000
WORKER = {
    "id": "9000",
    "startTime": "2026-01-01T00:00:00.000Z",
    "status": "READY",
    "memoryUsage": 0,
}


def raised(kind: str, message: str, line: int, source: str) -> ExceptionRecord:
    """Return what a handler raised in ``h.py``."""
    frame = f'  File "h.py", line {line}, in initialize\n    {source}\n'
    return ExceptionRecord(
        kind,
        message,
        frames=(
            FrameRecord("ts/model_loader.py", "load", False),
            FrameRecord("h.py", "initialize", True),
        ),
        traceback="Traceback (most recent call last):\n"
        '  File "ts/model_loader.py", line 143, in load\n    initialize_fn(context)\n'
        f"{frame}{kind}: {message}\n",
        at=FailingLine("h.py", line, "initialize", source),
    )


#: What models can be down for: of each the changes to a marker.
CAUSES: tuple[dict[str, Any], ...] = (
    {
        "fingerprint": "aaaaaaaaaaaaaaaa",
        "rule": "name-error",
        "reason": "The code uses a name that is defined nowhere.",
        "remedy": "Correct thresold in h.py, pack the model again and deploy it.",
        "waits_for": ("files",),
        "exception": raised(
            "NameError", "name 'thresold' is not defined", 8, "self.t = float(thresold)"
        ),
    },
    {
        "fingerprint": "bbbbbbbbbbbbbbbb",
        "rule": "module-not-found",
        "reason": "A module that the code imports is not installed.",
        "remedy": "Install sentencepiece into the environment of the workers.",
        "waits_for": ("module:sentencepiece", "files", "packages"),
        "exception": raised(
            "ModuleNotFoundError", "No module named 'sentencepiece'", 3, "import sentencepiece"
        ),
    },
    {
        "fingerprint": "cccccccccccccccc",
        "verdict": "unknown",
        "basis": "repeated",
        "rule": None,
        "reason": "It failed the same way 3 times in a row.",
        "remedy": "Look whether the feature store answers.",
        "waits_for": ("files", "time"),
        "exception": raised(
            "feast.errors.FeastError", "registry not reachable", 21, "self.s = connect(self.url)"
        ),
    },
    {
        "fingerprint": "dddddddddddddddd",
        "rule": "state-dict-mismatch",
        "reason": "The weights do not fit the model.",
        "remedy": "Pack the weights that belong to this model.",
        "waits_for": ("files",),
        "exception": raised(
            "RuntimeError",
            "Error(s) in loading state_dict for Net:\n\tsize mismatch for fc.weight: copying a "
            "param with shape torch.Size([10, 84]) from checkpoint, the shape in current model is "
            "torch.Size([12, 84]).",
            33,
            "self.model.load_state_dict(torch.load(path))",
        ),
    },
)


def fleet(server: Frontend, count: int, down: Sequence[int]) -> list[str]:
    """Register `count` models, and let as many of them be down for each of `CAUSES` as `down` says."""
    names = [f"model-{number:04d}" for number in range(count)]
    pids = range(FIRST_PID, FIRST_PID + count)
    of = [cause for cause, many in enumerate(down) for _ in range(many)]
    # Those that are down are spread over the names.
    step = max(1, count // max(1, len(of)))
    cause_of = {names[place * step]: cause for place, cause in enumerate(of)}
    entries = []
    now = time.time()
    for number, (name, pid) in enumerate(zip(names, pids)):
        status = "UNLOADING" if name in cause_of else "READY"
        workers = [dict(WORKER, pid=pid, status=status)]
        entries.append(described(name, workers=workers, maxRetryTimeoutInSec=300))
        at = now - 60 * number - 1_600_000_000 - 5
        begun = record(Event.START, at, pid, model=name)
        folder = server.kept / name
        load = record(Event.LOAD, at, pid, model=name)
        if name not in cause_of:
            write_journal(folder, begun, load, record(Event.LOADED, at + 2, pid, model=name))
            continue
        changes = dict(CAUSES[cause_of[name]], model=name, created_at=to_text(now - 60 * number))
        judged = {key: changes[key] for key in ("fingerprint", "exception", "waits_for", "rule")}
        write_journal(folder, begun, load, failure(at + 1, pid, model=name, **judged))
        if "time" in changes["waits_for"]:
            changes["next_trial_at"] = to_text(now + 90)
        hold(folder, pid, **changes)
    server.register(*entries)
    server.api.answers["GET /ping"] = {"status": "Healthy"}
    return names
