"""Start a program of ours from a worker, or its own once more: same interpreter and environment.

The model's directory stands first on a worker's path, so a plain ``python -m`` would import the
archive's ``json.py``. The program gets this process's path without it, and neither ``site`` nor
``PYTHONPATH`` has a say. The environment goes on unchanged: a trial load needs it.
"""

from __future__ import annotations

import os
import sys

from ts_retry_ext.worker.isolation import foreign_paths

#: Waits with a model after the frontend's window; see there.
WAITER = "ts_retry_ext.worker.waiter"
_ALONE = ["-I", "-S"]
#: Where this package lies.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def own_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `main()` of one of our modules, which finds `arguments` in ``sys.argv[1:]``."""
    foreign = foreign_paths()
    kept = [path for path in sys.path if path and os.path.realpath(path) not in foreign]
    path = [*([] if ROOT in kept else [ROOT]), *kept]
    code = f"import sys; sys.path[:] = {path!r}; from {module} import main; sys.exit(main())"
    return [sys.executable, *interpreter_options(), *_ALONE, "-c", code, *arguments]


def interpreter_options() -> list[str]:
    """Return the options that the worker's interpreter was given, such as ``-X utf8``; none before Python 3.10.

    Our own programs are given them, too, so that a trial load has them.
    """
    options: list[str] = []
    rest = iter(getattr(sys, "orig_argv", ())[1:])
    for option in rest:
        if not option.startswith("-") or option in ("-c", "-m"):
            break
        options.append(option)
        if option in ("-X", "-W"):
            options.append(next(rest, ""))
    return options[: -len(_ALONE)] if options[-len(_ALONE) :] == _ALONE else options


def waiter_command(frontend_pid: int) -> list[str]:
    """Return the command that waits with this worker's model after the frontend's window."""
    return own_command(WAITER, str(frontend_pid), *sys.argv)


def start_detached(command: list[str], keep: tuple[int, ...] = ()) -> tuple[int, int]:
    """Start `command` in a session of its own, silent; return its process id and a pipe to its stdin.

    By hand, since a holder has no room for `subprocess`. The program ends where it reads the pipe's
    end, so it ends with this process unless it decides otherwise. It inherits the descriptors
    `keep`, locks among them. Raises OSError.
    """
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        _become(command, reader, keep)
    os.close(reader)
    return pid, writer


def leave_behind(command: list[str]) -> None:
    """Start a program that makes itself nobody's child, and see its first process end. Raises OSError."""
    pid, pipe = start_detached(command)
    os.close(pipe)
    os.waitpid(pid, 0)


def start_if_killed(command: list[str]) -> tuple[int, int]:
    """Have `command` started should this process be killed; return what to take leave of.

    A shell waits until then: it needs a tenth of a holder's memory. It stands in no way where the
    host has none. Raises OSError.
    """
    return start_detached(["/bin/sh", "-c", 'read -r _ || exec "$@"', "sh", *command])


def take_leave(watch: tuple[int, int]) -> None:
    """End what `start_if_killed` has started: this process ends because it is to."""
    pid, pipe = watch
    try:
        os.write(pipe, b"\n")
        os.waitpid(pid, 0)
    except OSError:
        pass  # It was ended, or never came to be.
    os.close(pipe)


def _become(command: list[str], stdin: int, keep: tuple[int, ...]) -> None:
    """Be `command` from here on. Never returns, and never raises into what was forked."""
    try:
        os.setsid()
        silent = os.open(os.devnull, os.O_RDWR)
        os.dup2(stdin, 0)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        for descriptor in keep:
            os.set_inheritable(descriptor, True)
        # Sockets and pipes of a worker are not inheritable (PEP 446), so nothing else goes along.
        os.execv(command[0], command)
    finally:
        os._exit(127)


def start_over() -> None:
    """Run this interpreter's command again, in this very process.

    What the judge imported stays in memory for as long as a holder holds; an interpreter that
    starts over with the marker in place never imports it. Raises OSError.
    """
    flags = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
    os.execv(sys.executable, [sys.executable, *flags])
