"""What the classes of the model's handler say of exception types; see `ts_retry_ext.handler`."""

from __future__ import annotations

import sys

HANDLER_MODULE = "ts_retry_ext.handler"
ATTRIBUTES = ("non_recoverable", "recoverable", "poisonous")


def declared_types(attribute: str) -> tuple[type[BaseException], ...]:
    """Return the exception types under `attribute` of every handler class of this process.

    What is no exception type is passed over: it must not keep a failure from being judged.
    """
    found: list[type[BaseException]] = []
    for owner in getattr(sys.modules.get(HANDLER_MODULE), "handler_classes", ()):
        found += [entry for entry in entries_of(owner, attribute) if is_type(entry)]  # type: ignore[misc]
    return tuple(found)


def entries_of(owner: type, attribute: str) -> tuple[object, ...]:
    """Return what `attribute` lists; one type alone, its comma forgotten, counts as a list of one."""
    value = getattr(owner, attribute, ())
    return tuple(value) if isinstance(value, (tuple, list, set, frozenset)) else (value,)


def is_type(entry: object) -> bool:
    """Tell whether `entry` is an exception type."""
    return isinstance(entry, type) and issubclass(entry, BaseException)
