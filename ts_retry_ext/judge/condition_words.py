"""A rule's condition in words, for people who ask why a failure was judged as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ts_retry_ext.judge.builtin.words import (
    ABSENCE_WORDS,
    ENVIRONMENT_TYPES,
    ENVIRONMENT_WORDS,
    NETWORK_MODULES,
    PASSING_WORDS,
)
from ts_retry_ext.judge.pattern_tree import top_alternatives
from ts_retry_ext.judge.rule import When

#: Characters of a line of alternatives.
_WIDTH = 110
#: Lists that many rules share, in words (`builtin/words.py` holds them).
_SHARED_NAMES = {
    ENVIRONMENT_TYPES: "a failure of the environment (OSError, a time-out, an error of a client or a database …)",
    NETWORK_MODULES: "a module that talks to something outside of the process (requests, boto3, a database's client …)",
}
_SHARED_PATTERNS = (
    (PASSING_WORDS, "words of a passing state (temporarily, try again, timed out, not ready …)"),
    (ENVIRONMENT_WORDS, "words of the environment (busy, memory, download, server, queue …)"),
    (ABSENCE_WORDS, "words of something that was not there (not found, unable to, missing …)"),
)

_WHERE = {
    "outermost": "the outermost exception",
    "inner": "an inner cause",
}
_PATHS = {
    "missing_in_model_dir": "a path in the model's directory that is not there",
    "not_fetched": "a path that is not there, and the model's own code fetches files",
    "present_in_model_dir": "a path in the model's directory that is there",
    "exists_now": "a path that is there now",
    "shared": "a path in a place that something else fills: a mount, a cache",
    "missing_on_host": "an absolute path that is not there",
}
_MEMORY = {
    "request_exceeds_total": "one request is larger than the device",
    "own_use_exceeds_total": "what this process holds and asks for does not fit the empty device",
    "held_by_others": "the request would fit if others let go",
    "held_mostly_here": "most of the device is held by this process",
    "request_is_less_than_free": "more was free than was asked for",
    "nearly_enough_free": "very little is missing",
    "request_is_huge": "one request is for more than many a host has",
    "request_is_impossible": "one request is for more than any host has",
}
_PLACES = {
    "own": "the model's own code",
    "library": "an installed library",
    "torchserve": "TorchServe's own code",
}


def condition_in_words(when: When) -> list[str]:
    """Return what must hold, one statement a line; patterns are regular expressions, case does not count."""
    told = [] if when.where == "any" else [f"looked at: {_WHERE[when.where]}"]
    if when.type:
        told.append(f"its type is, or extends, {_any(when.type)}")
    if when.exact_type:
        told.append(f"its type itself is {_any(when.exact_type)}")
    if when.errno:
        told.append(f"its error number is {_any(when.errno)}")
    if when.http_status:
        told.append(f"it carries the HTTP status {_any(when.http_status)}")
    if when.message:
        told += ["its text holds one of", *_lines(when.message)]
    if when.cause:
        told.append(f"an inner cause is {_any(when.cause)}")
    if when.phase:
        told.append(f"the phase is {_any([phase.value for phase in when.phase])}")
    if when.module:
        told.append(f"the module that is missing is {_any(when.module)}")
    if when.shadowed:
        told.append("a file of the archive hides the module that it is about")
    if when.frame:
        told.append(f"the stack passes through {_any(when.frame)}")
    if when.path:
        told.append(f"it names {_PATHS[when.path]}")
    if when.memory:
        told.append(f"by the numbers in its text, {_MEMORY[when.memory]}")
    if when.raised_in:
        told.append(f"it was raised in {_PLACES[when.raised_in]}")
    if when.unless_type:
        told.append(f"unless {_any(when.unless_type)} is in the chain")
    if when.unless_frame:
        told.append(f"unless the stack passes through {_any(when.unless_frame)}")
    if when.unless:
        told += ["unless a text of the chain holds one of", *_lines(when.unless)]
    return told


def _any(names: Sequence[str]) -> str:
    if tuple(names) in _SHARED_NAMES:
        return _SHARED_NAMES[tuple(names)]
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _lines(pattern: str) -> list[str]:
    """Return the alternatives of a pattern in lines, and what many rules share in words."""
    told = []
    for shared, words in _SHARED_PATTERNS:
        if shared in pattern:
            pattern = pattern.replace(shared, "").strip("|").replace("||", "|")
            told.append(words)
    lines: list[str] = []
    for part in top_alternatives(pattern) if pattern else ():
        part = re.sub(r"^\\b", "", part)
        if lines and len(lines[-1]) + len(part) < _WIDTH:
            lines[-1] += f" | {part}"
        else:
            lines.append(part)
    return [f"    {line}" for line in (*lines, *told)]
