"""`RetryAwareHandler`: a base handler that says which of its failures a retry can cure."""

from __future__ import annotations

from typing import Any, ClassVar

from ts.torch_handler.base_handler import BaseHandler

from ts_retry_ext.errors import NonRecoverableError, RecoverableError
from ts_retry_ext.worker.declared import ATTRIBUTES, entries_of, is_type
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.startup import activate_in_handler

__all__ = ["NonRecoverableError", "RecoverableError", "RetryAwareHandler"]

#: The handler classes of this process; the recorder asks them what they declare.
handler_classes: list[type[RetryAwareHandler]] = []


class RetryAwareHandler(BaseHandler):  # type: ignore[misc, unused-ignore]
    """TorchServe's `BaseHandler`, with the failures of its load declared.

    Attributes:
        non_recoverable: exception types that no retry can cure: the worker stops after one load.
        recoverable: exception types that a later try may survive: TorchServe's window applies.
        poisonous: exception types of a request after which the process can serve no more: it ends
            once the request is answered, and TorchServe starts a fresh one.

    Subclass it and list types where the built-in rules cannot know better, or raise
    `NonRecoverableError` and `RecoverableError` from your own code. Where the start-up hook cannot
    run (``python -S``, packages installed with ``--target``), importing this module activates the
    package from there on; with the hook active nothing is done twice.
    """

    non_recoverable: ClassVar[tuple[type[BaseException], ...]] = ()
    recoverable: ClassVar[tuple[type[BaseException], ...]] = ()
    poisonous: ClassVar[tuple[type[BaseException], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        handler_classes.append(cls)
        for attribute in ATTRIBUTES:
            for entry in entries_of(cls, attribute):
                if not is_type(entry):
                    say(
                        f"{cls.__name__}.{attribute}: {entry!r} is no exception type; it is ignored"
                    )


handler_classes.append(RetryAwareHandler)
activate_in_handler()
