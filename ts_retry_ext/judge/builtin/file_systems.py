"""File systems and limits of the host: busy, locked, forbidden, read-only, or without room."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: Where volumes are mounted: what is wrong there is set up by something else than the model.
_MOUNT = r"/(?:mnt|media|nfs|efs|fsx|lustre|gpfs|gcs\w{0,8}|s3\w{0,8}|volumes?|shared?|pvc)/|['\"` ]/data/"

FATAL_IN_DISGUISE = (
    curable(
        "mount-not-connected",
        When(errno=("ENOTCONN",), message=r"['\"`]/|: ?/"),
        "The process behind a mounted directory (s3fs, gcsfuse, sshfs) is gone; something has to mount it again.",
        "Mount it again, and look at the log of the process that provides it.",
        since=_SINCE,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "file-open-elsewhere",
        When(
            message=any_of(r"""
                # SMB and Windows
                status_(?:sharing_violation|file_lock_conflict)\b|0xc0000043\b|\[winerror (?:32|33)\]|being used by another process
                # HDF5
                unable to lock file
            """),
            unless=r"cuda|gpu|\bport\b|address|errno = (?:37|38|95)\b",
        ),
        "Another process has the file open, and lets nobody else read it until it closes it.",
        "Nothing to repair in the model; look at what writes {path|the file} if it goes on. Where a mount has no locks, HDF5_USE_FILE_LOCKING=FALSE lets h5py read.",
        since="2026-11-26",
    ),
    ambiguous(
        "secret-not-mounted",
        When(
            errno=("ENOENT", "EACCES", "EISDIR"),
            message=r"['\"](?:/var)?/run/secrets/|['\"]/(?:etc|mnt|vault|opt)/(?:[\w\-]{1,40}/)?secrets?(?:-store)?/|['\"]/vault/",
        ),
        "The secret {path|that is read} is not where it is mounted: its mount is missing, or an agent has not written it yet.",
        "Check the volume or agent that writes {path|it}, its key's name, and the rights of the user that TorchServe runs as.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "processes-exhausted",
        When(
            errno=("EAGAIN",),
            frame=("subprocess._execute_child", "multiprocessing.popen_fork", "os.fork"),
        ),
        "The host allows no further process: a limit that is too low, or a peak.",
        "Look at the pid limit of the container and at ulimit -u.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "file-locks-unavailable",
        When(errno=("ENOLCK",)),
        "The file system gives no locks: NFS without its lock manager, or it is down for the moment.",
        "Mount with locks (nolock on one host, or rpc.statd), or move the cache to a local disk.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "file-system-busy",
        When(
            errno=(
                "EBUSY",
                "ESTALE",
                "ETXTBSY",
                "EAGAIN",
                "ENFILE",
                "EINTR",
                "EDEADLK",
            )
        ),
        "The file system or a limit of the host refused the access at this moment.",
        "Look at the mount and the limits of the host (fs.file-max) if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "open-files-exhausted",
        When(errno=("EMFILE",)),
        "The process may open no further file: a limit that is too low for the model, or a peak.",
        "Raise ulimit -n for TorchServe's process.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "mount-fails",
        When(errno=("EIO", "EREMOTEIO", "EHOSTDOWN"), message=_MOUNT),
        "The mount under {path|the path} gives an error of its own: its server is away or in trouble.",
        "Look at the mount and its server; nothing to repair in the model.",
        since="2026-11-26",
    ),
    curable(
        "remote-device-fails",
        When(errno=("EREMOTEIO",)),
        "A device or mount behind a network gives an error of its own.",
        "Look at the mount and its server; nothing to repair in the model.",
        since="2026-11-26",
    ),
    curable(
        "quota-of-disk-reached",
        When(errno=("EDQUOT",)),
        "The quota of the disk is used up at this moment.",
        "Make room for the user that TorchServe runs as, or raise its quota.",
        since="2026-11-26",
    ),
    ambiguous(
        "device-or-mount-fails",
        When(errno=("EIO", "EREMOTEIO", "ENODEV", "ENXIO")),
        "The disk or the mount under the path gives an error of its own, or does not support the call (mmap).",
        "Look at dmesg and at the mount; copy the file to a local disk.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "lock-held",
        When(
            message=any_of(r"""
                # filelock
                the file lock .{1,300} could not be acquired
                # HDF5
                file is already open for write|a file which is already open
                # Several
                lock (?:is )?(?:already )?(?:held|taken|acquired) by|could not (?:acquire|obtain|get) (?:the )?(?:file )?lock
                failed to acquire .{0,40}lock|unable to acquire .{0,40}lock|lock ?timeout|waiting for (?:the )?(?:file )?lock
                another process is (?:using|holding|already)|being used by another process
                resource (?:is )?(?:busy|locked|deadlock)|locked by another
            """)
        ),
        "Another process holds a lock.",
        "Nothing to repair; look for a dead process or a stale lock file if it goes on.",
        since=_SINCE,
    ),
    curable(
        "lock-held-type",
        When(
            type=(
                "filelock.Timeout",
                "filelock._error.Timeout",
                "LockException",
                "AlreadyLocked",
                "LockTimeout",
                "BlockingIOError",
            )
        ),
        "Another process holds a lock.",
        "Nothing to repair; look for a dead process or a stale lock file if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "threads-exhausted",
        When(
            message=r"can't start new thread|pthread_create failed|unable to create (?:new )?(?:native )?thread|thread creation failed|fork: retry|failed to create thread"
        ),
        "The host allows no further thread: a limit that is too low, or a peak.",
        "Look at the pid limit of the container and at ulimit -u if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    ambiguous(
        "no-space",
        When(errno=("ENOSPC", "EDQUOT", "EFBIG")),
        "The disk or the quota is full.",
        "Make room; check temp directory and caches.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "read-only-file-system",
        When(errno=("EROFS",), message=r"['\"`]/|: ?/", unless=_MOUNT),
        "The code writes to a file system that is mounted read-only.",
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
            message=_MOUNT + r"|/dev/|/run/|/secrets?|\.lock",
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
        "The user that TorchServe runs as may not open or write a path.",
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
        "operation-not-supported-here",
        When(
            errno=(
                "EXDEV",
                "EOPNOTSUPP",
                "ENOTSUP",
                "ENOSYS",
                "EAFNOSUPPORT",
                "EPROTONOSUPPORT",
                "E2BIG",
                "ENOEXEC",
            )
        ),
        "The file system, network or kernel of this host does not support what the code asks for.",
        "Use another directory or volume, or correct the call; the message names the operation.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
