"""Exceptions that any handler may raise to declare how its failure is to be treated."""

from __future__ import annotations


class _DeclaredError(Exception):
    """Carry a message and an optional remedy, shown to the operator as it stands."""

    def __init__(self, message: str = "", *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


class NonRecoverableError(_DeclaredError):
    """Raise while loading to declare that no retry can cure this failure.

    The worker stops after this load, with basis ``declared``.

    Args:
        message: what is wrong.
        remedy: what the operator should do about it.
    """


class RecoverableError(_DeclaredError):
    """Raise while loading to declare that a later try may succeed.

    TorchServe's own schedule and window apply, with basis ``declared``.

    Args:
        message: what is wrong.
        remedy: what the operator could do about it.
    """
