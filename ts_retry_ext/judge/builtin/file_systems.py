"""File systems and limits of the host: busy, locked, forbidden, read-only, or without room."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable
from ts_retry_ext.judge.builtin.words import NETWORK_MODULES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

#: Where volumes are mounted: what is wrong there is set up by something else than the model.
MOUNT = r"/(?:mnt|media|nfs|efs|fsx|lustre|gpfs|gcs\w{0,8}|s3\w{0,8}|volumes?|shared?|pvc)/|['\"` ]/data/"

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
        "Nothing to repair in the model; look at what writes {path|the file} if it goes on. Where a mount has no locks, "
        "HDF5_USE_FILE_LOCKING=FALSE lets h5py read.",
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
        "lock-not-free",
        When(type=("BlockingIOError",), errno=("EAGAIN",), unless_frame=NETWORK_MODULES),
        "A call that does not wait found its file in use: mostly a lock (flock with LOCK_NB) that another process or worker holds.",
        "Nothing to repair in the model; if it goes on, find who holds the lock (lslocks, fuser), let the code wait for it, or "
        "give each worker a file of its own.",
        since="2026-11-27",
    ),
    curable(
        "file-handle-stale",
        When(errno=("ESTALE",)),
        "The file was replaced or removed on the server of the mount (NFS) while this process had it open.",
        "Nothing to repair in the model; let what writes the file write it under another name and rename it, or mount again, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "program-being-written",
        When(errno=("ETXTBSY",)),
        "A program or library is being written by one process while another starts it.",
        "Nothing to repair in the model; let each worker write its own copy, or write it before the workers start, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "host-has-too-many-open-files",
        When(errno=("ENFILE",)),
        "All processes of the host together have as many files open as its kernel allows.",
        "Find the process that holds most of them (lsof), or raise fs.file-max, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "file-system-busy",
        When(
            errno=(
                "EBUSY",
                "EAGAIN",
                "EINTR",
                "EDEADLK",
            )
        ),
        "What the code asks for ({path|a file, a device or a lock}) is in use at this moment.",
        "Nothing to repair in the model; look at who else uses it (fuser, lsof) if it goes on.",
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
        When(errno=("EIO", "EREMOTEIO", "EHOSTDOWN"), message=MOUNT),
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
        "disk-or-mount-fails",
        When(errno=("EIO",)),
        "Reading or writing {path|a file} failed below the file system: the disk or the mount under it gives an error of its own.",
        "Look at dmesg and at the mount; copy the file to a local disk, and compare its checksum.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "device-or-mount-fails",
        When(errno=("ENODEV", "ENXIO")),
        "The device behind {path|the path} is not there, or its file system does not support the call (mmap).",
        "Look whether the device is given to this container and its driver is loaded; copy a file from a mount without mmap to a local disk.",
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
