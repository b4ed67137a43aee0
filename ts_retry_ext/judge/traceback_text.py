"""From a traceback's text to a failure, as Python prints it; what logs put around it is taken off before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ts_retry_ext.judge.facts import errno_in_text, missing_module_in_text
from ts_retry_ext.judge.failure import FRAME_LIMIT, Cause, Failure, Frame, Phase, failure_of
from ts_retry_ext.judge.frames import bounded_stack, is_ours, make_frame
from ts_retry_ext.judge.lineage import SYNTAX_ERRORS, inferred_mro, plain
from ts_retry_ext.judge.load_phase import phase_of
from ts_retry_ext.judge.text import NAME_LIMIT, TRACEBACK_LIMIT, bounded, clean, visible

#: Characters read of one text, its head and its tail; a whole server log is split before.
TEXT_LIMIT = 1_000_000

#: The rails of a printed exception group.
_MEMBER = re.compile(r"^\s{0,80}(?:\| ?)?\s{0,40}\+(?:-\+)?-{4,} (?:\d+|\.\.\.) -{4,}$")
_GROUP_RAIL = re.compile(r"^ {0,40}(?:\| ?|\+-[-+ ]{0,80}|\+ (?=Exception Group))+")
#: Stands for the line between two members of a group; no log line can hold it.
_MEMBER_MARK = "\x00member"
_HEADER = re.compile(r"^(?:Exception Group )?Traceback \(most recent call last\):\s*$")
_FILE = re.compile(r'^\s+File "([^"\n]{1,4000})", line (\d+)(?:, in (.{1,400}))?\s*$')
_RAISED = re.compile(r"^((?:[A-Za-z_][\w]*\.){0,12}[A-Za-z_]\w{0,120})(?:: ?(.*))?$")
_TYPE_WORD = re.compile(
    r"(?:Error|Exception|Exit|Interrupt|Warning|Timeout|Failure|Found|Enabled|Conflict|Refused"
    r"|BadZipFile|gaierror|herror|Unavailable|Exceeded|Requests|Disconnected|Forbidden|Read"
    r"|Group|Aborted|Unauthenticated|PermissionDenied|Unauthorized)$"
)
_JOINT = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\s*$"
)
#: TorchServe's worker ends with one of these after it has logged the real failure
#: (0.12.0, handle_connection of model_service_worker.py).
_WRAPPER = re.compile(r"^50[07] - (?:Unknown exception|System out of memory)$")
_LOOKED_UP = re.compile(r"^No module named '([^'\n]{1,4000})'")
_REPEATED = re.compile(r"^\s+\[Previous line repeated (\d{1,9}) more times?\]\s*$")
_DEFAULT_HANDLERS = "ts.torch_handler"
_IMPORT_ERRORS = ("ModuleNotFoundError", "ImportError")


@dataclass
class _Block:
    """One exception of a printed chain while it is being read; `end` counts the lines up to its last one."""

    end: int = 0
    frames: list[Frame] = field(default_factory=list)
    type: str = ""
    source: str = ""
    has_function: bool = True
    message: list[str] = field(default_factory=list)


def failure_from_text(
    text: str, phase: Phase | None = None, *, model_dir: str | None = None
) -> Failure:
    """Read the last traceback of a text. Never raises.

    Args:
        text: what one process printed.
        phase: how far the worker was; None: what the frames show, else `Phase.INITIALIZE`.
        model_dir: the model's directory, to know its own frames by.

    Where the last
    traceback is TorchServe's own "500 - Unknown exception", the one before it is the failure.
    A text without a traceback is read as `Type: message`, and failing that as a bare message.
    """
    lines = [_without_rails(line) for line in visible(bounded(text, TEXT_LIMIT)).split("\n")]
    chains = [chain for chain in _chains(lines, model_dir) if chain and chain[-1].type]
    if not chains:
        return _without_traceback(lines, phase or Phase.INITIALIZE)
    chosen = chains[-1]
    if len(chains) > 1 and _WRAPPER.match("\n".join(chosen[-1].message).strip()):
        chosen = chains[-2]
    outermost_first = [block for block in reversed(chosen) if block.type]
    phase = phase or phase_of([frame for block in outermost_first for frame in block.frames])
    shown = [line for line in lines if line != _MEMBER_MARK]
    if _is_masked(outermost_first):
        del outermost_first[0], shown[outermost_first[0].end :]
    stack = [frame for frame in outermost_first[0].frames if not is_ours(frame.module)]
    return failure_of(
        [_cause(block.type, "\n".join(block.message)) for block in outermost_first],
        bounded_stack(stack),
        phase or Phase.INITIALIZE,
        bounded("\n".join(shown).strip(), TRACEBACK_LIMIT),
    )


def _is_masked(outermost_first: list[_Block]) -> bool:
    """Tell whether TorchServe's search for a default handler hides the exception below the outermost one.

    After any ImportError from the handler's file, 0.12.0 TsModelLoader.load tries ``ts.torch_handler.<handler>``,
    and what comes out is that this module does not exist. `worker.recorder` looks through it likewise.
    """
    if len(outermost_first) < 2:
        return False
    missing, hidden = (_cause(b.type, "\n".join(b.message)) for b in outermost_first[:2])
    looked_up = _LOOKED_UP.match(missing.message)
    package, _, handler = (looked_up[1] if looked_up else "").rpartition(".")
    return (
        package == _DEFAULT_HANDLERS
        and plain(hidden.type) in _IMPORT_ERRORS
        and hidden.missing_module != handler
    )


def _without_rails(line: str) -> str:
    """Return a line without the rails that Python draws beside an exception group."""
    if _MEMBER.match(line):
        return _MEMBER_MARK
    if line.lstrip().startswith(("|", "+-", "+ Exception Group")):
        rail = _GROUP_RAIL.match(line)
        line = line[rail.end() :] if rail else line
    return line.rstrip()


def _chains(lines: list[str], model_dir: str | None) -> list[list[_Block]]:
    """Split lines into printed chains; in each the innermost exception comes first, as printed."""
    chains: list[list[_Block]] = []
    block: _Block | None = None
    joined = False
    chained = any(_JOINT.match(line.strip()) for line in lines)
    for number, line in enumerate(lines, start=1):
        if line == _MEMBER_MARK and chains:
            # A member is an inner cause of the group, and the group stays the outermost.
            block = _Block()
            chains[-1].insert(0, block)
        elif _HEADER.match(line.strip()):
            if block is not None and not block.type and not block.frames and chains:
                continue
            block = _Block()
            if joined and chains:
                chains[-1].append(block)
            else:
                chains.append([block])
            joined = False
        elif _JOINT.match(line.strip()):
            joined, block = True, None
        elif (
            block is None
            and _RAISED.match(line)
            and (joined if chains else number == 1 and chained)
        ):
            # An exception that was never raised has no stack of its own: `raise A from B()`.
            block, joined = _Block(end=number), False
            if chains:
                chains[-1].append(block)
            else:
                chains.append([block])
            _read_line(block, line, model_dir)
        elif block is not None:
            _read_line(block, line, model_dir)
            block.end = number
    for chain in chains:
        for block in chain:
            while block.message and not block.message[-1].strip():
                block.message.pop()
    return chains


def _read_line(block: _Block, line: str, model_dir: str | None) -> None:
    if block.type:
        if len(block.message) < 400:
            block.message.append(line)
        return
    repeated = _REPEATED.match(line)
    if repeated is not None and block.frames:
        block.frames += block.frames[-1:] * min(int(repeated[1]), FRAME_LIMIT)
        return
    found = _FILE.match(line)
    if found:
        block.source, block.has_function = "", found.group(3) is not None
        frame = make_frame(
            found.group(1), found.group(3) or "<module>", int(found.group(2)), model_dir
        )
        block.frames.append(frame)
        return
    raised = _RAISED.match(line)
    if raised and (
        raised.group(2) is not None or _TYPE_WORD.search(raised.group(1)) or block.frames
    ):
        block.type = raised.group(1)
        block.message.append(raised.group(2) or "")
        if block.frames and not block.has_function and plain(block.type) in SYNTAX_ERRORS:
            _place(block)
    elif not block.source and not raised:
        block.source = line.strip()


def _place(block: _Block) -> None:
    """Put the place of a syntax error where `str` of the live exception and `judge.capture` have it."""
    frame = block.frames.pop()
    name = frame.file.replace("\\", "/").rpartition("/")[2]
    block.message[0] += f" ({name}, line {frame.line})"
    if block.source:
        block.message.append(f"    {block.source}")


def _without_traceback(lines: list[str], phase: Phase) -> Failure:
    kept = [line for line in lines if line.strip()]
    for position in range(len(kept) - 1, -1, -1):
        raised = _RAISED.match(kept[position].strip())
        if raised and _TYPE_WORD.search(raised.group(1)):
            message = "\n".join([raised.group(2) or "", *kept[position + 1 :]])
            text = "\n".join(lines).strip()
            return failure_of(
                [_cause(raised.group(1), message)], (), phase, bounded(text, TRACEBACK_LIMIT)
            )
    text = "\n".join(kept).strip()
    return failure_of([_cause("Exception", text)], (), phase, bounded(text, TRACEBACK_LIMIT))


def _cause(name: str, message: str) -> Cause:
    message = clean(message.strip())
    is_import_error = plain(name) in _IMPORT_ERRORS
    return Cause(
        type=clean(name, NAME_LIMIT),
        message=message,
        mro=inferred_mro(name),
        errno=errno_in_text(message),
        missing_module=missing_module_in_text(message) if is_import_error else None,
    )
