"""End a worker that can serve no more, so that the frontend starts a fresh one.

After a CUDA device-side assert, or once a process group is broken, every further request fails, and
TorchServe keeps the worker for ever: the exception of a request ends nothing (``ts/service.py``). The
request in hand gets its answer as always; the process ends before the next one.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from socket import SHUT_RDWR, socket
from traceback import walk_tb
from typing import Any, Callable, Iterator
from weakref import WeakSet

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
)
#: With what the worker script reads the next message.
_READ = "retrieve_msg"
#: The name of the worker script's own worker, which holds the socket that it listens on.
_WORKER = "worker"
#: ``ProcessPoolExecutor.submit`` refuses once the pool is broken; a task under way fails elsewhere.
_METHOD, _MODULE = "submit", "concurrent.futures.process"
_MAX_CHAIN = 8
_MAX_TEXT = 20_000
_EXIT_STATUS = 1


class BrokenPools:
    """The process pools that have refused work because they are broken: a handler goes on with them.

    `concurrent.futures` never repairs a pool one of whose processes has died: each further `submit` raises.
    A handler may put another pool in its place, in the request that broke it or in the next one.
    """

    def __init__(self) -> None:
        self._met: WeakSet[Any] = WeakSet()

    def met_again(self, exc: BaseException) -> bool:
        """Tell whether `exc` comes of a pool that had refused a request before: nobody replaces it."""
        broken = getattr(sys.modules.get(_MODULE), "BrokenProcessPool", None)
        if broken is None or not isinstance(exc, broken):
            return False
        pool = _pool_of(exc)
        if pool is None or pool in self._met:
            return pool is not None
        self._met.add(pool)
        return False


def _pool_of(exc: BaseException) -> object | None:
    """Return the pool whose `submit` raised `exc`, or None where that cannot be told."""
    for frame, _ in walk_tb(exc.__traceback__):
        if frame.f_code.co_name == _METHOD and frame.f_globals.get("__name__") == _MODULE:
            return frame.f_locals.get("self")
    return None


def watch_requests(session: Session) -> None:
    """Look at each exception that a request of this worker ends with.

    Nothing is added to requests that succeed: what is watched is TorchServe's service logging an
    exception. An asynchronous worker is left alone, since TorchServe never uses a second one
    (0.12.0 AsyncWorkerThread).
    """
    logger = getattr(sys.modules.get(SERVICE_MODULE), "logger", None)
    if logger is None or session.asynchronous:
        return
    pools = BrokenPools()
    for level in ("error", "warning"):
        setattr(logger, level, _watched(getattr(logger, level), session, pools))


def is_poisoned(
    exc: BaseException, pools: BrokenPools, declared: tuple[type[BaseException], ...] = ()
) -> bool:
    """Tell whether a process that met `exc` can serve no more.

    What `exc` names as its cause counts as well. An exception in whose handling it was raised does
    not: the handler may have mended that.
    """
    for link in _causes(exc):
        if isinstance(link, declared) or pools.met_again(link):
            return True
        if isinstance(link, RuntimeError):
            try:
                text = str(link)[:_MAX_TEXT].lower()
            except Exception:
                continue
            if any(known in text for known in LASTING):
                return True
    return False


def _watched(
    stock: Callable[..., None], session: Session, pools: BrokenPools
) -> Callable[..., None]:
    def log(*args: Any, **kwargs: Any) -> None:
        stock(*args, **{"stacklevel": 2, **kwargs})
        exc = sys.exc_info()[1]
        if exc is None:
            return
        try:
            if is_poisoned(exc, pools, declared_types("poisonous")):
                _end_before_next_request(session, exc)
        except Exception as error:
            say(f"could not look at a failed request: {error!r}")

    return log


def _end_before_next_request(session: Session, exc: BaseException) -> None:
    """Write the failure down, and let the process end when it would read the next request."""
    script = sys.modules["__main__"]

    def leave(*connections: object) -> None:
        say(f"model {session.name!r}: this worker can serve no more, TorchServe starts a fresh one")
        sys.stdout.flush()
        leave_nothing_open(*connections, getattr(getattr(script, _WORKER, None), "sock", None))
        # Not sys.exit: with a broken device the interpreter's own end may hang.
        os._exit(_EXIT_STATUS)

    if not hasattr(script, _READ) or os.getpid() != session.pid:
        return
    setattr(script, _READ, leave)
    with Isolated():
        from ts_retry_ext.worker.lost_worker import record_poisoned

        record_poisoned(session, exc, declared=isinstance(exc, declared_types("poisonous")))


def leave_nothing_open(*sockets: object) -> None:
    """Shut `sockets` down and end the processes that multiprocessing started. Never raises.

    A forked process shares the sockets: without this the frontend would see the connection open until
    responseTimeout, and a fresh worker the port in use. The model's own processes serve nobody any more,
    and would keep a device's memory; an orderly end of Python would have ended or awaited them.
    """
    for connection in sockets:
        if isinstance(connection, socket):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)
    children = getattr(sys.modules.get("multiprocessing"), "active_children", None)
    with suppress(Exception):
        for child in children() if children is not None else ():
            child.kill()


def _causes(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    for _ in range(_MAX_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__
