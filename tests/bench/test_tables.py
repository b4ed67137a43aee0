"""What each bench makes of its figures."""

from __future__ import annotations

from typing import Any

from bench import crash_loop, fleet, holder, judge, scraping, sidecar

ALONE = {
    "watched_sec": 402.3, "worker_starts": 13, "loads": 13, "workers_cpu_sec": 27.04, "log_lines": 1234,
    "final_at_sec": 396.1, "client_at_sec": None, "ping_at_sec": 301.2, "sidecar_at_sec": None,
    "sidecar_cpu_sec": None,
}  # fmt: skip
HELD = {**ALONE, "worker_starts": 2, "loads": 1, "sidecar_at_sec": 2.5, "sidecar_cpu_sec": 1.5}


def test_crash_loop_says_what_did_not_happen_and_what_cannot() -> None:
    shown = crash_loop.table({"window_sec": 300, "contenders": {"alone": ALONE, "hold": HELD}})
    rows = {row[0]: row[1:] for row in shown.rows}
    assert shown.columns == ["window 300 s", "TorchServe alone", "with the package"]
    assert rows["worker starts"] == ["13", "2"]
    assert rows["log lines"] == ["1,234", "1,234"]
    assert rows["a client's request is refused after"] == ["not within 402 s"] * 2
    assert rows["the sidecar's `/ping` names the model after"] == ["-", "2.5 s"]


def test_fleet_gives_ratios_but_not_of_what_is_the_same_on_both() -> None:
    alone: dict[str, Any] = {key: 8.0 for key, _, _ in fleet._ROWS}
    alone["worker_starts"] = 400
    ours = {**alone, "worker_starts": 100, "end_workers_mb": 0.0}
    shown = fleet.table(
        {"models": 50, "window_sec": 60, "contenders": {"alone": alone, "with_package": ours}}
    )
    rows = {row[0]: row[1:] for row in shown.rows}
    assert rows["worker starts"] == ["400", "100", "4.0"]
    assert rows["the same at the end"] == ["8 MB", "0 MB", "-"]
    assert rows["sound model's prediction before (p99)"] == ["8 ms", "8 ms", "-"]


def test_a_fleet_that_does_not_fit_into_memory_is_refused_with_the_number_that_does() -> None:
    assert fleet.memory_problem(50, available_mb=16_000) is None
    problem = fleet.memory_problem(50, available_mb=6_600)
    assert problem is not None
    assert problem.endswith("--models 20 fits")


def test_holder_gives_median_and_longest() -> None:
    found: dict[str, Any] = {key: {"median": 1.0, "p99": 2.0, "max": 2.0} for key, _, _ in holder._ROWS}  # fmt: skip
    shown = holder.table({**found, "models": 3, "cpu_percent_of_a_core": 0.04, "watched_s": 60})
    assert [row[1:] for row in shown.rows] == [
        ["1.00 s", "2.00 s"], ["1 ms", "2 ms"], ["1.0 MB", "2.0 MB"], ["0.04 %", "-"],
    ]  # fmt: skip


def test_sidecar_has_a_column_for_each_number_of_models() -> None:
    found = {"models": {"10": {"/ping, median [ms]": 1.0}, "5000": {"/ping, median [ms]": 2.5}}}
    shown = sidecar.table(found)
    assert shown.columns == ["", "10 models", "5,000 models"]
    assert shown.rows == [["/ping, median [ms]", "1.00", "2.50"]]


def test_judge_measures_every_kind_with_rules_of_users_that_are_all_in_force() -> None:
    assert [len(judge.user_rules(count)) for count in judge.USER_RULES] == [10, 100, 1000]
    found = judge.measure(runs=2)
    assert all(row["median"] > 0 for row in found.values())
    assert len(judge.table({"rules": 257, "failures_ms": found}).rows) == len(found)


def test_scraping_has_a_column_for_each_number_of_servers() -> None:
    figures: dict[str, Any] = {key: 1234.5 for key, _, _ in scraping._ROWS}
    fleets = [{**figures, "servers": 30}, {**figures, "servers": 300}]
    shown = scraping.table({"models": 60, "interval_sec": 15, "fleets": fleets})
    assert shown.columns == ["60 models on each, scraped every 15 s", "30 servers", "300 servers"]
    assert {row[0]: row[1:] for row in shown.rows}["one scrape"] == ["1,234 bytes"] * 2
