"""What repetition says: an unknown failure that comes back unchanged will not be cured by a retry."""

from __future__ import annotations

import re
import signal as signals
from dataclasses import dataclass, replace

from ts_retry_ext.judge.failure import Failure, Frame, Phase
from ts_retry_ext.judge.frames import bounded_stack, is_ours, make_frame, module_of
from ts_retry_ext.judge.text import TRACEBACK_LIMIT, bounded, clean, visible
from ts_retry_ext.judge.verdict import NO_RULE_REASON, Basis, Outcome, Verdict

#: One line of faulthandler: `  File "x.py", line 3 in load` (no comma before "in").
_FAULT_FRAME = re.compile(r'^\s+File "([^"\n]{1,4000})", line (\d+|\?\?\?) in (.{1,400})$')
_FAULT_THREAD = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-f]+.*:$")


@dataclass(frozen=True)
class Limits:
    """Hold how often a failure may come back before it counts as final; 0 means never.

    Attributes:
        max_identical_failures: equal fingerprints in a row.
        max_hard_crashes: deaths without an exception in a row.
    """

    max_identical_failures: int = 3
    max_hard_crashes: int = 3


def with_history(
    verdict: Verdict,
    *,
    identical_failures: int,
    hard_crashes: int,
    limits: Limits,
    same_rule: int = 0,
) -> Verdict:
    """Return the verdict that one failure and its history make together.

    An UNKNOWN verdict changes by repetition. A recoverable one does only where its rule sets
    `max_attempts`, and a final one needs no history.

    Args:
        verdict: the judgement of this failure on its own.
        identical_failures: failures in a row with this fingerprint, this one included.
        hard_crashes: deaths without an exception in a row, this one included.
        limits: the policy in force.
        same_rule: failures in a row that the same rule decided, this one included.
    """
    if verdict.verdict is Outcome.RECOVERABLE and 0 < verdict.max_attempts <= same_rule:
        return replace(
            verdict,
            verdict=Outcome.NON_RECOVERABLE,
            basis=Basis.REPEATED,
            reason=f"Rule {verdict.rule} allows {_times(verdict.max_attempts)}, and it failed "
            f"{_times(same_rule)} in a row. {verdict.reason}",
        )
    if verdict.verdict is not Outcome.UNKNOWN:
        return verdict
    if 0 < limits.max_hard_crashes <= hard_crashes:
        return replace(
            verdict,
            verdict=Outcome.NON_RECOVERABLE,
            basis=Basis.CRASHED,
            reason=f"The worker died {_times(hard_crashes)} in a row without an exception. "
            f"{_kept(verdict)}".strip(),
            remedy=_remedy(
                verdict,
                "Look at the stack and the exit above for the native library at fault, or for the "
                "memory limit of the host.",
            ),
        )
    if 0 < limits.max_identical_failures <= identical_failures:
        return replace(
            verdict,
            verdict=Outcome.NON_RECOVERABLE,
            basis=Basis.REPEATED,
            reason=f"It failed the same way {_times(identical_failures)} in a row. "
            f"{_kept(verdict)}".strip(),
            remedy=_remedy(
                verdict,
                "Nobody knows this failure, and it may pass. If it stays, read the traceback and "
                "repair the cause.",
            ),
        )
    return verdict


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _kept(verdict: Verdict) -> str:
    """Return the reason so far; of one that no rule gave, its hints."""
    return verdict.reason.replace(NO_RULE_REASON, "").strip()


def _remedy(verdict: Verdict, otherwise: str) -> str:
    return verdict.remedy if verdict.rule is not None and verdict.remedy else otherwise


def crash_failure(exit_text: str, stack: str | None = None) -> Failure:
    """Build the failure of a process that died without an exception.

    Args:
        exit_text: what is known of its end: `signal 11`, `SIGKILL`, `exit code 1`, `hang`,
            `killed by the OOM killer`.
        stack: text that faulthandler wrote, of the crashed thread or of all.
    """
    message = clean(_named_signal(exit_text), 400)
    text = bounded(visible(_without_ours(stack)), TRACEBACK_LIMIT) if stack else ""
    return Failure(
        type="ProcessDied",
        message=message,
        phase=Phase.PROCESS,
        mro=("ProcessDied",),
        frames=bounded_stack(_fault_frames(text)),
        traceback=text,
    )


def _named_signal(text: str) -> str:
    found = re.search(r"\bsignal (\d{1,2})\b", text)
    if not found:
        return text
    try:
        name = signals.Signals(int(found.group(1))).name
    except ValueError:
        return text
    return text if name in text else f"{text} ({name})"


def _without_ours(stack: str) -> str:
    """Return what faulthandler wrote without the frames of this package."""
    lines = stack.splitlines(keepends=True)
    found = ((line, _FAULT_FRAME.match(line.rstrip("\n"))) for line in lines)
    return "".join(
        line for line, frame in found if not (frame and is_ours(module_of(frame.group(1))))
    )


def _fault_frames(text: str) -> list[Frame]:
    """Return the frames of the crashed thread, outermost call first (faulthandler prints it last).

    Of a dump of all threads (a hang) without a "Current thread" the last one is the main thread.
    """
    stacks: list[tuple[bool, list[Frame]]] = []
    for line in text.split("\n"):
        if _FAULT_THREAD.match(line) or line.startswith("Stack (most recent call first)"):
            stacks.append((not line.startswith("Thread"), []))
            continue
        found = _FAULT_FRAME.match(line) if stacks else None
        if found:
            number = int(found.group(2)) if found.group(2).isdigit() else None
            frame = make_frame(found.group(1), found.group(3), number, None)
            if not is_ours(frame.module):
                stacks[-1][1].append(frame)
    if not stacks:
        return []
    crashed = [frames for is_crashed, frames in stacks if is_crashed]
    return (crashed[0] if crashed else stacks[-1][1])[::-1]
