"""End a worker that can serve no more, so that the frontend starts a fresh one.

After a CUDA device-side assert, or once a process group is broken, every further request fails, and
TorchServe keeps the worker for ever: the exception of a request ends nothing (``ts/service.py``). The
request in hand gets its answer as always; the process ends before the next one.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Iterator

from ts_retry_ext.worker.declared import declared_types
from ts_retry_ext.worker.isolation import Isolated
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

SERVICE_MODULE = "ts.service"
#: Texts of errors that stay with the process (CUDA: "sticky" errors), in lower case.
LASTING = (
    "device-side assert",
    "illegal memory access",
    "unspecified launch failure",
    "an illegal instruction was encountered",
    "misaligned address",
    "hardware stack error",
    "invalid program counter",
    "uncorrectable ecc error",
    "gpu has fallen off the bus",
    "driver shutting down",
    "nccl communicator was aborted",
    "nccl communicator encountered error",
    "process group has been destroyed",
    "a child process terminated abruptly, the process pool is not usable anymore",
    "a process in the process pool was terminated abruptly",
)
#: With what the worker script reads the next message.
_READ = "retrieve_msg"
_MAX_CHAIN = 8
_MAX_TEXT = 20_000
_EXIT_STATUS = 1


def watch_requests(session: Session) -> None:
    """Look at each exception that a request of this worker ends with.

    Nothing is added to requests that succeed: what is watched is TorchServe's service logging an
    exception. An asynchronous worker is left alone, since TorchServe never uses a second one
    (0.12.0 AsyncWorkerThread).
    """
    logger = getattr(sys.modules.get(SERVICE_MODULE), "logger", None)
    if logger is None or session.asynchronous:
        return
    for level in ("error", "warning"):
        setattr(logger, level, _watched(getattr(logger, level), session))


def is_poisoned(exc: BaseException, declared: tuple[type[BaseException], ...] = ()) -> bool:
    """Tell whether a process that met `exc` can serve no more."""
    for link in _chain(exc):
        if isinstance(link, declared):
            return True
        if isinstance(link, RuntimeError):
            try:
                text = str(link)[:_MAX_TEXT].lower()
            except Exception:
                continue
            if any(known in text for known in LASTING):
                return True
    return False


def _watched(stock: Callable[..., None], session: Session) -> Callable[..., None]:
    def log(*args: Any, **kwargs: Any) -> None:
        stock(*args, **{"stacklevel": 2, **kwargs})
        exc = sys.exc_info()[1]
        if exc is None:
            return
        try:
            if is_poisoned(exc, declared_types("poisonous")):
                _end_before_next_request(session, exc)
        except Exception as error:
            say(f"could not look at a failed request: {error!r}")

    return log


def _end_before_next_request(session: Session, exc: BaseException) -> None:
    """Write the failure down, and let the process end when it would read the next request."""
    script = sys.modules["__main__"]

    def leave(*_: object) -> None:
        say(f"model {session.name!r}: this worker can serve no more, TorchServe starts a fresh one")
        sys.stdout.flush()
        # Not sys.exit: with a broken device the interpreter's own end may hang.
        os._exit(_EXIT_STATUS)

    if not hasattr(script, _READ) or os.getpid() != session.pid:
        return
    setattr(script, _READ, leave)
    with Isolated():
        from ts_retry_ext.worker.loss_while_serving import record_poisoned

        record_poisoned(session, exc, declared=isinstance(exc, declared_types("poisonous")))


def _chain(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    for _ in range(_MAX_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__
