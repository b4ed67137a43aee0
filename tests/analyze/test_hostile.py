"""What is no log, damaged, or made to do harm gets a clear answer and costs little."""

from __future__ import annotations

import gzip
import json
import random
import socket
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.logs.written import DATA, JUDGE, KNOWN, analyzed, log, model, outcome, written
from ts_retry_ext.analyze.judged_failure import FailureJudge, JudgedFailure
from ts_retry_ext.analyze.report_in_words import names
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.judge import Failure
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.logs.byte_blocks import BLOCK_BYTES, LONGEST_LINE, read_lines
from ts_retry_ext.logs.log_files import LogFilesError
from ts_retry_ext.logs.merging import MOST_ORIGINS

HEAD = "2026-11-23T19:00:0{second},000 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - "


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(LogFilesError, match="nowhere.*no such file or folder"):
        analyzed(tmp_path / "nowhere")
    with pytest.raises(LogFilesError, match="holds no log"):
        analyzed(tmp_path)
    (tmp_path / "ts_log.log").touch()
    with pytest.raises(LogFilesError, match="is empty"):
        analyzed(tmp_path / "ts_log.log")


@pytest.mark.parametrize(
    "content",
    [
        bytes(random.Random(7).randrange(256) for _ in range(100_000)),
        b"\x00" * 3_000_000,
        b"\xff\xfe" + b"\xd8\x00" * 1000,
        b"\x1f\x8b" + b"not gzip at all" * 100,
        b'{"log": ' * 5000,
        b"[" * 100_000,
        b'{"events": [{"message": {"a": 1}}, 3, null]}\n{"message": ["x"]}\n{"thread": {"W-": 1}}\n',
        b"2026-99-99T99:99:99,999 [INFO ] W-1-m_1.0 a.b - Worker cmdline: x\n" * 3,
        b"just a text\n" * 1000,
    ],
    ids=["noise", "zeros", "bad UTF-16", "bad gzip", "JSON cut", "nested", "odd JSON", "no time", "text"],
)  # fmt: skip
def test_what_is_no_log_is_survived(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(content)
    assert not [m for m in analyzed(path).models if m["failures"]]


def test_a_log_cut_at_any_byte_is_read(tmp_path: Path) -> None:
    whole = log("console.log")
    path = tmp_path / "console.log"
    for at in range(len(whole) // 13, len(whole), len(whole) // 13):
        path.write_bytes(whole[at:])
        late = analyzed(path)
        path.write_bytes(whole[:at])
        early = analyzed(path)
        for name, (_, starts, _, _) in KNOWN.items():
            seen = [
                m["worker_starts"] for r in (early, late) for m in r.models if m["model"] == name
            ]
            # A process that runs at the cut may be seen in both halves.
            assert starts <= sum(seen) <= starts + 2 or not seen


def test_a_gzip_file_that_is_cut_is_read_up_to_there(tmp_path: Path) -> None:
    data = (DATA / "ts_log.log.gz").read_bytes()
    path = tmp_path / "ts_log.log.gz"
    path.write_bytes(data[: len(data) // 2])
    report = analyzed(path)
    assert any("damaged or cut" in problem for problem in report.content["problems"])
    assert model(report, "broken")["failures"]


def test_a_line_of_five_megabytes_costs_its_line_only(tmp_path: Path) -> None:
    whole = log("console.log").splitlines(keepends=True)
    long = HEAD.format(second=0).encode() + b"x" * 5_000_000 + b"\n"
    path = tmp_path / "console.log"
    path.write_bytes(b"".join(whole[:500]) + long + b"".join(whole[500:]))
    report = analyzed(path)
    assert {k: v for k, v in outcome(report).items() if k != "m"} == KNOWN


def test_memory_does_not_grow_with_a_line_that_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with path.open("wb") as stream:
        stream.truncate(40 * BLOCK_BYTES)
    tracemalloc.start()
    try:
        assert sum(len(line) for lines in read_lines(str(path), lambda _: None) for line in lines) == LONGEST_LINE  # fmt: skip
        assert tracemalloc.get_traced_memory()[1] < 6 * LONGEST_LINE
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_causes_of_a_model(tmp_path: Path) -> None:
    def attempt(number: int) -> list[str]:
        at = f"2026-11-23T19:{number // 60:02}:{number % 60:02},000"
        out = f"{at} [INFO ] W-9000-m_1.0-stdout MODEL_LOG - "
        frontend = f"{at} [DEBUG] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - "
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        return [
            f"{frontend}Worker cmdline: [python]",
            f"{out}Traceback (most recent call last):",
            f'{out}  File "/home/m/h.py", line 3, in load_{letters}',
            f"{out}Odd{letters}Error: {letters}",
            f"{frontend}W-9000-m_1.0 State change WORKER_STARTED -> WORKER_STOPPED",
            f"{frontend}Retry worker: 9000 in 1 seconds.",
        ]

    report = analyzed(written(tmp_path, [line for n in range(200) for line in attempt(n)]))
    (found,) = report.models
    assert found["failures"] == 200
    assert len(found["causes"]) == 50
    assert found["other_failures"] == 150


def test_secrets_do_not_come_through(tmp_path: Path) -> None:
    out = [HEAD.format(second=n) for n in range(4)]
    lines = [
        HEAD.format(second=0).replace("-stdout MODEL_LOG", " x.WorkerLifeCycle") + "Worker cmdline: x",
        f"{out[1]}Traceback (most recent call last):",
        f'{out[1]}  File "/m/h.py", line 3, in load',
        f"{out[1]}ValueError: no access to https://ann:hunter2secret@example.com/w.bin",
        HEAD.format(second=2).replace("-stdout MODEL_LOG", " x.WorkerThread") + "Retry worker: 9000 in 1 seconds.",
    ]  # fmt: skip
    report = analyzed(written(tmp_path, lines))
    assert report.models[0]["failures"] == 1
    assert "hunter2secret" not in json.dumps(report.content)


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as nothing_to_read:  # no mode keeps root out
        nothing_to_read.bind("ts_log.log")
        assert "cannot be read" in analyzed(tmp_path / "ts_log.log").content["problems"][0]


def test_a_bomb_of_zeros_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "ts_log.log.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(64):
            stream.write(b"\x00" * BLOCK_BYTES)
    tracemalloc.start()
    try:
        assert not analyzed(path).models
        assert tracemalloc.get_traced_memory()[1] < 8 * LONGEST_LINE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("2019-06-20 12:01:33,123 [INFO ] W-9000-m com.amazonaws.ml.mms.wlm.WorkerThread - Retry worker: 9000 in 1 seconds.", "multi-model-server"),
        ("I0623 05:00:31.100000 1 model_lifecycle.cc:642] loading: bert:1", "Triton"),
        ("(APIServer pid=1) INFO 06-23 05:00:26 [api_server.py:1395] vLLM API server version 0.9.1", "vLLM"),
    ],
)  # fmt: skip
def test_the_log_of_another_server_is_named(line: str, server: str, tmp_path: Path) -> None:
    problems = analyzed(written(tmp_path, [line])).content["problems"]
    assert any(f"looks like a log of {server}" in problem for problem in problems)


def test_lines_that_are_all_equally_long_were_not_broken(tmp_path: Path) -> None:
    """As in a text in base64: joining them would make one line without end."""
    lines = ["x" * 100] * 20_000
    assert analyzed(written(tmp_path, lines)).models == []
    assert not failures_in("\n".join(lines).encode(), "x", JUDGE).found


def test_a_width_that_many_lines_have_by_chance_makes_no_line_without_end(tmp_path: Path) -> None:
    lines = ["y" * 100, "z" * 60] + ["x" * 100] * 5_000 + ["z" * 30] * 700
    begun = time.process_time()
    assert analyzed(written(tmp_path, lines)).models == []
    assert time.process_time() - begun < 20


def test_pods_that_each_line_names_anew_are_not_told_apart_for_ever(tmp_path: Path) -> None:
    """A label of Loki's can differ from line to line; each was compared with all others."""
    head = HEAD.format(second=0)
    lines = (json.dumps({"pod": f"p{n}", "message": f"{head}x"}) for n in range(MOST_ORIGINS + 50))
    report = analyzed(written(tmp_path, lines))
    assert len(report.models) == MOST_ORIGINS + 1
    assert [problem for problem in report.content["problems"] if "more than 1,000 pods" in problem]


def test_names_of_many_models_are_made_at_once() -> None:
    """A name depends on all others, which were looked through for each."""
    looks: list[str] = []

    class Watched(dict):  # type: ignore[type-arg]
        def __getitem__(self, key: str) -> Any:
            looks.append(key)
            return super().__getitem__(key)

    models = [Watched(model=f"m{n}", version="1.0", server=f"s{n}") for n in range(500)]
    models.append(Watched(model="m0", version="2.0", server="s0"))
    assert names(models)[-1] == "m0 2.0 #1"
    assert len(looks) < 10 * len(models)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Traceback (most recent call last):\n  File \"/m/h.py\", line 3, in load\nKeyError: 'a'\n", 300),
        ("ts-retry: model 'm' is held, fatal: KeyError: 'a' [x, fingerprint 0123456789abcdef]\n", 300),
        ("12:00:00 app says KeyError: 'a'\n", 300),
    ],
    ids=["tracebacks", "lines of our own", "lines with an exception"],
)  # fmt: skip
def test_what_comes_again_and_again_is_judged_once(text: str, count: int) -> None:
    """The rules take longer than all else, 2 ms for each failure."""
    judged: list[Failure] = []

    class Counting(FailureJudge):
        def of_failure(self, failure: Failure, **more: Any) -> JudgedFailure:
            judged.append(failure)
            return super().of_failure(failure, **more)

    (found,) = failures_in((text * count).encode(), "x", Counting(BUILTIN_RULES)).found
    assert found.count == count
    assert len(judged) == 1
