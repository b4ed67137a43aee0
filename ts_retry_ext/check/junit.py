"""Reports as JUnit XML, which CI systems show: a suite with one test case for each model.

Valid by the schema of Jenkins' xUnit plugin (junit-10.xsd), which refuses what it does not know.
"""

from __future__ import annotations

import re
from typing import Sequence
from xml.etree import ElementTree as Xml

from ts_retry_ext.check.check_report import CheckReport, CheckResult

SUITE = "ts-retry check"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROPERTIES = (
    "version", "verdict", "rule", "phase", "fingerprint", "start_sec", "load_sec",
    "startup_timeout_sec", "peak_memory_bytes", "peak_gpu_memory_bytes", "max_retry_timeout_sec",
    "max_retry_timeout_source",
)  # fmt: skip


def junit_xml(reports: Sequence[CheckReport]) -> bytes:
    """Return the reports as a JUnit document. What fails is a failure, what could not be checked an error."""
    root = Xml.Element("testsuites", {"name": SUITE, **_counts(reports)})
    root.extend(_suite(report) for report in reports)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _counts(reports: Sequence[CheckReport]) -> dict[str, str]:
    failed = sum(report.result in (CheckResult.FAILS, CheckResult.REFUSED) for report in reports)
    errors = sum(report.result is CheckResult.ERROR for report in reports)
    time = f"{sum(_seconds(report) for report in reports):.3f}"
    return {
        "tests": str(len(reports)), "failures": str(failed), "errors": str(errors), "time": time,
    }  # fmt: skip


def _suite(report: CheckReport) -> Xml.Element:
    """Return the suite of one model; only a suite may have properties and a file in the schema."""
    suite = Xml.Element("testsuite", {"name": _clean(report.name), **_counts([report])})
    suite.set("skipped", "0")
    suite.set("file", _clean(report.archive))
    row = report.to_json()
    properties = Xml.SubElement(suite, "properties")
    for key in _PROPERTIES:
        if row[key] is not None:
            Xml.SubElement(properties, "property", name=key, value=_clean(str(row[key])))
    suite.append(_case(report))
    return suite


def _case(report: CheckReport) -> Xml.Element:
    time = f"{_seconds(report):.3f}"
    case = Xml.Element("testcase", name=_clean(report.name), classname=SUITE, time=time)
    if report.result is not CheckResult.LOADS:
        tag = "error" if report.result is CheckResult.ERROR else "failure"
        message = report.cause or report.reason
        failure = Xml.SubElement(case, tag, message=_clean(message))
        verdict = report.failure.verdict if report.failure else None
        failure.set("type", _clean(verdict or report.result.value))
        parts = (report.reason, report.remedy, report.traceback or report.output)
        failure.text = _clean("\n\n".join(part for part in parts if part))
    if report.problems:
        lines = (f"{message} [{code}]" for code, message in report.problems)
        Xml.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _seconds(report: CheckReport) -> float:
    return (report.start_sec or 0.0) + (report.load_sec or 0.0)


def _clean(text: str) -> str:
    """Return `text` without the characters that XML has no way to hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
