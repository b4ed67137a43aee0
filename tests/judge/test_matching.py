"""Each field of a condition, alone and together."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.evidence import evidence_of
from ts_retry_ext.judge.failure import Cause, Failure, Frame, Phase
from ts_retry_ext.judge.matching import matches
from ts_retry_ext.judge.paths import NO_HOST
from ts_retry_ext.judge.rule import When

FAILURE = Failure(
    type="mylib.LoadError",
    message="could not\n  load weights",
    phase=Phase.CONSTRUCT,
    mro=("mylib.LoadError", "RuntimeError", "Exception"),
    notes=("while reading part 3",),
    chain=(
        Cause(
            "requests.exceptions.HTTPError",
            "503 Server Error: x [Errno 111]",
            ("requests.exceptions.HTTPError", "OSError"),
        ),
        Cause(
            "ModuleNotFoundError",
            "No module named 'torch.nothing'",
            ("ModuleNotFoundError", "ImportError"),
        ),
    ),
    frames=(Frame("/x/botocore/client.py", "call", "botocore.client"),),
)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(type=("LoadError",)), True),
        (When(type=("mylib.LoadError",)), True),
        (When(type=("other.LoadError",)), False),
        (When(type=("RuntimeError",)), True),
        (When(exact_type=("RuntimeError",)), False),
        (When(exact_type=("LoadError",)), True),
        (When(type=("OSError",)), True),
        (When(type=("OSError",), where="outermost"), False),
        (When(type=("RuntimeError",), where="inner"), False),
        (When(message="could not load"), True),
        (When(message="COULD NOT LOAD"), True),
        (When(message="reading part"), True),
        (When(message="could not load", type=("OSError",)), False),
        (When(message="could not load", unless="errno 111"), False),
        (When(message="could not load", unless="errno 5"), True),
        (When(message="could not load", unless_type=("OSError",)), False),
        (When(message="could not load", unless_type=("KeyError",)), True),
        (When(message="could not load", unless_frame=("botocore",)), False),
        (When(errno=("ECONNREFUSED",)), True),
        (When(errno=("ENOENT",)), False),
        (When(http_status=("503",)), True),
        (When(http_status=("5xx",)), True),
        (When(http_status=("4xx",)), False),
        (When(cause=("OSError",)), True),
        (When(cause=("LoadError",)), False),
        (When(phase=(Phase.CONSTRUCT,)), True),
        (When(phase=(Phase.IMPORT,)), False),
        (When(module=("torch",)), True),
        (When(module=("torch.*",)), True),
        (When(module=("tor",)), False),
        (When(frame=("botocore",)), True),
        (When(frame=("boto",)), False),
        (When(memory="request_exceeds_total"), False),
        (When(path="missing_in_model_dir"), False),
    ],
)
def test_a_condition(when: When, expected: bool) -> None:
    assert matches(when, evidence_of(FAILURE, NO_HOST)) is expected
