"""Retry control for TorchServe workers: retry what a retry can cure, stop what it cannot."""

from __future__ import annotations

# Not from typing: in a worker that module can be the archive's own, see worker/isolation.py.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ts_retry_ext.errors import NonRecoverableError, RecoverableError
    from ts_retry_ext.handler import RetryAwareHandler

__all__ = ["NonRecoverableError", "RecoverableError", "RetryAwareHandler", "__version__"]

_HOMES = {
    "NonRecoverableError": "ts_retry_ext.errors",
    "RecoverableError": "ts_retry_ext.errors",
    "RetryAwareHandler": "ts_retry_ext.handler",
}


def __getattr__(name: str) -> object:
    """Import what is asked for on first use: the start-up hook must stay cheap."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ts-retry-ext")
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
