"""What can be said of a failure that no rule settles: a guess for a person, which never halts anything.

Words and types that are too weak for a verdict still point somewhere, and so does what the worker
printed right before the failure: native libraries write their cause there and raise something vague.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES, PASSING_WORDS
from ts_retry_ext.judge.evidence import Evidence, evidence_of
from ts_retry_ext.judge.failure import Failure, Phase, failure_of
from ts_retry_ext.judge.gaps import without_names
from ts_retry_ext.judge.lineage import plain
from ts_retry_ext.judge.named_in_words import with_names
from ts_retry_ext.judge.paths import NO_HOST
from ts_retry_ext.judge.redact import redact
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.text import bounded
from ts_retry_ext.judge.verdict import Outcome

#: Lines that were printed before a failure and are looked at.
PRINTED_LINES = 20
#: Characters of such a line, or of a hidden exception, that are quoted.
_QUOTE_LIMIT = 200
#: Exceptions that the code hides and that are looked at.
_HIDDEN_LIMIT = 3

_HEAD = "Traceback (most recent call last)"
#: What Python writes between the tracebacks of chained exceptions.
_CHAINED = re.compile(
    r"the direct cause of the following exception|During handling of the above exception"
)
#: What begins a line of this package.
_OWN = "ts-retry: "

_PASSING = re.compile(
    rf"{PASSING_WORDS}|\b(?:busy|unavailable|unreachable|offline|retr(?:y|ies)|time-?out|deadline|throttl\w*|quota|lease"
    r"|lock(?:ed)?|pending|waiting|starting|restarting|overload\w*|capacity|leader|quorum|heartbeat|connect\w*)\b",
    re.IGNORECASE,
)
_PASSING_TYPE = re.compile(
    r"(?:Time(?:d)?-?out|Unavailable|Connection|Connect|Network|Busy|Throttl\w*|Overload\w*|RateLimit|Transient|Temporar\w*|Retry\w*"
    r"|Unreachable|Disconnect\w*|NotReady|LeaderNot\w*|Lock\w*|Deadlock)\w*$"
)
_FINAL = re.compile(
    r"\b(?:not (?:supported|implemented|allowed|recognized|valid|a valid)|unsupported|invalid|unknown|unexpected|incompatible|mismatch\w*"
    r"|must be|should be|has no|no such|expected|malformed|deprecated|undefined|not found|missing|corrupt\w*|does not (?:exist|match))\b",
    re.IGNORECASE,
)
_FINAL_TYPE = re.compile(
    r"(?:Value|Type|Key|Attribute|Index|Assertion|NotImplemented|Config\w*|Validation|Parse|Syntax|Unsupported\w*|Invalid\w*|Schema\w*)Error$"
)
#: A printed line that tells of trouble; others say what is going on.
_TROUBLE = re.compile(
    r"error|warn|fail|fatal|cannot|can't|could(?: not|n't)|unable|not found|invalid|denied|refused|missing|no such|undefined|unsupported",
    re.IGNORECASE,
)


def hint(evidence: Evidence) -> str:
    """Return `Probably passing: …`, `Probably final: …`, or an empty text."""
    for link in evidence.links:
        name = plain(link.cause.type)
        if _PASSING_TYPE.search(name):
            return f"Probably passing: a type called {name} mostly tells of a state that ends."
    for link in evidence.links:
        words = _PASSING.search(link.text)
        if words:
            return f"Probably passing: the text speaks of {words.group().strip()!r}."
    bases = {
        plain(base) for link in evidence.links for base in link.cause.mro or (link.cause.type,)
    }
    if not bases.isdisjoint(ENVIRONMENT_TYPES):
        return ""
    first = evidence.links[0]
    words = _FINAL.search(first.text)
    if words:
        return f"Probably final: the text says {words.group().strip()!r}."
    name = plain(first.cause.type)
    if _FINAL_TYPE.search(name) and any(frame.in_app for frame in evidence.failure.frames[-1:]):
        return f"Probably final: the model's own code raised {name}."
    return ""


def hidden_cause(
    evidence: Evidence,
    rules: Sequence[Rule],
    first_match: Callable[[Sequence[Rule], Evidence], Rule | None],
) -> str:
    """Return `Probably final: …` and what `raise … from None` hides, where that alone would be final.

    Args:
        evidence: of the whole failure.
        rules: those of the table.
        first_match: `judging.first_match`.
    """
    hidden = [link.cause for link in evidence.links if not link.cause.is_printed]
    for cause in hidden[:_HIDDEN_LIMIT]:
        alone = evidence_of(
            failure_of([cause], evidence.failure.frames, evidence.failure.phase, ""), evidence.host
        )
        rule = first_match(rules, alone)
        if rule is not None and rule.verdict is Outcome.NON_RECOVERABLE:
            what = bounded(
                redact(" ".join(f"{plain(cause.type)}: {cause.message}".split())), _QUOTE_LIMIT
            )
            reason = with_names(rule.reason, alone)
            return f"Probably final: the code hides {what!r} (raise … from None). {reason}"
    return ""


def lines_above_traceback(output: str) -> list[str]:
    """Return the lines above the last traceback, one of several chained exceptions counting as one; all if there is none."""
    lines = output.splitlines()
    heads = [number for number, line in enumerate(lines) if _HEAD in line]
    if not heads:
        return lines
    first = heads.pop()
    while heads and any(_CHAINED.search(line) for line in lines[heads[-1] : first]):
        first = heads.pop()
    return lines[:first]


def printed_cause(
    lines: Sequence[str],
    rules: Sequence[Rule],
    first_match: Callable[[Sequence[Rule], Evidence], Rule | None],
) -> str:
    """Return a sentence that quotes the last printed line that a rule knows, or an empty text.

    Args:
        lines: what the process printed before it failed, in order; the last `PRINTED_LINES` count.
        rules: those of the table; only rows that read a message are asked.
        first_match: `judging.first_match`.
    """
    asked = [rule for rule in rules if rule.when.message and not rule.when.phase]
    for line in reversed(lines[-PRINTED_LINES:]):
        text = " ".join(line.split())
        if not _TROUBLE.search(text) or _OWN in text:
            continue
        failure = Failure("Exception", text, Phase.INITIALIZE, mro=("Exception", "BaseException"))
        rule = first_match(asked, evidence_of(failure, NO_HOST))
        if rule is not None and rule.verdict is not Outcome.UNKNOWN:
            quoted = bounded(redact(text), _QUOTE_LIMIT)
            return f"Shortly before, it printed {quoted!r}: {without_names(rule.reason)}"
    return ""
