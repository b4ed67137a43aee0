"""A part ``retry`` beside a handler's own description, in ``GET /models/M?customized=true``.

TorchServe sends a worker the request for a description as any other one, with a header. Only
``BaseHandler.handle`` looks at that, and calls ``describe_handle``; any other handler is called as for a
prediction (0.12.0 ts/service.py, ts/torch_handler/base_handler.py). So the part is added where nothing
but a description passes.
"""

from __future__ import annotations

import json
from types import FunctionType
from typing import Any

from ts_retry_ext.settings import SETTINGS
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

PART = "retry"
_DESCRIBE = "describe_handle"

#: Whose description the part belongs to, and how the handler describes itself.
_described: tuple[Session, FunctionType] | None = None


def add_to_description(service: object, session: Session) -> None:
    """Let the handler of `service` (``ts.service.Service``) describe what is in force, if it describes itself."""
    global _described
    kind = type(getattr(getattr(service, "_entry_point", None), "__self__", None))
    stock = next((vars(base)[_DESCRIBE] for base in kind.__mro__ if _DESCRIBE in vars(base)), None)
    if isinstance(stock, FunctionType):
        _described = session, stock
        # On the class that serves: what it inherits, and calls with super(), stays as it is.
        setattr(kind, _DESCRIBE, describe_handle)


def describe_handle(self: object) -> Any:
    """Return what the handler says of itself, with the part where that is nothing or a mapping."""
    assert _described is not None
    session, stock = _described
    own = stock(self)
    if own is not None and (not isinstance(own, dict) or PART in own):
        return own
    try:
        # A rule of the model's own can hold a date, which TorchServe could not send.
        part = json.loads(json.dumps(_part(session), default=str))
        return {**(own or {}), PART: part}
    except Exception as error:
        say(f"the description of {session.name!r} has no part {PART!r}: {error!r}")
        return own


def _part(session: Session) -> dict[str, Any]:
    """Return what is in force, in the form of ``ts-retry config --all --json``."""
    found = session.settings._asdict()
    rows = [(row.property_key, *found[row.name]) for row in SETTINGS if row.model_key]
    return {
        "model": session.name,
        "version": session.manifest.version,
        "state": "serving",
        "parameters": [
            {"name": name, "value": value, "source": source}
            for name, value, source in (*_window(session), *rows)
        ],
    }


def _window(session: Session) -> tuple[tuple[str, Any, str], ...]:
    """Return the window and its source; nothing where the configuration cannot be read here."""
    # Not an isolated import: it would hide the archive's modules from the handler's threads.
    from ts_retry_ext.archive.limits import WINDOW, is_java_int

    configured, problem = session.folder.section(WINDOW)
    if problem is not None:
        return ()
    source = f"{session.folder.config_path} ({WINDOW})" if is_java_int(configured) else "default"
    return ((WINDOW, int(session.retry_window()), source),)
