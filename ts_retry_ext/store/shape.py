"""What the values in our files look like: one that looks otherwise is not ours, however well it parses."""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping

from ts_retry_ext.store.times import is_time

#: Process ids, counts and windows; what is larger was written by nobody.
_MAX_NUMBER = 1 << 31


def spoilt_keys(content: Mapping[str, Any]) -> list[str]:
    """Return the names of the values in one of our files, or in a record, that cannot be ours."""
    return [key for key, value in content.items() if key in _SHAPES and not _SHAPES[key](value)]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    """Tell whether a value is a text that a path can be: none holds a NUL byte or half a character."""
    try:
        return isinstance(value, str) and b"\0" not in value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _MAX_NUMBER


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


_is_text_or_none, _is_number_or_none = _or_none(_is_text), _or_none(_is_number)


def _is_moment(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(count, int) for count in value.values())


def _is_server(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _is_number(value.get("pid"))
        and _is_moment(value.get("started_at"))
    )


def _is_worker(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    only = value.get("only", [])
    return _is_number(value.get("pid")) and _is_text(value.get("socket")) and _are_texts(only)


def _is_exception(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    texts = (value.get(key) for key in ("type", "message", "traceback"))
    parts = value.get("fingerprint_parts") or {}
    return (
        all(map(_is_text_or_none, texts))
        and _are_entries(value.get("chain"), "type", "message")
        and _are_entries(value.get("frames"), "file", "function")
        and isinstance(parts, dict)
        and all(map(_are_texts, parts.values()))
        and _is_place(value.get("at"))
    )


def _is_place(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(_is_text_or_none(value.get(key)) for key in ("file", "function", "source"))
        and _is_number_or_none(value.get("line"))
    )


def _are_entries(value: object, *keys: str) -> bool:
    """Tell whether `value` is a list of mappings from `keys` to texts, or nothing."""
    entries = value or []
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and all(_is_text_or_none(entry.get(key)) for key in keys)
        for entry in entries
    )


_SHAPES: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("event", "files", "start", "socket", "launch", "action",
         "verdict", "basis", "scope", "phase", "reason", "remedy", "fingerprint", "management_address"),
        _is_text,
    ),
    **dict.fromkeys(
        ("model", "version", "handler", "group", "rule", "max_retry_timeout_source",
         "torchserve", "result"),
        _is_text_or_none,
    ),
    **dict.fromkeys(("model_dir", "registration", "cwd"), _is_path),
    "config_file": _or_none(_is_path),
    **dict.fromkeys(("pid", "failures", "fingerprint_version", "trials"), _is_number),
    **dict.fromkeys(("max_retry_timeout_sec", "oom_kills"), _is_number_or_none),
    **dict.fromkeys(("at", "created_at"), is_time),
    "started_at": _is_moment,
    **dict.fromkeys(("first_failure", "next_trial_at"), _or_none(is_time)),
    **dict.fromkeys(("launcher", "asynchronous", "holds"), _is_flag),
    "waits_for": _are_texts,
    "counts": _are_counts,
    "server": _is_server,
    "worker": _is_worker,
    "exception": _is_exception,
}  # fmt: skip
