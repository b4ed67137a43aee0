"""From a live exception to a failure. Never raises, whatever the exception object does."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from ts_retry_ext.judge.facts import errno_in_text, missing_module_in_text
from ts_retry_ext.judge.failure import (
    CHAIN_LIMIT,
    NOTE_LIMIT,
    Cause,
    Failure,
    Frame,
    Phase,
    failure_of,
)
from ts_retry_ext.judge.frames import bounded_stack, is_ours, make_frame, module_of
from ts_retry_ext.judge.text import MESSAGE_LIMIT, NAME_LIMIT, TRACEBACK_LIMIT, bounded, clean

#: Frames looked at in one traceback; an endless recursion with a raised limit can have millions.
_WALK_LIMIT = 20_000
_UNREADABLE = "<unreadable>"

_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"


def failure_from_exception(
    exc: BaseException,
    phase: Phase,
    *,
    model_dir: str | None = None,
    secrets: Sequence[str] = (),
) -> Failure:
    """Turn a live exception into plain data.

    Walks causes, contexts (suppressed ones too: `from None` hides evidence, it does not undo it)
    and members of exception groups. Never raises.

    Args:
        exc: any exception, also one whose `__str__` or attributes raise.
        phase: how far the worker was.
        model_dir: directory of the model's files, to tell its own code from libraries.
        secrets: values that must not be cut in two (see `redact.secret_values`); what is not cut is
            left to `redact.redacted`.
    """
    try:
        walked = _walk(exc)
        chain = [link for link, _ in walked]
        frames = _frames(exc, model_dir)
        causes = [_cause(link, secrets, is_printed=printed) for link, printed in walked]
        return failure_of(causes, frames, phase, _text(chain, causes, model_dir, secrets))
    except BaseException:
        name = _type_name(type(exc))
        return Failure(type=name, message=_UNREADABLE, phase=phase, mro=(name,))


def _walk(exc: BaseException) -> list[tuple[BaseException, bool]]:
    """Return the exception and what caused it, outermost first, each once, and whether Python prints it."""
    printed = {id(link) for link in _reached(exc, hidden_too=False)}
    return [(link, id(link) in printed) for link in _reached(exc, hidden_too=True)]


def _reached(exc: BaseException, *, hidden_too: bool) -> list[BaseException]:
    """Return what is reached over causes, contexts and members, with or without contexts that `from` hides."""
    found: list[BaseException] = []
    seen: set[int] = set()
    waiting = [exc]
    while waiting and len(found) <= CHAIN_LIMIT:
        link = waiting.pop(0)
        if id(link) in seen or not isinstance(link, BaseException):
            continue
        seen.add(id(link))
        found.append(link)
        members = _attribute(link, "exceptions")
        if isinstance(members, (tuple, list)):
            waiting.extend(member for member in members[:CHAIN_LIMIT])
        cause, context = link.__cause__, link.__context__
        is_hidden = cause is not None or bool(_attribute(link, "__suppress_context__"))
        if cause is not None:
            waiting.append(cause)
        if context is not None and (hidden_too or not is_hidden):
            waiting.append(context)
    return found


def _cause(exc: BaseException, secrets: Sequence[str], *, is_printed: bool) -> Cause:
    message = clean(_message(exc, secrets), secrets=secrets)
    return Cause(
        type=_type_name(type(exc)),
        message=message,
        mro=tuple(_type_name(base) for base in type(exc).__mro__ if base is not object)[:32],
        errno=_errno(exc, message),
        notes=_notes(exc, secrets),
        missing_module=_missing_module(exc, message),
        http_status=_http_status(exc),
        filename=_text_attribute(exc, "filename"),
        remedy=_text_attribute(exc, "remedy"),
        is_printed=is_printed,
    )


def _type_name(kind: type) -> str:
    try:
        module, name = kind.__module__, kind.__qualname__
        text = name if module in ("builtins", "__main__", None) else f"{module}.{name}"
        return clean(str(text), NAME_LIMIT)
    except BaseException:
        return _UNREADABLE


def _message(exc: BaseException, secrets: Sequence[str]) -> str:
    try:
        text = str(exc)
    except BaseException:
        text = ""
        try:
            text = repr(exc.args)
        except BaseException:
            return _UNREADABLE
    if isinstance(exc, SyntaxError):
        text = _with_source_line(exc, text)
    return bounded(text, MESSAGE_LIMIT, secrets)


def _with_source_line(exc: SyntaxError, text: str) -> str:
    line = _text_attribute(exc, "text")
    return f"{text}\n    {line.strip()}" if line else text


def _attribute(obj: object, name: str) -> Any:
    """Read an attribute of an object that may do anything when asked."""
    try:
        return getattr(obj, name, None)
    except BaseException:
        return None


def _text_attribute(obj: object, name: str) -> str | None:
    value = _attribute(obj, name)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clean(value, NAME_LIMIT * 4) if isinstance(value, str) and value else None


def _notes(exc: BaseException, secrets: Sequence[str]) -> tuple[str, ...]:
    notes = _attribute(exc, "__notes__")
    if not isinstance(notes, (list, tuple)):
        return ()
    return tuple(
        clean(note, secrets=secrets) for note in notes[:NOTE_LIMIT] if isinstance(note, str)
    )


def _errno(exc: BaseException, message: str) -> int | None:
    """Find the error number: the attribute, the one of `reason` (urllib) or of args, the text."""
    inner = _attribute(exc, "args")
    candidates = [exc, _attribute(exc, "reason")]
    candidates += list(inner[:4]) if isinstance(inner, tuple) else []
    for candidate in candidates:
        if isinstance(candidate, OSError):
            number = _attribute(candidate, "errno")
            if isinstance(number, int) and not isinstance(number, bool):
                return number
    return errno_in_text(message)


def _missing_module(exc: BaseException, message: str) -> str | None:
    if not isinstance(exc, ModuleNotFoundError):
        return None
    return _text_attribute(exc, "name") or missing_module_in_text(message)


def _http_status(exc: BaseException) -> int | None:
    response = _attribute(exc, "response")
    candidates = [_attribute(response, "status_code"), _attribute(response, "status")]
    if isinstance(response, dict):
        meta = response.get("ResponseMetadata")
        candidates.append(meta.get("HTTPStatusCode") if isinstance(meta, dict) else None)
    candidates += [_attribute(exc, name) for name in ("status_code", "http_status", "status")]
    if any(base.__name__ == "HTTPError" for base in type(exc).__mro__) or isinstance(
        response, dict
    ):
        candidates.append(_attribute(exc, "code"))
    for value in candidates:
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return int(value)
    return None


def _stack(tb: TracebackType | None) -> list[tuple[str, str, int]]:
    """Return (file, function, line) of a traceback, outermost call first, bounded."""
    found: list[tuple[str, str, int]] = []
    while tb is not None and len(found) < _WALK_LIMIT:
        code = tb.tb_frame.f_code
        found.append((code.co_filename, code.co_name, tb.tb_lineno))
        tb = tb.tb_next
    return found


def _frames(exc: BaseException, model_dir: str | None) -> tuple[Frame, ...]:
    stack = [item for item in _stack(exc.__traceback__) if not is_ours(module_of(item[0]))]
    return tuple(
        make_frame(file, function, line, model_dir) for file, function, line in bounded_stack(stack)
    )


def _text(
    chain: list[BaseException], causes: list[Cause], model_dir: str | None, secrets: Sequence[str]
) -> str:
    """Format the chain as Python does, innermost first, without frames of this package."""
    blocks: list[str] = []
    for position in range(len(chain) - 1, -1, -1):
        exc = chain[position]
        lines = ["Traceback (most recent call last):\n"] if exc.__traceback__ else []
        for frame in _frames(exc, model_dir):
            lines.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}\n')
            # The one thing that is read from disk in judging, and by what Python's traceback reads it with.
            source = linecache.getline(frame.file, frame.line or 0).strip()
            if source:
                lines.append(f"    {clean(source, NAME_LIMIT, secrets)}\n")
        cause = causes[position]
        lines.append(f"{cause.type}: {cause.message}\n" if cause.message else f"{cause.type}\n")
        lines += [f"{note}\n" for note in cause.notes]
        blocks.append("".join(lines))
        if position:
            outer = chain[position - 1]
            blocks.append(_CAUSED if outer.__cause__ is exc else _DURING)
    return bounded("".join(blocks), TRACEBACK_LIMIT, secrets)
