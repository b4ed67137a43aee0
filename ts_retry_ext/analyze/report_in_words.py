"""Put a report into words: its numbers and times, and what became of servers and models, a line each."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ts_retry_ext.archive.limits import DEFAULT_TIMEOUT_SEC
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.plain_text import cause_line, counted, verdict_line

_MESSAGE_LENGTH = 300
#: Causes of one model that are told; JSON and the page have all.
_SHOWN_CAUSES = 5


def duration(seconds: float) -> str:
    """Return seconds in words: ``0.4 s``, ``95 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 180:
        return f"{seconds:.0f} s"
    if seconds < 3 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def moment(time: str | None) -> str:
    """Return a time of the report without its thousandths, or a dash."""
    return "-" if time is None else time.replace("T", " ")[:19]


def span(first: str | None, last: str | None) -> str:
    """Return from when to when; the day once where it is the same one."""
    begin, end = moment(first), moment(last)
    if first is None or begin == end:
        return begin
    return f"{begin} to {end[11:] if begin[:10] == end[:10] else end}"


def exception(cause: Mapping[str, Any]) -> str:
    """Return type and message of a cause in one line."""
    kind = str(cause["exception"]["type"]).rpartition(".")[2]
    return cause_line(kind, cause["exception"]["message"], _MESSAGE_LENGTH)


def judged(cause: Mapping[str, Any]) -> str:
    """Return the verdict and what it rests on: ``non_recoverable (key-missing)``."""
    rule = cause["rule"] if cause["basis"] == "rule" else None
    return verdict_line(cause["verdict"], cause["basis"], rule)


def size(count: float) -> str:
    """Return a number of bytes in words: ``46 kB``, ``503.1 MB``."""
    return f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def savings(model: Mapping[str, Any]) -> str | None:
    """Return the loads that the package would have saved, and their time; None for nothing."""
    saved = model["saved"]
    return f"{saved['loads']:,} ({duration(saved['start_sec'])})" if saved["loads"] else None


def window(model: Mapping[str, Any]) -> str | None:
    """Return the bounds of the window as short as it goes: ``> 53 s``, ``19-25 s``; None for none."""
    bounds = model["max_retry_timeout_sec"]
    low, high = bounds["more_than"], bounds["at_most"]
    if bounds["ignored_value"] is not None:
        return f"{DEFAULT_WINDOW_SEC} s"
    if low is None:
        return None if high is None else f"{'<= ' if high >= 1 else ''}{high:.0f} s"
    return f"> {low:.0f} s" if high is None else f"{low:.0f}-{high:.0f} s"


def names(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the models' names, with version and server where others have the same one."""
    versions: dict[str, set[str | None]] = {}
    servers: dict[str, int] = {}
    for model in models:
        versions.setdefault(model["model"], set()).add(model["version"])
        servers.setdefault(model["server"], len(servers) + 1)
    return [
        str(model["model"])
        + (f" {model['version']}" if len(versions[model["model"]]) > 1 else "")
        + (f" #{servers[model['server']]}" if len(servers) > 1 else "")
        for model in models
    ]


def server_lines(server: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on a server that stopped, or that refused to register something."""
    for refused in server["not_registered"]:
        why = f": {refused['why']}" if refused["why"] else f": {refused['told']}"
        yield f"  {refused['name']} was not registered at {moment(refused['at'])}{why}"
    ended = server["ended"]
    if ended is not None and (ended["why"] or not ended["served"]):
        what = "ended" if ended["served"] else "did not start"
        why = f": {ended['why']}" if ended["why"] else "; the log does not say why"
        yield f"  the server {what}, {moment(ended['at'])}{why}"


def death_lines(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on workers that ended while they served."""
    if model["ended_by_response_timeout"]:
        yield (
            f"{counted(model['ended_by_response_timeout'], 'time')} a request took longer than responseTimeout "
            f"({DEFAULT_TIMEOUT_SEC} s by default), and TorchServe ended the worker that served it"
        )
    died = model["deaths_while_serving"] - model["ended_by_response_timeout"]
    if died:
        yield f"{counted(died, 'worker')} died while serving"


def model_lines(model: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the lines on one model, called `name`, that failed or died."""
    if not (model["failures"] or model["deaths_while_serving"] or model["held_at"]):
        return
    gave_up = ", TorchServe gave up" if model["gave_up"] else ""
    yield f"{name}: {model['state']}{gave_up}"
    for cause in model["causes"][:_SHOWN_CAUSES]:
        yield f"  {cause['count']} x {exception(cause)}"
        yield f"    {judged(cause)}, fingerprint {cause['fingerprint']}, {span(cause['first'], cause['last'])}"
        if cause["verdict"] != "recoverable" and cause["remedy"]:
            yield f"    {cause['remedy']}"
    left = len(model["causes"]) - _SHOWN_CAUSES
    if left > 0:
        yield f"  and {counted(left, 'more cause')}: see --json"
    if model["other_failures"]:
        yield f"  and {counted(model['other_failures'], 'failure')} of further causes"
    told = model["max_retry_timeout_sec"]["told"]
    if told is not None:
        yield f"  maxRetryTimeoutInSec: {told}"
    for line in death_lines(model):
        yield f"  {line}"
    if model["held_at"]:
        why = f": {model['held_why']}" if model["held_why"] else ""
        yield f"  ts-retry-ext held it from {moment(model['held_at'])} on{why}"
    if model["saved"]["stopped_at"]:
        yield f"  ts-retry-ext would have halted it at {moment(model['saved']['stopped_at'])}"
    if model["saved"]["loaded_after_stop"]:
        yield (
            "  it loaded after that: somebody repaired it in between, or the verdict is wrong "
            f"({counted(model['saved']['loaded_after_stop'], 'time')})"
        )
    yield ""
