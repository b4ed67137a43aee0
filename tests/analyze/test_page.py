"""The page shows what was found, escaped, on one's own, and in a narrow window."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.analyze.test_logged_worker import FAILS, LOAD, RETRY, START, STOPPED, lines
from tests.logs.written import DATA, KNOWN, analyzed, written
from tests.sidecar.browsing import MISSING, browser
from ts_retry_ext.analyze.log_report import LogReport
from ts_retry_ext.analyze.page import page_of, write_page


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def report() -> LogReport:
    return analyzed(DATA)


def test_it_shows_every_model_with_its_causes_and_a_time_line(report: LogReport) -> None:
    page = Reader(page_of(report))
    for name in KNOWN:
        assert name in page.text
    for part in ("KeyError: 'classifier.bias'", "non_recoverable (key-missing)", "6 of 8", "Install "):  # fmt: skip
        assert part in page.text
    drawings = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(drawings) == len(KNOWN)
    bars = [attrs["class"] for tag, attrs in page.tags if tag == "rect"]
    # Both workers of "broken" fail within one bin.
    assert bars.count("failed-bar") == sum(sum(map(bool, m["timeline"]["failed"])) for m in report.models)  # fmt: skip
    assert bars.count("loaded-bar") >= 2


def test_nothing_comes_from_elsewhere_and_nothing_runs(report: LogReport) -> None:
    page = page_of(report)
    tags = [tag for tag, _ in Reader(page).tags]
    assert not {"script", "img", "iframe", "object", "a"} & set(tags)
    assert not re.search(r"https?://|@import|url\(", page)
    assert "default-src 'none'" in page


def test_whatever_a_log_holds_is_text(tmp_path: Path) -> None:
    evil = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}\x1b[31m"
    wrote = [*FAILS[:2], f"OUT {evil}Error: {evil}", f"OUT ValueError: {evil}"]
    told = lines((0, START), LOAD, wrote, STOPPED, RETRY)
    named = (li.replace("-m_1.0", "-<b>m&_1.0") for li in told)
    page = page_of(analyzed(written(tmp_path, named)))
    read = Reader(page)
    assert not {"script", "img", "b\x00"} & {tag for tag, _ in read.tags}
    assert "<b>m&" in read.text
    assert "<script>alert(1)" in read.text
    assert "{{7*7}}" in read.text
    assert "\x1b" not in page
    assert all(not name.startswith("on") for _, attrs in read.tags for name in attrs)


def test_it_replaces_a_file_whole_and_leaves_none_behind(report: LogReport, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_page(report, str(path))
    assert path.read_text().endswith("</html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError):
        write_page(report, str(tmp_path / "nowhere" / "report.html"))


@pytest.mark.skipif(MISSING, reason="no chromium with its driver")
def test_a_narrow_window_needs_no_scrolling_sideways(report: LogReport, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(report, str(path))
    with browser(tmp_path / "profile", "window-size=500,800") as window:
        window.set_window_size(500, 800)
        window.get(path.as_uri())
        widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
        needed, there = window.execute_script(widths)
        assert needed <= there
        height = "return document.querySelector('tr:nth-child(2)').offsetHeight"
        assert window.execute_script(height) < 80
