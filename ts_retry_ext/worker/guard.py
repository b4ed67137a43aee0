"""The load guard: sees a load begin, succeed or fail, and lets every exception go on unchanged."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import time
from traceback import walk_tb
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Callable, Sequence, cast

from ts_retry_ext.garbage_collector import PausedCollector
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker.crash_capture import CrashCapture
from ts_retry_ext.worker.description import add_to_description
from ts_retry_ext.worker.in_hand import InHand
from ts_retry_ext.worker.last_words import (
    drop_own_frames,
    say_after_traceback,
    say_last_lines,
    watch_log,
)
from ts_retry_ext.worker.memory_events import oom_kills
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.poisoned_worker import watch_requests
from ts_retry_ext.worker.session import Session

if TYPE_CHECKING:
    # Only for the types: importlib.abc brings 17 ms of other modules into every worker's start.
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

    from ts_retry_ext.worker.asynchronous import Retries

LOADER_MODULE = "ts.model_loader"
LOADER_CLASS = "TsModelLoader"
#: The function with which the worker script makes its answer to LOAD, and the code for success.
_ANSWER, _OK = "create_load_model_response", 200
_LOADER_FILE = os.path.join("ts", "model_loader.py")
_IMPORTING = ("_load_handler_file", "_load_default_handler", "_load_default_envelope")
_CONSTRUCTING = ("_get_class_entry_point", "_get_function_entry_point")


class LoadGuard:
    """Watches one worker process until its model has loaded."""

    def __init__(self, session: Session) -> None:
        """Take in hand what recording needs. Raises OSError when the store cannot be written."""
        self._session = session
        self._capture = CrashCapture(session.directory, session.pid)
        self._in_hand = InHand(session)
        self._is_served = False

    def install(self) -> None:
        """Watch this process from now on. Raises OSError when the store cannot be written."""
        if self._session.asynchronous:
            # Now, while imports are isolated: later on threads of the model import as well.
            import ts_retry_ext.worker.asynchronous  # noqa: F401
        try:
            self._session.record(Event.START, oom_kills=oom_kills())
            self._capture.start()
        except BaseException:
            self._in_hand.let_go()
            raise
        if LOADER_MODULE in sys.modules:  # a handler brought us in, in the middle of its load
            self._begin()
            self._watch_answer()
        else:
            sys.meta_path.insert(0, _LoaderFinder(self._wrap))
        self._watch_uncaught()
        watch_log(lambda: self._is_served, self.failed)
        atexit.register(self._ended)

    def _wrap(self, module: ModuleType) -> None:
        """Put the guard around ``TsModelLoader.load`` of the freshly imported module."""
        owner = getattr(module, LOADER_CLASS)
        stock = owner.load

        def load(loader: Any, *args: Any, **kwargs: Any) -> Any:
            if self._session.load_begun:  # A handler loads a part of its model with it.
                return stock(loader, *args, **kwargs)
            with PausedCollector():
                self._begin(*args, **kwargs)
                retries = self._retries()
            while True:
                try:
                    service = stock(loader, *args, **kwargs)
                except BaseException as exc:  # noqa: PERF203 - a load is no tight loop
                    self.failed(exc)
                    if retries is None or not retries.wait_for_next():
                        raise
                    self._session.closed = False
                    self._take_in_hand_again()
                    self._begin(*args, **kwargs)
                else:
                    with PausedCollector():
                        self.loaded()
                        self._describe(service)
                    return service

        load.__doc__ = stock.__doc__
        owner.load = load

    def _retries(self) -> Retries | None:
        """Return the retries that this process makes itself, or None where the frontend does."""
        if not self._session.asynchronous:
            return None
        from ts_retry_ext.worker.asynchronous import Retries

        return Retries(self._session)

    def _take_in_hand_again(self) -> None:
        try:
            self._in_hand = InHand(self._session)
        except OSError as error:
            say(f"a failure of this load may be lost: {error}")

    def _begin(self, model_name: object = None, *_: object, **__: object) -> None:
        session = self._session
        session.load_begun = True
        session.began_ns = time.time_ns()
        if isinstance(model_name, str):
            session.name = model_name
            self._in_hand.make_line()
        self._session.record_or_say(Event.LOAD)
        try:
            self._capture.expect_end_within(session.startup_timeout())
        except Exception as error:  # No thread to be had, or a time-out of 300,000 years.
            say(f"a load that hangs will leave no stack: {error!r}")

    def loaded(self) -> None:
        """Note that the model serves: from here on the guard is out of the way."""
        self._session.closed = True
        self._is_served = True
        self._capture.stop()
        self._session.record_or_say(Event.LOADED)
        self._in_hand.let_go()
        self._clear_marker()
        if self._session.asynchronous:
            from ts_retry_ext.worker.asynchronous import end_with_connection

            end_with_connection()
        try:
            watch_requests(self._session)
        except Exception as error:
            say(f"failures of requests are not looked at: {error!r}")

    def _clear_marker(self) -> None:
        """Remove the marker where it means this worker. Never raises."""
        if self._session.loads_beside_marker or not self._session.has_marker():
            return
        try:
            from ts_retry_ext.worker.marker_in_force import clear_own_marker

            clear_own_marker(self._session, "the model has loaded")
        except Exception as error:
            say(f"cannot remove the marker: {error}")

    def _describe(self, service: Any) -> None:
        try:
            add_to_description(service, self._session)
        except Exception as error:
            say(f"the handler describes itself only: {error!r}")

    def failed(self, exc: BaseException) -> None:
        """Judge and record the exception that ends this worker, once. Never raises."""
        session = self._session
        if session.closed or os.getpid() != session.pid:
            return
        session.closed = True
        # The script logs no traceback of these two, and the frontend ends a process once that has closed
        # its connection: what is said later would be lost.
        if not session.asynchronous and not isinstance(exc, (SystemExit, socket.timeout)):
            say_after_traceback()
        phase = "startup"
        try:
            phase = _phase(exc, session.load_begun)
            with self._in_hand.judging():
                from ts_retry_ext.judge.failure import Phase
                from ts_retry_ext.worker.recorder import record_exception

                record_exception(session, exc, Phase(phase))
        except BaseException as error:
            say(f"could not judge the failure, TorchServe retries it as always: {error!r}")
            self._write_unjudged(exc, phase)
        else:
            self._in_hand.let_go()
        self._capture.stop()

    def _write_unjudged(self, exc: BaseException, phase: str) -> None:
        try:
            self._in_hand.write_unjudged(exc, phase)
        except BaseException as error:
            say(f"could not write down that the model failed: {error!r}")

    def _watch_answer(self) -> None:
        """See the worker script answer LOAD with 200, where ``load`` is running already."""
        script = sys.modules["__main__"]
        stock = getattr(script, _ANSWER)

        def answer(code: int, message: str) -> Any:
            if code == _OK:
                self.loaded()
            return stock(code, message)

        setattr(script, _ANSWER, answer)

    def _watch_uncaught(self) -> None:
        """See what ends the worker script before its own handlers: an import that fails."""
        stock = sys.excepthook

        def excepthook(
            kind: type[BaseException], exc: BaseException, trace: TracebackType | None
        ) -> None:
            # Before a load it comes from outside, with the end of the server; in a load it was seen.
            if not isinstance(exc, KeyboardInterrupt):
                self.failed(exc)
            drop_own_frames(exc)
            stock(kind, exc, trace)
            say_last_lines()

        sys.excepthook = excepthook

    def _ended(self) -> None:
        """Note an orderly end without an exception: it must not be taken for a crash."""
        if os.getpid() != self._session.pid:
            return
        say_last_lines()
        if not self._session.closed:
            self._session.closed = True
            self._capture.stop()
            self._session.record_or_say(Event.END)
            self._in_hand.let_go()


class _LoaderFinder:
    """Hands the loader module to `found` once it has been imported, and is gone."""

    def __init__(self, found: Callable[[ModuleType], None]) -> None:
        self._found = found

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != LOADER_MODULE:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = cast("Loader", _PatchingLoader(spec.loader, self._found))
                return spec
        return None


class _PatchingLoader:
    """Runs the real loader, puts it back, and then lets `found` see the module."""

    def __init__(self, real: Any, found: Callable[[ModuleType], None]) -> None:
        self._real = real
        self._found = found

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._real.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._real
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        self._real.exec_module(module)
        try:
            self._found(module)
        except Exception as error:
            say(f"the load guard does not fit this TorchServe, loads are not judged: {error!r}")


def _phase(exc: BaseException, load_begun: bool) -> str:
    """Tell from its traceback how far the worker was; the values are those of `judge.Phase`."""
    codes = [frame.f_code for frame, _ in walk_tb(exc.__traceback__)]
    functions = {code.co_name for code in codes if code.co_filename.endswith(_LOADER_FILE)}
    if functions.intersection(_IMPORTING):
        return "import"
    if functions.intersection(_CONSTRUCTING):
        return "construct"
    return "initialize" if load_begun else "startup"
