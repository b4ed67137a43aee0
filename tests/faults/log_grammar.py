"""Logs of the real forms in any order: a grammar of what TorchServe, workers, Java and collectors write."""

from __future__ import annotations

import gzip
import json

from hypothesis import strategies as st

from tests.faults.mutating import VALUES
from tests.logs.forms import FORMATS, PASTES
from ts_retry_ext.logs import envelope
from ts_retry_ext.logs.traceback_grammar import HEADER

_JOINTS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_RAISED = (
    "KeyError: 'a'", "ValueError", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
    "KeyboardInterrupt", "a.B: 401 Client Error.\n\nRepository Not Found for url: https://a/b.", "E: " + "x" * 5_000,
    "RuntimeError: 500 - Unknown exception", "ExceptionGroup: two (2 sub-exceptions)", "ImportError: see stack trace above",
)  # fmt: skip
_STACK = (
    f"{HEADER}:", f"  + Exception Group {HEADER}:", '  File "/m/h.py", line 3, in load', '  File "h.py", line 9',
    "    return load()", "    ~~~~^^^^", "  [Previous line repeated 996 more times]", "  | ValueError: x",
    "  +-+---------------- 1 ----------------", "    +------------------------------------", "a.b(c.d): ", '"""',
)  # fmt: skip
_WRITTEN = (
    "", "\r", "[PID]4712", "Torch worker started.", "Backend worker process died.", "Failed to load model m, exception x",
    "Exception ignored in: <f>", "Fatal Python error: Segmentation fault", "[METRICS]a:1|#x", "wandb: x", "\x1b[31mred\x1b[0m",
    "ts-retry: model 'm' failed in phase initialize with KeyError: 'a'; retried (rule x, fingerprint 0123456789abcdef)",
    "ts-retry: model 'm' is held, non_recoverable: KeyError: 'a' [rule x, fingerprint 0123456789abcdef]", "\x01a\x01b", "é\u2028",
)  # fmt: skip
_FRONTEND = (
    "Worker cmdline: [python]", "W-9000-m_1.0 State change null -> WORKER_STARTED", "Retry worker: 9000 in 1 seconds.",
    "W-9000-m_1.0 State change WORKER_STARTED -> WORKER_STOPPED", "W-9000-m_1.0 State change WORKER_MODEL_LOADED -> WORKER_STOPPED",
    "W-9000-m_1.0 State change WORKER_STARTED -> WORKER_MODEL_LOADED", "W-9000-m_1.0 State change WORKER_STOPPED -> WORKER_SCALED_DOWN",
    "Flushing req.cmd LOAD repeats 1 to backend at: 1795463366887", "Auto recovery start timestamp: 0000000000000",
    "Backend worker error", "Load model failed: m, error: Worker died.", "Retry worker: 9000 in 99999999999 seconds.",
)  # fmt: skip
_SERVER = (
    "Torchserve version: 0.12.0", "Torchserve stopped.", "Inference API bind to: http://127.0.0.1:8080", "Model m loaded.",
    "Adding new version 1.0 for model m", "Invalid maxRetryTimeoutInSec: x, should be int", "Failed to load model: x.mar",
)  # fmt: skip
_JAVA = (
    "java.lang.Exception: x", "\tat java.base/java.lang.Thread.run(Unknown Source)", "Caused by: java.io.IOException: x",
)  # fmt: skip
#: Clocks that were never set, that are set back, and that no calendar has.
_TIMES = (
    "2026-11-23T19:00:00,000", "2026-11-23T19:00:01,500", "2026-11-23T20:00:01,000", "2026-11-22T19:00:00,000",
    "1970-01-01T00:00:00,500", "1969-12-31T23:59:59,999", "0001-01-01T00:00:00,001", "9999-12-31T23:59:59,999",
    "9999-12-31T99:99:99,999", "2026-02-30T25:61:61,000", "0000-00-00T00:00:00,000",
)  # fmt: skip
#: Log4j2's own layouts show no time that no calendar has.
_FORMS = (*PASTES.values(), *(form for name, form in FORMATS.items() if name != "JsonLayout"))
_NAMES = ("m_1.0", "m_1.0", "n_2", "x", "é_1", "_")

_OF_PROCESS = st.sampled_from((*_STACK, *_JOINTS, *_RAISED, *_WRITTEN))


@st.composite
def _of_torchserve(draw: st.DrawFn) -> str:
    at, name = draw(st.sampled_from(_TIMES)), draw(st.sampled_from(_NAMES))
    port, kind = draw(st.sampled_from(("9000", "9001"))), draw(st.integers(0, 3))
    if kind == 0:
        return f"{at} [INFO ] main org.pytorch.serve.ModelServer - {draw(st.sampled_from(_SERVER))}"
    if kind == 1:
        return f"{at} [DEBUG] W-{port}-{name} org.pytorch.serve.wlm.WorkerThread - {draw(st.sampled_from(_FRONTEND))}"
    stream = draw(st.sampled_from(("stdout", "stderr")))
    return f"{at} [INFO ] W-{port}-{name}-{stream} MODEL_LOG - {draw(_OF_PROCESS)}"


_LINE = st.one_of(_of_torchserve(), _of_torchserve(), _OF_PROCESS, st.sampled_from(_JAVA))
#: Every key that an envelope is read by.
_KEYS = (
    *envelope._TEXTS, *envelope._THREADS, *envelope._TIMES, *envelope._ORIGINS, *envelope._THROWN, *envelope._LISTS,
    "process", "instant", "kubernetes", "labels", "resource",
)  # fmt: skip
#: Below them.
_INNER = ("thread", "name", "labels", "pod_name", "epochSecond", "nanoOfSecond", "message", "text")
_VALUE = st.one_of(
    VALUES,
    st.sampled_from((*_TIMES, 1e300, -1, 1 << 70, float("nan"), "W-9000-m_1.0", "\ud800")),
    st.dictionaries(st.sampled_from(_INNER), VALUES | st.sampled_from((1e300, 1 << 70)), max_size=3),
)  # fmt: skip


@st.composite
def _in_odd_json(draw: st.DrawFn, line: str) -> str:
    content = {"message": line, "thread": draw(st.sampled_from((None, "W-9000-m_1.0", "main")))}
    content.update(draw(st.dictionaries(st.sampled_from(_KEYS), _VALUE, max_size=4)))
    return json.dumps(content)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Return a log, or a piece of one: plain, in JSON, in what a collector made of it, compressed and cut."""
    lines = draw(st.lists(_LINE, min_size=1, max_size=12))
    form = draw(st.sampled_from((None, None, "json", "json", *_FORMS)))
    if form == "json":
        text = "\n".join(draw(_in_odd_json(line)) for line in lines)
    else:
        text = form(lines) if callable(form) else "\n".join(lines)
    data = text.encode(draw(st.sampled_from(("utf-8", "utf-8", "utf-16", "latin-1"))), "replace")
    if draw(st.integers(0, 5)) == 0:
        data = gzip.compress(data)
    return data[: draw(st.integers(1, len(data)))] if draw(st.integers(0, 3)) == 0 else data
