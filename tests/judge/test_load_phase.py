"""The frames of a traceback show how far a worker was; what they don't show is not guessed."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.frames import make_frame
from ts_retry_ext.judge.load_phase import phase_of

TS = "/v/lib/python3.11/site-packages/ts/"
SCRIPT, LOADER = f"{TS}model_service_worker.py", f"{TS}model_loader.py"
MODEL = "/tmp/models/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("frames", "phase"),
    [
        ([(SCRIPT, "<module>"), ("/v/lib/python3.11/site-packages/torch/__init__.py", "<module>")], Phase.STARTUP),
        ([(SCRIPT, "<module>"), (f"{MODEL}/logging.py", "<module>")], Phase.STARTUP),
        ([(SCRIPT, "__init__")], Phase.STARTUP),
        ([(SCRIPT, "handle_connection"), (f"{TS}protocol/otf_message_handler.py", "retrieve_msg")], Phase.STARTUP),
        ([(SCRIPT, "load_model"), (LOADER, "load"), (LOADER, "_load_handler_file"), (f"{MODEL}/h.py", "<module>")], Phase.IMPORT),
        ([(LOADER, "load"), (LOADER, "_load_default_handler")], Phase.IMPORT),
        ([(LOADER, "load"), (LOADER, "_get_class_entry_point"), (f"{MODEL}/h.py", "__init__")], Phase.CONSTRUCT),
        ([(SCRIPT, "load_model"), (LOADER, "load"), (f"{MODEL}/h.py", "initialize")], Phase.INITIALIZE),
        ([(f"{MODEL}/h.py", "initialize"), (f"{MODEL}/net.py", "load")], Phase.INITIALIZE),
        ([(SCRIPT, "handle_connection"), (f"{TS}service.py", "predict"), (f"{MODEL}/h.py", "handle")], Phase.INFERENCE),
        ([(f"{MODEL}/h.py", "handle"), (f"{MODEL}/h.py", "preprocess")], Phase.INFERENCE),
        ([(f"{MODEL}/net.py", "load")], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_frames_show_the_phase(frames: list[tuple[str, str]], phase: Phase | None) -> None:
    assert phase_of([make_frame(file, function, 3, None) for file, function in frames]) is phase
