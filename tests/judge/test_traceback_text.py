"""A traceback is read as Python prints it, and as it stands in logs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ts_retry_ext.judge.traceback_text import failure_from_text

PRINTED = """\
Traceback (most recent call last):
  File "/opt/m/handler.py", line 4, in initialize
    socket.create_connection(("db", 5432))
ConnectionRefusedError: [Errno 111] Connection refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/v/lib/python3.9/site-packages/ts/model_service_worker.py", line 253, in <module>
    worker.run_server()
  File "/opt/m/handler.py", line 6, in initialize
    raise RuntimeError("no database\\nat all")
RuntimeError: no database
at all
"""


def test_the_last_traceback_counts() -> None:
    assert (
        failure_from_text(
            PRINTED + "\nTraceback (most recent call last):\nValueError: later\n"
        ).type
        == "ValueError"
    )


def test_the_wrapper_of_torchserve_is_no_failure_of_its_own() -> None:
    wrapper = 'Traceback (most recent call last):\n  File "w.py", line 1, in run\nRuntimeError: 500 - Unknown exception\n'
    failure = failure_from_text(PRINTED + "\nBackend worker process died.\n" + wrapper)
    assert failure.message.startswith("no database")


@pytest.mark.parametrize(
    ("text", "type_name", "message"),
    [
        ("ValueError: bad", "ValueError", "bad"),
        (
            "torch.cuda.OutOfMemoryError: CUDA out of memory.",
            "torch.cuda.OutOfMemoryError",
            "CUDA out of memory.",
        ),
        ("something went wrong", "Exception", "something went wrong"),
        ("", "Exception", ""),
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'a'",
            "KeyError",
            "'a'",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n    ^^^\npkg.mod.Odd',
            "pkg.mod.Odd",
            "",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 3\n    x = = 1\n        ^\nSyntaxError: invalid syntax',
            "SyntaxError",
            "invalid syntax (a.py, line 3)\n    x = = 1",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1, in f',
            "Exception",
            'Traceback (most recent call last):\n  File "a.py", line 1, in f',
        ),
    ],
)
def test_short_forms(text: str, type_name: str, message: str) -> None:
    failure = failure_from_text(text)
    assert (failure.type, failure.message) == (type_name, message)


def test_what_a_real_interpreter_prints_is_read() -> None:
    code = "try:\n    open('/no/such')\nexcept OSError as e:\n    raise KeyError('x') from e\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    failure = failure_from_text(done.stderr)
    assert (failure.type, failure.chain[0].type) == ("KeyError", "FileNotFoundError")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are of Python 3.11")
def test_a_printed_group_is_read() -> None:
    code = "raise ExceptionGroup('all', [ValueError('a'), OSError(111, 'refused')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ExceptionGroup" in failure_from_text(done.stderr).type
