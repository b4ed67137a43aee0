"""Each way that a worker starts, fails, gives up and ends, in the lines of TorchServe 0.12.0."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.logs.written import analyzed, written
from ts_retry_ext.analyze.retry_window import WindowBounds

START = "Worker cmdline: [python, ts/model_service_worker.py]"
LOAD = "Flushing req.cmd LOAD repeats 1"
STOPPED = "STATE WORKER_STARTED -> WORKER_STOPPED"
LOADED = "STATE WORKER_STARTED -> WORKER_MODEL_LOADED"
SCALED = "STATE WORKER_STARTED -> WORKER_SCALED_DOWN"
RETRY = "Retry worker: 9000 in 1 seconds."
FAILS = [
    "OUT Traceback (most recent call last):",
    'OUT   File "/home/m/h.py", line 3, in load',
    "OUT KeyError: 'bias'",
]
REFUSED = [
    *FAILS[:2],
    "OUT ConnectionRefusedError: [Errno 111] Connection refused: ('10.0.0.7', 80)",
]
#: Something of another worker, so that the log goes on.
END = (3000, "OTHER Looping backend response at: 1795463366887")
Line = Any


def lines(*told: Line, port: int = 9000) -> Iterator[str]:
    """Yield lines; a pair sets the second at which it and what follows comes."""
    at = 0
    for item in told:
        if isinstance(item, tuple):
            at, item = item
        for text in [item] if isinstance(item, str) else item:
            thread, logger = f"W-{port}-m_1.0", "org.pytorch.serve.wlm.WorkerThread"
            kind, _, rest = text.partition(" ")
            if kind in ("OUT", "ERR"):
                stream = "stdout" if kind == "OUT" else "stderr"
                thread, logger, text = f"{thread}-{stream}", "MODEL_LOG", rest
            elif kind == "OTHER":
                thread, text = "W-9999-other_1.0", rest
            elif kind == "NETTY":
                thread, text = "epollEventLoopGroup-5-1", rest
            elif kind == "MAIN":
                thread, logger, text = "main", "org.pytorch.serve.wlm.ModelVersionedRefs", rest
            elif kind == "STATE":
                text = f"{thread} State change {rest}"
            hour, minute, second = at // 3600, at // 60 % 60, at % 60
            stamp = f"2026-11-23T{hour:02}:{minute:02}:{second:02},000"
            yield f"{stamp} [INFO ] {thread} {logger} - {text}"


def attempt(at: int, *end: str, wrote: list[str] = FAILS) -> list[Line]:
    return [(at, START), LOAD, wrote, STOPPED, *end]


def of(tmp_path: Path, *told: Line) -> dict[str, Any]:
    report = analyzed(written(tmp_path, lines(*told)))
    (found,) = (model for model in report.models if model["model"] == "m")
    return found


def test_a_worker_that_recovers_has_recovered(tmp_path: Path) -> None:
    found = of(tmp_path, *attempt(0, RETRY, wrote=REFUSED), (1, START), LOAD, (5, LOADED), END)
    assert (found["state"], found["failures"], found["loaded"]) == ("recovered", 1, 1)
    assert found["causes"][0]["verdict"] == "recoverable"


def test_the_frontend_giving_up_is_a_failure_for_good_and_bounds_the_window(tmp_path: Path) -> None:
    found = of(tmp_path, *attempt(0, RETRY, wrote=REFUSED), *attempt(232, RETRY, wrote=REFUSED),
               *attempt(376, wrote=REFUSED), END)  # fmt: skip
    assert (found["state"], found["gave_up"]) == ("failed", True)
    window = found["max_retry_timeout_sec"]
    assert (window["more_than"], window["at_most"], window["default_fits"]) == (232, 376, True)


def test_a_log_that_ends_with_a_stop_does_not_tell_that_the_frontend_gave_up(
    tmp_path: Path,
) -> None:
    found = of(tmp_path, *attempt(0, wrote=REFUSED))
    assert (found["state"], found["gave_up"]) == ("retrying", False)


def test_a_worker_that_is_scaled_away_while_it_loads_has_not_failed(tmp_path: Path) -> None:
    found = of(tmp_path, (0, START), LOAD, (2, SCALED), STOPPED, END)
    assert (found["failures"], found["state"]) == (0, "unknown")


def test_a_worker_that_is_scaled_away_while_it_serves_has_not_died(tmp_path: Path) -> None:
    away = "NETTY W-9000-m_1.0 State change WORKER_MODEL_LOADED -> WORKER_SCALED_DOWN"
    ends = ["OUT Frontend disconnected.", "STATE WORKER_SCALED_DOWN -> WORKER_STOPPED"]
    found = of(tmp_path, (0, START), LOAD, LOADED, (9, away), *ends, END)
    told = (found["state"], found["failures"], found["deaths_while_serving"], found["gave_up"])
    assert told == ("serving", 0, 0, False)


def test_a_start_that_was_due_when_a_model_was_scaled_away_tells_nothing(tmp_path: Path) -> None:
    away = "NETTY W-9000-m_1.0 State change WORKER_STOPPED -> WORKER_SCALED_DOWN"
    due = [(3, START), "STATE WORKER_SCALED_DOWN -> WORKER_STARTED", LOAD, FAILS]
    ends = "STATE WORKER_SCALED_DOWN -> WORKER_STOPPED"
    found = of(tmp_path, *attempt(0, RETRY), (2, away), *due, ends, END)
    assert (found["failures"], found["gave_up"]) == (1, False)
    assert found["max_retry_timeout_sec"]["at_most"] is None


def test_a_worker_that_dies_while_it_serves_is_no_failed_load(tmp_path: Path) -> None:
    found = of(tmp_path, (0, START), LOAD, LOADED, (90, STOPPED), RETRY, (91, START), LOAD, LOADED, END)  # fmt: skip
    assert (found["state"], found["failures"], found["deaths_while_serving"]) == ("serving", 0, 1)


def test_a_dead_worker_that_is_not_retried_is_lost_for_good(tmp_path: Path) -> None:
    found = of(tmp_path, (0, START), LOAD, LOADED, (90, STOPPED), END)
    assert (found["state"], found["gave_up"]) == ("failed", True)


def test_three_deaths_without_a_word_are_final_two_are_not(tmp_path: Path) -> None:
    deaths = [attempt(at, RETRY, wrote=[]) for at in (0, 5, 10)]
    twice = of(tmp_path / "2", *deaths[0], *deaths[1], END)
    assert (twice["state"], twice["causes"][0]["verdict"]) == ("retrying", "unknown")
    found = of(tmp_path / "3", *deaths[0], *deaths[1], *deaths[2], END)
    assert (found["state"], found["causes"][0]["basis"]) == ("failed", "crashed")


def test_deaths_before_the_model_was_given_say_nothing_against_it(tmp_path: Path) -> None:
    died = [part for at in (0, 10, 20, 30) for part in ((at, START), STOPPED, RETRY)]
    found = of(tmp_path, *died, END)
    assert (found["state"], found["failures"], found["saved"]["loads"]) == ("retrying", 4, 0)
    assert [cause["verdict"] for cause in found["causes"]] == ["unknown"]
    fault = ["ERR Fatal Python error: Segmentation fault", 'ERR   File "/home/m/h.py", line 3 in f']
    fell = [part for at in (0, 10, 20) for part in ((at, START), fault, STOPPED, RETRY)]
    assert of(tmp_path, *fell, END)["state"] == "failed"


def test_a_failed_load_that_an_asynchronous_frontend_keeps_to_itself_is_told(
    tmp_path: Path,
) -> None:
    died = ["OUT handle_connection_async", "OUT Backend worker process died.", *FAILS]
    found = of(tmp_path, (0, START), LOAD, died, END)
    assert (found["state"], found["failures"], found["gave_up"]) == ("failed", 1, True)
    assert found["causes"][0]["rule"] == "key-missing"


@pytest.mark.parametrize(
    "said",
    [
        "W-9000-m_1.0 State change WORKER_STARTED -> WORKER_MODEL_LOADED",
        "WorkerLoadTime.Milliseconds:96.0|#WorkerName:W-9000-m_1.0,Level:Host|#hostname:h",
    ],
)
def test_another_thread_may_tell_that_a_worker_has_loaded(tmp_path: Path, said: str) -> None:
    found = of(tmp_path, (0, START), LOAD, f"NETTY {said}", END)
    assert (found["state"], found["loaded"]) == ("serving", 1)


def test_a_load_that_an_asynchronous_frontend_ends_hung(tmp_path: Path) -> None:
    said = "org.pytorch.serve.wlm.WorkerInitializationException: Worker did not load the model within 8 seconds"
    told = [*lines((0, START), LOAD, (8, "Backend worker error")), said, *lines((8, STOPPED), END)]
    (found,) = (m for m in analyzed(written(tmp_path, told)).models if m["model"] == "m")
    assert found["causes"][0]["exception"]["message"].startswith("hang: ")


def test_lines_that_a_dying_worker_wrote_late_are_its_own(tmp_path: Path) -> None:
    found = of(tmp_path, (0, START), LOAD, FAILS[0], STOPPED, RETRY, FAILS[1:], (1, START), END)
    assert [cause["exception"]["type"] for cause in found["causes"]] == ["KeyError"]


def test_a_traceback_without_its_end_says_so_and_breaks_no_row(tmp_path: Path) -> None:
    odd = [*FAILS[:2], "OUT OddError: odd"]
    told = [attempt(at, RETRY, wrote=odd) for at in (0, 5, 15)]
    cut = attempt(10, RETRY, wrote=FAILS[:1])
    found = of(tmp_path, *told[0], *told[1], *cut, *told[2], END)
    causes = {cause["exception"]["message"]: cause for cause in found["causes"]}
    assert set(causes) == {"odd", "the log lacks the end of the traceback"}
    assert (found["state"], causes["odd"]["basis"]) == ("failed", "repeated")


def test_a_default_handler_that_does_not_exist_hides_what_was_not_found(tmp_path: Path) -> None:
    wrote = [
        "OUT Traceback (most recent call last):",
        'OUT   File "/home/m/h.py", line 3, in <module>',
        "OUT ModuleNotFoundError: No module named 'left_pad'",
        "OUT ",
        "OUT During handling of the above exception, another exception occurred:",
        "OUT ",
        "OUT Traceback (most recent call last):",
        'OUT   File "/usr/lib/python3.11/site-packages/ts/model_loader.py", line 101, in load',
        "OUT ModuleNotFoundError: No module named 'ts.torch_handler.h'",
    ]
    found = of(tmp_path, *attempt(0, RETRY, wrote=wrote), END)
    assert found["causes"][0]["exception"]["message"] == "No module named 'left_pad'"


def test_loads_after_the_one_that_decides_would_have_been_saved(tmp_path: Path) -> None:
    late = [(20, START), (24, FAILS), STOPPED, RETRY]
    found = of(tmp_path, *attempt(0, RETRY), *attempt(10, RETRY), *late, END)
    saved = found["saved"]
    assert (saved["loads"], saved["start_sec"]) == (2, 4)
    assert saved["stopped_at"] == "2026-11-23T00:00:00.000Z"


def test_a_model_that_loads_after_it_would_have_been_stopped_is_told_of(tmp_path: Path) -> None:
    found = of(tmp_path, *attempt(0, RETRY), (1, START), LOAD, (3, LOADED), END)
    assert (found["state"], found["saved"]["loaded_after_stop"]) == ("recovered", 1)


def test_a_server_that_ends_leaves_no_failure_behind(tmp_path: Path) -> None:
    first = list(lines((0, START), LOAD))
    again = list(lines((50, START), LOAD, LOADED, END))
    greeting = [next(lines((49, "MAIN "))), "Torchserve version: 0.12.0"]
    report = analyzed(written(tmp_path, [*first, *greeting, *again]))
    (found,) = (model for model in report.models if model["model"] == "m")
    assert (found["failures"], found["worker_starts"], found["state"]) == (0, 2, "serving")
    assert report.content["servers"][0]["torchserve"] == "0.12.0"


def test_a_model_that_is_registered_again_stands_as_its_new_workers_do(tmp_path: Path) -> None:
    again = (100, "MAIN Adding new version 1.0 for model m")
    told = [*lines(*attempt(0)), *lines(again, (101, START), LOAD, LOADED, END, port=9001)]
    report = analyzed(written(tmp_path, told))
    assert [m["state"] for m in report.models if m["model"] == "m"] == ["recovered"]


HOUR = 3600


@pytest.mark.parametrize(
    ("second", "third"),
    [
        (10, 18),  # nothing happens to the clock
        (HOUR + 10, HOUR + 18),  # summer time begins in the back-off
        (HOUR + 10, 2 * HOUR + 18),  # and again in a load
        (-50, -42),  # set back in the back-off
        (-50, -100),  # and again in a load
    ],
)
def test_a_clock_that_is_set_changes_no_duration(tmp_path: Path, second: int, third: int) -> None:
    begin = 2 * HOUR
    told = list(
        lines(
            (begin, START), LOAD, (begin + 4, FAILS), STOPPED, "Retry worker: 9000 in 6 seconds.",
            (begin + second, START), LOAD, FAILS, (begin + third, STOPPED), END,
        )
    )  # fmt: skip
    told.pop()
    report = analyzed(written(tmp_path, [*told, *lines((begin + third + 3, END[1]))]))
    (found,) = (model for model in report.models if model["model"] == "m")
    set_back = [problem for problem in report.content["problems"] if "was set back" in problem]
    # Where a clock is set, what passed in between is lost: at most one wait or load.
    assert found["failures"] == 2
    assert 4 <= found["wasted_start_sec"] <= 4 + 8
    window = found["max_retry_timeout_sec"]
    assert window["more_than"] == 0
    assert 0 <= window["at_most"] <= 14
    assert bool(set_back) is (second < 0)


def test_an_export_that_begins_with_the_newest_is_told(tmp_path: Path) -> None:
    told = list(lines(*(part for at in range(0, 200, 10) for part in attempt(at, RETRY))))
    report = analyzed(written(tmp_path, told[::-1]))
    assert any("not in the order of time" in problem for problem in report.content["problems"])


def test_names_with_underscores_and_blanks_are_those_of_the_registration(tmp_path: Path) -> None:
    first = next(lines((0, "MAIN Adding new version 1_b for model a model")))
    told = [first, *(li.replace("m_1.0", "a model_1_b") for li in lines((1, START), LOAD, LOADED))]
    (found,) = analyzed(written(tmp_path, told)).models
    assert (found["model"], found["version"]) == ("a model", "1_b")


def test_a_holder_of_this_package_is_no_failed_load(tmp_path: Path) -> None:
    says = "ERR ts-retry: model 'm' is held, not loaded again: KeyError: 'bias' [rule key-missing]"
    answers = "STATE WORKER_STARTED -> WORKER_ERROR"
    found = of(tmp_path, *attempt(0, RETRY), (1, START), LOAD, says, answers, END)
    assert (found["failures"], found["holds"], found["state"]) == (1, 1, "failed")
    assert found["held_why"] == "not loaded again: KeyError: 'bias' [rule key-missing]"
    assert found["saved"]["stopped_at"] is None or found["held_at"]


def test_a_worker_that_rejects_has_not_recovered(tmp_path: Path) -> None:
    says = "ERR ts-retry: model 'm' is held, requests are rejected with 503: KeyError: 'bias'"
    for order in ([says, LOADED], [LOADED, says]):
        found = of(tmp_path / order[0][:3], *attempt(0, RETRY), (1, START), LOAD, order, END)
        assert (found["state"], found["loaded"], found["holds"]) == ("failed", 0, 1)


def test_what_the_package_says_of_a_failure_is_no_holder(tmp_path: Path) -> None:
    says = "ERR ts-retry: model 'm' failed in phase initialize with KeyError: 'bias'; not loaded again until ts-retry resume holds"
    found = of(tmp_path, (0, START), LOAD, says, FAILS, STOPPED, RETRY, END)
    assert (found["failures"], found["holds"], found["has_package"]) == (1, 0, True)
    assert found["saved"]["stopped_at"] is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["Load model failed: m, error: Worker died.", STOPPED, "Retry worker: 9000 in 34 seconds."], ("retrying", 1, 0)),
        ([STOPPED], ("retrying", 1, 0)),
        (["Retry worker: 9000 in 34 seconds."], ("retrying", 1, 0)),
        ([*FAILS], ("failed", 1, 0)),
        (["OUT Backend worker process died.", *FAILS], ("failed", 1, 0)),
        ([FAILS[1], FAILS[2], STOPPED, RETRY], ("failed", 1, 0)),
        (["STATE WORKER_MODEL_LOADED -> WORKER_STOPPED", RETRY], ("retrying", 0, 1)),
        ([*FAILS, "OUT [PID]4712", "OUT Torch worker started."], ("failed", 1, 0)),
    ],
)  # fmt: skip
def test_an_excerpt_tells_what_it_holds(
    tmp_path: Path, told: list[str], expected: tuple[str, int, int]
) -> None:
    found = of(tmp_path, *told)
    assert (found["state"], found["failures"], found["deaths_while_serving"]) == expected


def test_a_request_that_takes_too_long_is_no_failed_load(tmp_path: Path) -> None:
    said = "org.pytorch.serve.wlm.WorkerInitializationException: Backend worker did not respond in given time"
    ended = lines((9, "STATE WORKER_MODEL_LOADED -> WORKER_STOPPED"), RETRY)
    report = analyzed(written(tmp_path, [*lines((9, "Backend worker error")), said, *ended]))
    (found,) = report.models
    assert (found["failures"], found["ended_by_response_timeout"]) == (0, 1)
    assert report.has_failed


def test_the_wait_that_is_announced_bounds_the_window(tmp_path: Path) -> None:
    found = of(tmp_path, STOPPED, "Retry worker: 9000 in 610 seconds.")
    window = found["max_retry_timeout_sec"]
    assert (window["more_than"], window["default_fits"]) == (986, False)


def test_the_ranks_of_torchrun_are_one_start(tmp_path: Path) -> None:
    ranks = [
        "OUT [PID]1229",
        "OUT Torch worker started.",
        "OUT [PID]1228",
        "OUT Torch worker started.",
    ]
    begun = "Worker cmdline: [torchrun, --nproc-per-node=2, ts/model_service_worker.py]"
    for told in ([(0, begun), (9, ranks)], [(9, ranks)]):
        found = of(tmp_path / str(len(told)), *told, LOAD, FAILS, FAILS, STOPPED, RETRY)
        assert (found["worker_starts"], found["failures"]) == (1, 1)


SERVER = "2026-11-26T04:41:01,081 [INFO ] main org.pytorch.serve.ModelServer - "


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([f"{SERVER}Torchserve stopped.", "java.io.IOException: Failed to bind to address: http://127.0.0.1:8080"],
         "IOException: Failed to bind to address: http://127.0.0.1:8080"),
        ([f"{SERVER}Torchserve stopped.", "java.nio.file.NoSuchFileException: /no/key.pem"], "NoSuchFileException: /no/key.pem"),
        ([f"{SERVER}Torchserve stopped."], None),
    ],
)  # fmt: skip
def test_a_server_that_did_not_start_is_told(
    tmp_path: Path, told: list[str], why: str | None
) -> None:
    report = analyzed(written(tmp_path, ["Torchserve version: 0.12.0", *told]))
    ended = report.content["servers"][0]["ended"]
    assert (ended["served"], ended["why"]) == (False, why)
    assert report.has_failed


def test_a_server_that_was_stopped_is_no_failure(tmp_path: Path) -> None:
    told = [f"{SERVER}Inference API bind to: http://127.0.0.1:8080", *lines((0, START), LOAD, LOADED),
            f"{SERVER}Torchserve stopped."]  # fmt: skip
    assert not analyzed(written(tmp_path, told)).has_failed


def test_an_archive_that_was_not_registered_is_told_once_with_its_reason(tmp_path: Path) -> None:
    told = [
        SERVER.replace("ModelServer", "wlm.ModelManager") + "Custom pip package installation failed for model needs: ",
        "ERROR: No matching distribution found for no-such-package==1",
        SERVER + "Failed to load model: /store/needs.mar",
        "org.pytorch.serve.archive.model.ModelException: Custom pip package installation failed for model needs",
    ]  # fmt: skip
    (refused,) = analyzed(written(tmp_path, told)).content["servers"][0]["not_registered"]
    assert refused["name"] == "needs"
    assert refused["why"] == "ERROR: No matching distribution found for no-such-package==1"


def test_an_archive_with_a_blank_is_named_whole_and_a_signed_url_without_its_signature(
    tmp_path: Path,
) -> None:
    url = "https://h/b.mar?sv=1&sig=c2VjcmV0c2VjcmV0"
    told = [f"{SERVER}Failed to load model: {named}" for named in ("/my store/odd a.mar", url)]
    refused = analyzed(written(tmp_path, told)).content["servers"][0]["not_registered"]
    assert refused[0]["name"] == "odd a"
    assert "c2VjcmV0" not in str(refused)


def test_a_snapshot_that_was_restored_in_part_is_told(tmp_path: Path) -> None:
    told = SERVER.replace("ModelServer", "snapshot.SnapshotManager") + (
        "Error while retrieving snapshot details. Details: Unexpected end of ZLIB input stream"
    )
    report = analyzed(written(tmp_path, [told, *lines((0, START), LOAD, LOADED)]))
    (refused,) = report.content["servers"][0]["not_registered"]
    assert refused["name"] == "the rest of the snapshot"
    assert refused["why"] == "Unexpected end of ZLIB input stream"
    assert report.has_failed


@pytest.mark.parametrize(
    ("retried", "ended", "told"),
    [
        ((), (), None),
        ((), (0,), "0 s: no retry"),
        ((0, 4_000), (), "more than 4 s (default 300 s fits)"),
        ((232_000,), (376_000,), "232 to 376 s (default 300 s fits)"),
        ((53_000,), (86_000,), "53 to 86 s"),
        ((400_000,), (), "more than 400 s"),
    ],
)
def test_what_is_said_of_the_window(retried: tuple[int, ...], ended: tuple[int, ...], told: str | None) -> None:  # fmt: skip
    bounds = WindowBounds()
    for elapsed in retried:
        bounds.retried(elapsed)
    for elapsed in ended:
        bounds.gave_up(elapsed)
    assert bounds.describe() == told
