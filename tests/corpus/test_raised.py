"""Failures that libraries really raise get the verdict they should have, live, from JSON, and from a log."""

from __future__ import annotations

import json
import os
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus import raised_libraries, raised_python, raised_torch
from tests.corpus.known_wrong import KNOWN_WRONG
from tests.corpus.raising import Raised
from tests.corpus.world import World, world
from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.judge import (
    Failure,
    Host,
    Outcome,
    Phase,
    Verdict,
    failure_from_exception,
    failure_from_record,
    failure_from_text,
    judge,
    record_of,
)
from ts_retry_ext.judge.builtin import BUILTIN_RULES

HEAD = "2024-04-23T05:00:36,460 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - "
ROWS = (*raised_python.ROWS, *raised_torch.ROWS, *raised_libraries.ROWS)
WANTED = {"N": Outcome.NON_RECOVERABLE, "R": Outcome.RECOVERABLE, "U": Outcome.UNKNOWN}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("servers")) as made:
        yield made


@pytest.fixture
def here(servers: World, tmp_path: Path) -> World:
    servers.tmp = tmp_path
    return servers


#: What a log cannot show: a context that `from None` hides, bases of a type that nobody knows, the address in urllib's HTTPError.
NOT_PRINTED = (
    "cause-from-none",
    "hub-404",
    "onnx-data-missing",
    "onnx-data-missing-checked",
    "redis-master-down",
    "urllib-404",
)


def raised(row: Raised, here: World) -> tuple[Failure, str]:
    """Return a failure as it is seen live, and as Python prints it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            row.raiser(here)
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # torch's CheckpointException is no Exception
            failure = failure_from_exception(exc, Phase.INITIALIZE, model_dir=str(here.tmp))
            printed = traceback.format_exception(type(exc), exc, exc.__traceback__)
            return failure, "".join(printed)
    pytest.fail(f"{row.name} raised nothing")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.is_possible()], ids=lambda row: str(row.name)
)
def test_a_failure_really_raised_is_judged_as_wanted(row: Raised, here: World) -> None:
    failure, printed_text = raised(row, here)
    host = Host(model_dir=str(here.tmp), exists=os.path.exists)
    verdict = judge(failure, host=host)
    wanted = KNOWN_WRONG[row.name][0] if row.name in KNOWN_WRONG else row.wanted
    assert verdict.verdict is WANTED[wanted], (verdict, failure.type, failure.message)
    data = json.loads(json.dumps(record_of(failure)))
    again = judge(failure_from_record(data, model_dir=host.model_dir), host=host)
    assert (again.verdict, again.fingerprint) == (verdict.verdict, verdict.fingerprint)
    printed = judge(failure_from_text(failure.traceback))
    if wanted == "R":
        assert printed.verdict is not Outcome.NON_RECOVERABLE

    logged = classified(printed_text, host)
    assert logged.fingerprint == verdict.fingerprint
    assert logged.verdict is verdict.verdict or row.name in NOT_PRINTED


def classified(printed: str, host: Host) -> Verdict:
    """Return what is made of a traceback in TorchServe's log."""
    lines = ["Backend worker process died.", *printed.rstrip("\n").split("\n")]
    text = "\n".join(HEAD + line for line in lines)
    return (
        failures_in(text.encode(), "x", FailureJudge(BUILTIN_RULES, host)).found[0].judged.verdict
    )


def test_the_corpus_is_large_and_names_are_unique() -> None:
    assert len(ROWS) >= 150
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_what_is_known_to_be_wrong_never_halts_what_would_recover() -> None:
    names = {row.name: row for row in ROWS}
    for name, (given, reason) in KNOWN_WRONG.items():
        assert given != names[name].wanted
        assert not (given == "N" and names[name].wanted == "R")
        assert reason
