from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ts_retry_ext.judge import judge
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.named_causes import named_causes
from ts_retry_ext.judge.outlook import Outlook, outlook
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.verdict import Basis, Outcome

MODEL = "/tmp/models/0123"


def outlook_of(exc: BaseException, *files: str) -> Outlook:
    failure = failure_from_exception(exc, Phase.INITIALIZE, model_dir=MODEL)
    host = Host(model_dir=MODEL, exists=lambda path: path == MODEL, files=lambda: files)
    verdict = judge(failure, host=host)
    return outlook(verdict, named_causes(failure), BUILTIN_RULES, host)


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (NameError("name 'x' is not defined"), Outlook.CHANGE),
        (SyntaxError("invalid syntax"), Outlook.CHANGE),
        (ModuleNotFoundError("No module named 'acme'", name="acme"), Outlook.CHANGE),
        (FileNotFoundError(2, "No such file or directory", f"{MODEL}/vocab.txt"), Outlook.CHANGE),
        (FileNotFoundError(2, "No such file or directory", "/opt/vocab.txt"), Outlook.ELSEWHERE),
        (PermissionError(13, "Permission denied", "/root/weights.pt"), Outlook.ELSEWHERE),
        (KeyError("labels"), Outlook.ELSEWHERE),
        (KeyError("rank"), Outlook.ELSEWHERE),
        (KeyError("RANK"), Outlook.CHANGE),
        (UnicodeDecodeError("utf-8", b"\x8b", 0, 1, "invalid start byte"), Outlook.ELSEWHERE),
        (ValueError("the number of labels must be positive, got 0"), Outlook.ELSEWHERE),
        (OSError("Repository Not Found for url: https://hub.example/api/models/acme/ranker."), Outlook.ELSEWHERE),
        (OSError("403 Forbidden: Please enable access to public gated repositories"), Outlook.ELSEWHERE),
        (RuntimeError("StatusCode.INVALID_ARGUMENT: unexpected shape for input 'x'"), Outlook.ELSEWHERE),
        (RuntimeError("Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False."), Outlook.ELSEWHERE),
        (ConnectionRefusedError(111, "Connection refused"), Outlook.TIME),
        (RuntimeError("the frobnicator said no"), Outlook.TIME),
    ],
)  # fmt: skip
def test_the_strength_of_the_evidence_decides_what_could_end_a_halt(
    exc: BaseException, expected: Outlook
) -> None:
    assert outlook_of(exc) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("handler.py", "net.pt"), Outlook.CHANGE),
        # The weights are from a volume or a store: they can be replaced where nothing is watched.
        (("handler.py", "index_to_name.json"), Outlook.ELSEWHERE),
        (("handler.py", "vectorizer.pkl"), Outlook.ELSEWHERE),
    ],
)
def test_what_only_other_weights_can_cure_ends_where_these_are(
    files: tuple[str, ...], expected: Outlook
) -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.nn.Linear(2, 2).load_state_dict(torch.nn.Linear(3, 2).state_dict())
    assert outlook_of(raised.value, *files) is expected


def test_repetition_and_deaths_are_weak_evidence_whatever_they_made_of_the_verdict() -> None:
    failure = failure_from_exception(NameError("name 'x' is not defined"), Phase.INITIALIZE)
    verdict = replace(judge(failure), verdict=Outcome.NON_RECOVERABLE)
    for basis in (Basis.REPEATED, Basis.CRASHED):
        weak = replace(verdict, basis=basis, rule=None)
        assert outlook(weak, named_causes(failure), BUILTIN_RULES) is Outlook.TIME
