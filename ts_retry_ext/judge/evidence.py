"""What rules look at: a failure with its texts made ready and its facts worked out once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ts_retry_ext.judge.facts import errno_names, http_statuses, missing_module_in_text
from ts_retry_ext.judge.failure import Cause, Failure
from ts_retry_ext.judge.memory_figures import MemoryNumbers, memory_numbers
from ts_retry_ext.judge.paths import Host, located, paths_in
from ts_retry_ext.judge.prefilter import beginnings
from ts_retry_ext.judge.shadowing import shadowing_file
from ts_retry_ext.judge.text import head_and_tail
from ts_retry_ext.judge.where_raised import RaisedIn, where_raised

#: Characters of one message that rules see, head and tail.
LINK_TEXT_LIMIT = 4_000

_SPACE = re.compile(r"\s+")
_BETWEEN = "\x00"


@dataclass(frozen=True)
class LinkEvidence:
    """Hold one exception of the chain as rules see it.

    Attributes:
        cause: the exception as data.
        text: message, notes and the address that was asked, bounded, every run of white space one blank.
        lowered: the same in lower case.
        errnos: symbolic error numbers.
        statuses: HTTP status codes.
    """

    cause: Cause
    text: str
    lowered: str
    errnos: frozenset[str]
    statuses: frozenset[int]


@dataclass(frozen=True)
class Evidence:
    """Hold a whole failure as rules see it.

    Attributes:
        failure: the failure as data.
        links: its exceptions, outermost first.
        lowered: their texts in lower case, with a character between them that no rule asks for.
        beginnings: what words in them can begin with (`prefilter.beginnings`).
        paths: paths named anywhere in the chain.
        memory: memory numbers of the first message that has any.
        missing_modules: modules that import errors of the chain name.
        modules: modules on the stack, and the functions in them (`json`, `json.load`).
        shadow: file of the archive that hides a module of the same name, where that explains the failure.
        raised: where it was raised.
        host: what is known of the file system.
        as_printed: the same failure without the exceptions that `from None` hides; None where nothing
            is hidden.
    """

    failure: Failure
    links: tuple[LinkEvidence, ...]
    lowered: str
    beginnings: frozenset[str]
    paths: tuple[str, ...]
    memory: MemoryNumbers | None
    missing_modules: tuple[str, ...]
    modules: tuple[str, ...]
    shadow: str | None
    raised: RaisedIn
    host: Host
    as_printed: Evidence | None = None


def evidence_of(failure: Failure, host: Host) -> Evidence:
    """Work out the facts of a failure."""
    links = tuple(_link(cause) for cause in failure.links)
    paths: list[str] = []
    missing: list[str] = []
    memory = None
    for link in links:
        found = paths_in(link.cause.message, link.cause.filename)
        paths += [located(path, host.cwd) for path in found]
        memory = memory or memory_numbers(link.text)
        module = link.cause.missing_module or missing_module_in_text(link.text)
        if module:
            missing.append(module)
    lowered = _BETWEEN.join(link.lowered for link in links)
    return Evidence(
        failure=failure,
        links=links,
        lowered=lowered,
        beginnings=beginnings(lowered),
        paths=tuple(dict.fromkeys(paths)),
        memory=memory,
        missing_modules=tuple(missing),
        modules=tuple(
            dict.fromkeys(
                name
                for frame in failure.frames
                for name in (frame.module, f"{frame.module}.{frame.function}")
            )
        ),
        shadow=shadowing_file(failure, host),
        raised=where_raised(failure.frames),
        host=host,
        as_printed=_as_printed(failure, host),
    )


def _as_printed(failure: Failure, host: Host) -> Evidence | None:
    printed = tuple(cause for cause in failure.chain if cause.is_printed)
    if len(printed) == len(failure.chain):
        return None
    return evidence_of(replace(failure, chain=printed), host)


def _link(cause: Cause) -> LinkEvidence:
    url = (cause.filename,) if "://" in (cause.filename or "") else ()  # urllib's HTTPError.
    text = "\n".join((cause.message, *cause.notes, *map(str, url)))
    text = head_and_tail(_SPACE.sub(" ", head_and_tail(text, LINK_TEXT_LIMIT * 2)), LINK_TEXT_LIMIT)
    return LinkEvidence(
        cause=cause,
        text=text,
        lowered=text.lower(),
        errnos=errno_names(cause.errno, text),
        statuses=http_statuses(cause.http_status, text),
    )
