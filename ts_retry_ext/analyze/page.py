"""Write a report as one page for people: no script, nothing from the network, everything escaped."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import Any, Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from ts_retry_ext.analyze import report_in_words
from ts_retry_ext.analyze.log_report import LogReport
from ts_retry_ext.analyze.timeline import BINS, EVENTS
from ts_retry_ext.plain_text import visible
from ts_retry_ext.store.times import to_seconds, to_text

#: Of one model's time line, in units of its drawing; its width is the number of bins.
ROW_HEIGHT = 24
_LEAST_HEIGHT = 6
#: Drawn in this order, so that what went wrong lies on top.
_DRAWN = ("loaded", "died", "failed")


@dataclass(frozen=True)
class TimelineBar:
    """One bin of a time line that has something to show.

    Attributes:
        kind: an event of `Timeline`.
        x, y, height: in units of the drawing.
        label: what it stands for, in words.
    """

    kind: str
    x: int
    y: float
    height: float
    label: str


def write_page(report: LogReport, path: str) -> None:
    """Write the page; a reader sees the old file or the whole new one, its owner only.

    What is no regular file, such as /dev/stdout, is written to as it is.

    Raises:
        OSError: the file cannot be written.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(page_of(report))
        return
    folder = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".ts-retry-", suffix=".html")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(page_of(report))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def page_of(report: LogReport) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("ts_retry_ext.analyze"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = lambda text: visible(str(text), keep="\n\t")
    content = report.content
    bins = _bins(content)
    return environment.get_template("report.html").render(
        report=content,
        report_in_words=report_in_words,
        bins=bins,
        row_height=ROW_HEIGHT,
        lines={id(model): _bars(model, content, bins) for model in report.models},
        key=id,
    )


def _bins(content: Mapping[str, Any]) -> int:
    """Return how many bins lie within the log; a drawing has at least ten."""
    if content["from"] is None:
        return 10
    seconds = to_seconds(content["to"]) - to_seconds(content["from"])
    used = int(seconds / content["timeline"]["bin_sec"]) + 1
    return min(BINS, max(10, used))


def _bars(model: Mapping[str, Any], content: Mapping[str, Any], bins: int) -> list[TimelineBar]:
    counts = model["timeline"]
    most = max((max(counts[event]) for event in EVENTS), default=0)
    width = content["timeline"]["bin_sec"]
    begin = to_seconds(content["timeline"]["from"])
    bars = []
    for kind in _DRAWN:
        for x, count in enumerate(counts[kind][:bins]):
            if not count:
                continue
            height = _LEAST_HEIGHT + (ROW_HEIGHT - _LEAST_HEIGHT) * count / most
            at = report_in_words.moment(to_text(begin + x * width))
            bars.append(TimelineBar(kind, x, ROW_HEIGHT - height, height, f"{count} {kind}, {at}"))
    return bars
