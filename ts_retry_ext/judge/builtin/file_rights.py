"""Disks that are full, places that may not be written, and what a file system or kernel does not do."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.file_systems import MOUNT
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

RULES = (
    ambiguous(
        "inotify-watches-used-up",
        When(errno=("ENOSPC",), message=r"inotify"),
        "All watches of files (inotify) that the kernel gives to this user are in use; the disk is not full.",
        "Raise fs.inotify.max_user_watches and max_user_instances on the node, or look for what watches so many files.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "shared-memory-full",
        When(errno=("ENOSPC",), message=r"/dev/shm"),
        "Shared memory (/dev/shm) is full or too small; the disk is not full.",
        "Give the container a larger /dev/shm (--shm-size, an emptyDir with medium: Memory), and look for what was left in it.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "no-space",
        When(errno=("ENOSPC", "EFBIG")),
        "The disk under {path|the place that is written to} is full.",
        "Make room (df -h and df -i show it): look at the temp directory and at caches (HF_HOME, TORCH_HOME), or put them on a larger volume.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "read-only-file-system",
        When(errno=("EROFS",), message=r"['\"`]/|: ?/", unless=MOUNT),
        "The code writes to {path|a place} on a file system that is mounted read-only.",
        "Send caches elsewhere (HF_HOME, TORCH_HOME, TRITON_CACHE_DIR), or mount it writable.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "mount-is-read-only",
        When(errno=("EROFS",)),
        "A place that something else mounts is read-only: meant so, or since its file system failed.",
        "Mount it writable, or send what is written elsewhere (HF_HOME, TORCH_HOME, TRITON_CACHE_DIR).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "permission-in-shared-place",
        When(
            errno=("EACCES", "EPERM"),
            message=MOUNT + r"|/dev/|/run/|/secrets?|\.lock",
            path="shared",
        ),
        "Access is denied in a place that something else sets up.",
        "Check owner and rights; in a container, fsGroup and the user TorchServe runs as.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "permission-denied",
        When(errno=("EACCES",), message=r"/|\.\w{1,12}['\"]|denied: ['\"]"),
        "The user that TorchServe runs as may not open or write {path|a path}.",
        "Correct owner and rights of {path|the path}, or send caches elsewhere (HF_HOME, TORCH_HOME, MPLCONFIGDIR).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "operation-not-permitted",
        When(
            errno=("EPERM",),
            message=r"['\"]/",
            unless_frame=("socket", "subprocess", "multiprocessing"),
        ),
        "The file system does not allow this operation (owner, mode or attribute) to this user.",
        "Correct owner and rights, or use a volume that supports it.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "rename-across-file-systems",
        When(errno=("EXDEV",)),
        "A file is renamed from one file system to another, which the system call does not do.",
        "Put the temp directory (TMPDIR) and the place that the file goes to on one volume, or use shutil.move.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "arguments-too-long",
        When(errno=("E2BIG",)),
        "The arguments and the environment of a program that is started are longer than the system allows.",
        "Give long lists in a file, and look for a large variable in the environment of TorchServe.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "address-family-not-there",
        When(errno=("EAFNOSUPPORT", "EPROTONOSUPPORT")),
        "This host or container does not have the kind of network that is asked for: mostly IPv6.",
        "Name an address of IPv4 (127.0.0.1 instead of ::1 or localhost, 0.0.0.0 instead of ::), or switch IPv6 on.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "operation-not-supported-here",
        When(
            errno=(
                "EOPNOTSUPP",
                "ENOTSUP",
                "ENOSYS",
                "ENOEXEC",
            )
        ),
        "The file system, network or kernel of this host does not support what the code asks for.",
        "Use another directory or volume, or correct the call; the message names the operation.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
