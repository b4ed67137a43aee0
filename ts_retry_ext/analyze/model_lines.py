"""Tell in lines what became of one model."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ts_retry_ext.analyze.numbers_in_words import counted, decided_by, exception, moment, span

#: Causes of one model that are told; JSON and the page have all.
_SHOWN_CAUSES = 5


def story(model: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the lines on one model, called `name`, that failed or died."""
    if not model["failures"] and not model["deaths_while_serving"]:
        return
    gave_up = ", TorchServe gave up" if model["gave_up"] else ""
    yield f"{name}: {model['state']}{gave_up}"
    for cause in model["causes"][:_SHOWN_CAUSES]:
        yield f"  {cause['count']} x {exception(cause)}"
        yield f"    {decided_by(cause)}, fingerprint {cause['fingerprint']}, {span(cause['first'], cause['last'])}"
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
    if model["deaths_while_serving"]:
        yield f"  {counted(model['deaths_while_serving'], 'worker')} died while serving"
    if model["saved"]["stopped_at"]:
        yield f"  ts-retry-ext would have stopped it at {moment(model['saved']['stopped_at'])}"
    if model["saved"]["loaded_after_stop"]:
        yield (
            "  it loaded after that: somebody repaired it in between, or the verdict is wrong "
            f"({counted(model['saved']['loaded_after_stop'], 'time')})"
        )
    yield ""
