"""Run TorchServe's worker script with the load guard in place; a program, run in a process of its own.

    python bootstrap.py JOB <arguments of the worker script>

JOB is a JSON file, see `main`. The guard, the recorder and the journal are those of a worker on a
server, so that the verdict is the same. No frontend is asked for; what happened is read from the
journal. When the first argument is `JUDGE_DEATH`, nothing is run: the death of the process before
is judged.

The archive stands first on the import path, hence `Isolated` around everything that is imported.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    import logging
    from typing import Any, Mapping

    from ts_retry_ext.worker.session import Session

JUDGE_DEATH = "--judge-death"
EPILOGUE = "epilogue-{}.json"
_SERVICE_LOGGERS = ("ts.service", "ts.async_service")
#: ``<sys/prctl.h>``: the signal that this process gets when its parent ends.
_PR_SET_PDEATHSIG = 1
_OWN_PACKAGE = "ts_retry_ext"


def main() -> None:
    """Run the job.

    Its keys: ``script`` the worker script; ``directory`` the state directory; ``registered`` the
    path made for the model; ``properties``, ``config_file``, ``cwd`` and ``log_dir`` of the server;
    ``load_timeout_sec`` when a load is ended; ``ends_with_parent`` whether to end as soon as the
    process that started this one has.
    """
    job_file, arguments = sys.argv[1], sys.argv[2:]
    if sys.path and os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    _make_importable(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from ts_retry_ext.worker.isolation import Isolated

    with Isolated():
        import json

        with open(job_file, encoding="utf-8") as stream:
            job = json.load(stream)
        if job.get("ends_with_parent"):
            _end_with_parent()
        judges = arguments[:1] == [JUDGE_DEATH]
        sys.argv = [job["script"], *arguments[judges:]]
        session = _session(job)
        if judges:
            _judge_death(session)
            return
        from ts_retry_ext.worker.startup import watch

        watch(session)
        _watch_requests(session)
    sys.path.insert(0, os.path.dirname(job["script"]))
    try:
        _run_script(job["script"])
    finally:
        if os.getpid() == session.pid:
            modules = dict(sys.modules)  # Isolation takes out those of the archive.
            with Isolated():
                _write_epilogue(session, modules)


def _end_with_parent() -> None:
    """Let this process end with the one that started it, also where that is killed.

    A load lets go of the interpreter's lock whenever it likes, so on Linux the kernel sees to it.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    else:
        import threading

        threading.Thread(target=_wait_for_parent, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _wait_for_parent(parent: int) -> None:
    import time

    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _make_importable(root: str) -> None:
    """Import this package also into an interpreter that it is not installed in."""
    try:
        __import__(_OWN_PACKAGE)
    except ImportError:
        sys.path.append(root)
        __import__(_OWN_PACKAGE)
        sys.path.remove(root)


def _session(job: Mapping[str, Any]) -> Session:
    from ts_retry_ext.archive.model_folder import ModelFolder
    from ts_retry_ext.frontend.process import FrontendId, start_of
    from ts_retry_ext.frontend.server_configuration import ServerConfiguration
    from ts_retry_ext.settings import MODEL_SECTION, OnFatal, Resolved, resolve
    from ts_retry_ext.worker.command_line import worker_address
    from ts_retry_ext.worker.session import Session

    folder = ModelFolder(os.path.realpath(os.getcwd()))
    section, _ = folder.section(MODEL_SECTION)
    settings, _ = resolve(job["properties"], os.environ, section, config_file=job["config_file"])
    settings = settings._replace(on_fatal=Resolved(OnFatal.OBSERVE, "ts-retry check"))
    parent = os.getppid()
    configuration = ServerConfiguration(
        job["cwd"], job["config_file"], job["properties"], job["log_dir"], environ={}
    )
    return Session(
        FrontendId(parent, start_of(parent) or "", 0.0),
        configuration,
        settings,
        worker_address(sys.argv, os.environ),
        folder,
        job["registered"],
        job["directory"],
        # There is one load here, and --timeout may give it more or less time than the frontend would.
        asynchronous=False,
        load_limit_sec=float(job["load_timeout_sec"]),
    )


def _judge_death(session: Session) -> None:
    from ts_retry_ext.worker.lost_worker import record_lost
    from ts_retry_ext.worker.predecessor_deaths import record_crashes

    record_lost(session)
    record_crashes(session)


def _watch_requests(session: Session) -> None:
    """Judge the exception that TorchServe's service logs when a request fails (``ts/service.py``)."""
    import logging

    def look(record: logging.LogRecord) -> bool:
        exc = record.exc_info[1] if record.exc_info else None
        if exc is not None and os.getpid() == session.pid:
            _record_request(session, exc)
        return True

    for name in _SERVICE_LOGGERS:
        logging.getLogger(name).addFilter(look)


def _record_request(session: Session, exc: BaseException) -> None:
    from ts_retry_ext.worker.isolation import Isolated

    with Isolated():
        from ts_retry_ext.judge.failure import Phase
        from ts_retry_ext.worker.recorder import record_exception

        record_exception(session, exc, Phase.INFERENCE)


def _run_script(script: str) -> None:
    """Run the worker script as ``__main__``, as the interpreter does with a file that it is given."""
    with open(script, "rb") as stream:
        code = compile(stream.read(), script, "exec", dont_inherit=True)
    main_module = type(sys)("__main__")
    main_module.__dict__.update(__file__=script, __builtins__=__builtins__)
    sys.modules["__main__"] = main_module
    exec(code, main_module.__dict__)


def _write_epilogue(session: Session, modules: Mapping[str, object]) -> None:
    """Write down what the process can tell of itself only: memory, and what it imported."""
    import json

    from ts_retry_ext.trial.undeclared_imports import undeclared

    told = {
        "peak_memory_bytes": peak_memory(),
        "peak_gpu_memory_bytes": peak_gpu_memory(),
        "undeclared": undeclared(session.model_dir, modules),
    }
    path = os.path.join(session.directory, EPILOGUE.format(session.pid))
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(told, stream)


def peak_memory() -> int:
    """Return the largest resident size of this process in bytes, of its children none."""
    try:
        # Unlike getrusage's, it starts anew when a program begins: a child of a large process
        # would inherit the size of that.
        with open("/proc/self/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_gpu_memory() -> int | None:
    """Return what torch has reserved at most on all GPUs in bytes, or None where it used none.

    What libraries allocate past torch, and the CUDA context itself, are not in it.
    """
    torch = sys.modules.get("torch")
    try:
        cuda = torch.cuda  # type: ignore[union-attr]
        if not cuda.is_initialized():
            return None
        return sum(int(cuda.max_memory_reserved(i)) for i in range(cuda.device_count()))
    except Exception:
        return None  # No torch, or a broken one, which the load itself has met.


if __name__ == "__main__":
    main()
