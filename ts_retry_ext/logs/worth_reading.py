"""Tell with plain searches for bytes whether a line is worth reading: most lines tell nothing."""

from __future__ import annotations

#: How the frontend's words on a worker begin, and what has to be among them (TorchServe 0.12.0:
#: WorkerThread, AsyncWorkerThread, WorkerLifeCycle, BatchAggregator, TS_METRICS). A worker that
#: serves makes it write others, for each request.
BEGINNINGS = {
    b"Worker ": b"Worker cmdline",
    b"WorkerL": b"WorkerLoadTime",
    b"Flushin": b"Flushing req.cmd LOAD",
    b"Retry w": b"Retry worker",
    b"Auto re": b"Auto recovery",
    b"Load mo": b"Load model failed",
    b"Backend": b"Backend worker error",
    b"Jobs is": b"Jobs is empty",
}
STATE = b"State change"
#: A longer line of JSON may hold several of TorchServe's.
BUNDLE_BYTES = 2_000
_WORDS = (STATE, *BEGINNINGS.values())


def tells(line: bytes) -> bool:
    """Tell whether a line, in whatever envelope, may tell of a worker or its server.

    A line that names no worker tells of the server, of a registration (ModelManager,
    ModelVersionedRefs, ModelConfig, SnapshotManager), or continues a Java exception.
    """
    if len(line) > BUNDLE_BYTES and line[:1] in (b"{", b"["):
        return True
    if b"W-" not in line:
        return line[:1] != b"\t" and (
            b"ersion" in line
            or b"Exception: " in line
            or b"maxRetryTimeout" in line
            or b"ModelManager" in line
            or b"ModelServer" in line
            or b"SnapshotManager" in line
            or b"Error: " in line
            or line[:7] == b"ERROR: "
        )
    if b"-std" in line:
        return wrote(line)
    return any(word in line for word in _WORDS)


def wrote(line: bytes) -> bool:
    """Tell whether a line of an output's thread is what the worker wrote, and no measurement."""
    return b"[METRICS]" not in line and b"Stopped Scanner" not in line
