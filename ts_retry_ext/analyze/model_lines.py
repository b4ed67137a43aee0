"""Tell in lines what became of one model."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ts_retry_ext.analyze.numbers_in_words import counted, exception, judged, moment, span
from ts_retry_ext.archive.limits import DEFAULT_TIMEOUT_SEC

#: Causes of one model that are told; JSON and the page have all.
_SHOWN_CAUSES = 5


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
