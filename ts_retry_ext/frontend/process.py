"""Find TorchServe's frontend among the processes of this machine.

The frontend is a JVM whose main class is ``org.pytorch.serve.ModelServer`` (TorchServe 0.12.0,
``ts/model_server.py``). A worker is its child, or its grandchild behind ``torchrun`` or the CPU
launcher. On Linux ``/proc`` is read directly: a worker looks for its frontend on every start, and
importing psutil there would cost more than everything else the hook does.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Iterator, NamedTuple

MAIN_CLASS = "org.pytorch.serve.ModelServer"
MAX_ANCESTORS = 16
#: What the kernel answers for a process that is gone.
_GONE = (errno.ENOENT, errno.ESRCH)
#: What it answers to a process, or on a host, that has too many files open.
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
#: What the kernel adds to the path of a directory that is gone.
_DELETED = " (deleted)"


class FrontendId(NamedTuple):
    """Names one frontend for good, or the process in its place, running or not.

    Attributes:
        start: names its start for good, see `start_of`.
        started_at: start time, seconds since the epoch; moves as the clock is set.
    """

    pid: int
    start: str
    started_at: float


class Frontend(NamedTuple):
    """A running frontend.

    Attributes:
        start, started_at: see `FrontendId`.
        cwd: its working directory; ``logs`` and ``key_file.json`` are relative to it.
        environ: its environment, empty where it may not be read (another user's process).
    """

    pid: int
    start: str
    started_at: float
    cmdline: tuple[str, ...]
    cwd: str
    environ: dict[str, str]

    @property
    def id(self) -> FrontendId:
        """Return what names it for good."""
        return FrontendId(self.pid, self.start, self.started_at)


def frontend_of(pid: int) -> Frontend | None:
    """Return the frontend that `pid` is a descendant of, or None where there is none."""
    for _ in range(MAX_ANCESTORS):
        pid = _parent(pid)
        if pid <= 0:
            return None
        found = frontend_at(pid)
        if found is not None:
            return found
    return None


def hidden_frontend_of(pid: int) -> int | None:
    """Return the id of the frontend that `pid` descends from and may not look into, or None; Linux only."""
    for _ in range(MAX_ANCESTORS):
        pid = _parent(pid)
        if pid <= 0:
            return None
        if is_frontend(pid):
            return pid
    return None


def frontend_at(pid: int) -> Frontend | None:
    """Return the frontend with process id `pid`, or None where that is some other process."""
    if sys.platform == "linux":
        return _frontend_from_proc(pid)
    return _frontend_from_psutil(pid)


def is_frontend(pid: int) -> bool:
    """Tell whether a process is a frontend whose command line may be read; Linux only."""
    try:
        return MAIN_CLASS in _strings(f"/proc/{pid}/cmdline")
    except OSError:
        return False


def start_of(pid: int) -> str | None:
    """Return what names the start of process `pid` for good, or None when it is gone.

    A process id together with it names one process; an id alone is reused. A zombie counts as gone.
    Only good for being compared: on Linux the boot and the clock ticks since, which stay as they
    are when the clock is set, unlike a time since the epoch.
    """
    if sys.platform == "linux":
        try:
            return _start_from_proc(pid)
        except OSError:
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else f"{int(process.create_time() * 100):x}"
    except psutil.Error:
        return None


def is_alive(pid: int, start: str) -> bool:
    """Tell whether the process that had id `pid` and `start` (see `start_of`) still runs.

    One that cannot be looked at, for want of a file descriptor for example, is not gone for that.
    """
    if sys.platform != "linux":
        return start_of(pid) == start
    try:
        return _start_from_proc(pid) == start
    except OSError:
        return _exists(pid)


def state_of_process(pid: int) -> str | None:
    """Return the letter by which Linux names what process `pid` does; None where that is not known."""
    fields = _stat(pid) if sys.platform == "linux" else None
    return None if fields is None else fields[0]


def user_id_of(pid: int) -> int:
    """Return the id of the user whom process `pid` runs for; this process's where it is gone."""
    if sys.platform == "linux":
        try:
            return os.stat(f"/proc/{pid}").st_uid
        except OSError:
            return os.geteuid()
    import psutil

    try:
        return int(psutil.Process(pid).uids().effective)
    except psutil.Error:
        return os.geteuid()


def _parent(pid: int) -> int:
    if sys.platform == "linux":
        fields = _stat(pid)
        return 0 if fields is None else int(fields[1])
    import psutil

    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return 0


def _frontend_from_proc(pid: int) -> Frontend | None:
    try:
        cmdline = tuple(_strings(f"/proc/{pid}/cmdline"))
        if MAIN_CLASS not in cmdline:
            return None
        cwd = _cwd(pid)
    except OSError:
        return None
    fields, start = _stat(pid), start_of(pid)
    if fields is None or start is None:
        return None
    started_at = _epoch(int(fields[19]))
    return Frontend(pid, start, started_at, cmdline, cwd, _environ(f"/proc/{pid}/environ"))


def _frontend_from_psutil(pid: int) -> Frontend | None:
    import psutil

    try:
        process = psutil.Process(pid)
        cmdline = tuple(process.cmdline())
        if MAIN_CLASS not in cmdline:
            return None
        environ = dict(process.environ())
        start, started_at = start_of(pid) or "", float(process.create_time())
        return Frontend(pid, start, started_at, cmdline, process.cwd(), environ)
    except psutil.Error:
        return None


def _cwd(pid: int) -> str:
    """Return the working directory of `pid`; one that was removed by a path at which nothing can be made."""
    path = os.readlink(f"/proc/{pid}/cwd")
    gone = path.endswith(_DELETED) and not os.path.isdir(path)
    return f"/proc/{pid}/cwd" if gone else path


def _strings(path: str) -> Iterator[str]:
    with open(path, "rb") as stream:
        data = stream.read()
    for part in data.split(b"\0")[:-1]:
        yield os.fsdecode(part)


def _environ(path: str) -> dict[str, str]:
    try:
        pairs = (entry.partition("=") for entry in _strings(path))
        return {key: value for key, _, value in pairs}
    except OSError:
        return {}


def _start_from_proc(pid: int) -> str | None:
    """Do as `start_of`; raise OSError where the kernel does not tell whether it is gone."""
    try:
        fields = _read_stat(pid)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    return None if fields[0] == "Z" else f"{_boot()}-{int(fields[19]):x}"


def _exists(pid: int) -> bool:
    """Tell whether there is a process `pid`, which takes no file descriptor."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # Somebody else's.
    return True


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/PID/stat`` from the state on, or None where they cannot be read."""
    try:
        return _read_stat(pid)
    except OSError:
        return None


def _read_stat(pid: int) -> list[str]:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
        # The command name stands in parentheses and may itself hold spaces and parentheses.
        return stream.read().rpartition(")")[2].split()


def _boot() -> str:
    """Return what tells this boot of the machine from others; "" where the kernel does not say.

    Raises:
        OSError: this process cannot open a file now.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as stream:
            return stream.read(8).decode("ascii", "replace")
    except OSError as error:
        if error.errno in _NO_DESCRIPTOR:
            raise
        return ""


def _epoch(ticks: int) -> float:
    """Turn clock ticks since boot into seconds since the epoch."""
    with open("/proc/stat", "rb") as stream:
        for line in stream:
            if line.startswith(b"btime "):
                return float(line.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return ticks / os.sysconf("SC_CLK_TCK")
