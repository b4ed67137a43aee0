from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from ts_retry_ext.check.check_report import CheckReport, CheckResult, timed
from ts_retry_ext.check.junit import junit_xml
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.record import Event, Record


def loaded(load_sec: float, limit: int) -> CheckReport:
    return timed(
        CheckReport("m.mar", CheckResult.LOADS, load_sec=load_sec, startup_timeout_sec=limit)
    )


@pytest.mark.parametrize(
    ("load_sec", "result", "codes"),
    [
        (60.0, CheckResult.LOADS, []),
        (60.1, CheckResult.LOADS, ["startup-timeout-tight"]),
        (120.1, CheckResult.FAILS, []),
    ],
)
def test_the_load_time_is_held_against_startup_timeout(
    load_sec: float, result: CheckResult, codes: list[str]
) -> None:
    report = loaded(load_sec, 120)
    assert report.result is result
    assert [code for code, _ in report.problems] == codes


def test_a_load_that_the_server_would_end_says_what_to_set() -> None:
    report = loaded(150.0, 120)
    assert "after 120 s (startupTimeout)" in report.reason
    assert "startupTimeout: 450" in report.remedy


FAILED = CheckReport(
    "bad.mar",
    CheckResult.FAILS,
    reason="It is broken.",
    remedy="Repair it.",
    failure=Record(
        Event.FAILURE,
        verdict="non_recoverable",
        rule="syntax-error",
        exception=ExceptionRecord("SyntaxError", "a\nb", traceback="Trace\x00back"),
    ),
    start_sec=1.0,
)
REPORTS = (
    CheckReport(
        "good.mar", CheckResult.LOADS, start_sec=1.5, load_sec=0.5, problems=(("code", "<told>"),)
    ),
    FAILED,
    CheckReport("evil.mar", CheckResult.REFUSED, reason="evil.mar: leads out."),
    CheckReport("big.mar", CheckResult.ERROR, reason="no room \ud800"),
)


def test_junit_has_a_suite_with_one_case_for_each_model() -> None:
    root = Xml.fromstring(junit_xml(REPORTS))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "1")
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["good.mar", "bad.mar", "evil.mar", "big.mar"]
    good, bad, evil, big = (suite.find("testcase") for suite in root)
    assert good is not None
    assert (good.get("name"), good.get("time")) == ("good.mar", "2.000")
    assert good.find("failure") is None
    assert good.findtext("system-out") == "<told> [code]"
    assert bad is not None
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("type") == "non_recoverable"
    assert failure.get("message") == "SyntaxError: a b"
    assert failure.text == "It is broken.\n\nRepair it.\n\nTrace\N{REPLACEMENT CHARACTER}back"
    properties = {p.get("name"): p.get("value") for p in suites["bad.mar"].iter("property")}
    assert properties == {"verdict": "non_recoverable", "rule": "syntax-error", "start_sec": "1.0"}
    assert suites["bad.mar"].get("file") == "bad.mar"
    assert evil is not None
    assert big is not None
    refused, error = evil.find("failure"), big.find("error")
    assert refused is not None
    assert refused.get("type") == "refused"
    assert error is not None
    assert error.get("message") == "no room \N{REPLACEMENT CHARACTER}"


#: What Jenkins' xUnit plugin allows (junit-10.xsd), as far as it is used here.
SCHEMA = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"properties", "testcase"},
        {"name", "tests", "failures", "errors", "skipped", "time", "file"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "testcase": ({"failure", "error", "system-out"}, {"name", "classname", "time"}),
    "failure": (set(), {"message", "type"}),
    "error": (set(), {"message", "type"}),
    "system-out": (set(), set()),
}


def test_junit_has_nothing_that_the_schema_does_not_know() -> None:
    for element in Xml.fromstring(junit_xml(REPORTS)).iter():
        inside, attributes = SCHEMA[element.tag]
        assert {child.tag for child in element} <= inside, element.tag
        assert set(element.keys()) <= attributes, element.tag


def test_a_report_in_json_holds_what_is_known_and_null_for_the_rest() -> None:
    row = FAILED.to_json()
    assert row["exception"] == {"type": "SyntaxError", "message": "a\nb"}
    assert (row["result"], row["rule"], row["fingerprint"]) == ("fails", "syntax-error", None)
    assert (row["load_sec"], row["request"], row["model"]) == (None, None, None)
