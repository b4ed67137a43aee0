"""From stored forms back to a failure: the JSON record of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from ts_retry_ext.judge.frames import bounded_stack, is_ours, make_frame
from ts_retry_ext.judge.lineage import inferred_mro, plain
from ts_retry_ext.judge.text import NAME_LIMIT, TRACEBACK_LIMIT, bounded, clean, visible
from ts_retry_ext.judge.traceback_text import failure_from_text

__all__ = ["failure_from_record", "failure_from_text", "record_of"]

_IMPORT_ERRORS = ("ModuleNotFoundError", "ImportError")


def failure_from_record(record: Mapping[str, object], *, model_dir: str | None = None) -> Failure:
    """Read the JSON form of a failure; what is missing or of the wrong kind is taken as unknown.

    Keys: phase, exc_type, mro, message, errno, chain [{exc_type, message, ...}],
    frames [[file, function] or [file, function, line]], notes, traceback, http_status, filename.

    Raises:
        ValueError: the record is not a mapping.
    """
    if not isinstance(record, Mapping):
        msg = f"a failure must be a JSON object, not {type(record).__name__}"
        raise ValueError(msg)
    chain = [_cause(item) for item in _items(record.get("chain"))[:CHAIN_LIMIT]]
    frames = [_frame(item, model_dir) for item in bounded_stack(_items(record.get("frames")))]
    return failure_of(
        [_cause(record), *chain],
        [frame for frame in frames if frame is not None and not is_ours(frame.module)],
        _phase(record.get("phase")),
        bounded(visible(bounded(_text(record.get("traceback")), TRACEBACK_LIMIT)), TRACEBACK_LIMIT),
    )


def record_of(failure: Failure) -> dict[str, object]:
    """Return the JSON form of a failure; `failure_from_record` reads it back."""
    links = [_link_record(link) for link in failure.links]
    return {
        **links[0],
        "phase": failure.phase.value,
        "chain": links[1:],
        "frames": [[frame.file, frame.function, frame.line] for frame in failure.frames],
        "traceback": failure.traceback,
    }


def _link_record(link: Cause) -> dict[str, object]:
    return {
        "exc_type": link.type,
        "mro": list(link.mro),
        "message": link.message,
        "errno": link.errno,
        "notes": list(link.notes),
        "missing_module": link.missing_module,
        "http_status": link.http_status,
        "filename": link.filename,
        "remedy": link.remedy,
        **({} if link.is_printed else {"is_printed": False}),
    }


def _cause(item: object) -> Cause:
    if not isinstance(item, Mapping):
        item = {"message": item}
    name = clean(_text(item.get("exc_type") or item.get("type")), NAME_LIMIT) or "Exception"
    message = clean(_text(item.get("message")))
    given = tuple(clean(_text(base), NAME_LIMIT) for base in _items(item.get("mro"))[:32])
    mro = given if len(given) > 1 else inferred_mro(name)
    if plain(name) not in {plain(base) for base in mro}:
        mro = (name, *mro)
    missing = _text(item.get("missing_module")) or None
    if missing is None and plain(name) in _IMPORT_ERRORS:
        missing = missing_module_in_text(message)
    number = _integer(item.get("errno"))
    return Cause(
        type=name,
        message=message,
        mro=tuple(base for base in mro if base != "object"),
        errno=number if number is not None else errno_in_text(message),
        notes=tuple(clean(_text(note)) for note in _items(item.get("notes"))[:NOTE_LIMIT]),
        missing_module=clean(missing, NAME_LIMIT) if missing else None,
        http_status=_integer(item.get("http_status")),
        filename=clean(_text(item.get("filename")), NAME_LIMIT * 4) or None,
        remedy=clean(_text(item.get("remedy"))) or None,
        is_printed=item.get("is_printed") is not False,
    )


def _frame(item: object, model_dir: str | None) -> Frame | None:
    if isinstance(item, Mapping):
        item = [item.get("file"), item.get("function"), item.get("line")]
    parts = _items(item)
    if not parts:
        return None
    function = _text(parts[1]) if len(parts) > 1 else ""
    line = _integer(parts[2]) if len(parts) > 2 else None
    return make_frame(_text(parts[0]), function, line, model_dir)


def _phase(value: object) -> Phase:
    try:
        return Phase(_text(value).lower())
    except ValueError:
        return Phase.INITIALIZE


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except Exception:
        return ""


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None
