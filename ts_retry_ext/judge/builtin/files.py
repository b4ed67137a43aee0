"""Files: missing, forbidden, busy, or without room."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import NETWORK_MODULES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: Words that speak for a file somewhere else than on this host.
_REMOTE = (
    r"[a-z]{2,6}://|\bconnect|download|\bfetch|timed out|time-?out|bucket|\bartifacts?\b|temporar|\bstale\b|\bretry|try again"
    # a repository of a hub: owner/name at the end, with no ending of a file
    r"|\b(?:in|inside|on|at|from) ['\"`]?[a-z0-9][\w\-]{0,80}/[\w\-]{1,80}['\"`]?\.?$"
)

#: How a library says in its own words that a file isn't there.
_MISSING_BY_TEXT = (
    r"(?:file|path|directory|folder|checkpoint|weights?|model) .{0,300}(?:does not exist|doesn't exist|not found|is missing|cannot be found|could not be found|can ?not find)"
    r"|\.[a-z]\w{0,11}['\"`]? (?:file )?(?:is |was |could |can)?(?:does not exist|doesn't exist|not (?:be )?found|missing)|(?:could|can) ?not find (?:the |a |any )?(?:\w+ ){0,3}(?:file|checkpoint|weights?|model|config)"
    r"|(?:no such file|not a file|isn't a file|not a directory|no file found|can't find file|unable to open file|can't open .{1,200}no such)"
)

RECOVERABLE_IN_DISGUISE = (
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
                "EMFILE",
                "ENFILE",
                "EIO",
                "EINTR",
                "EDEADLK",
                "EREMOTEIO",
            )
        ),
        "The file system or a limit of the host refused the access at this moment.",
        "Look at the mount and the limits of the host (ulimit -n) if it goes on.",
        since=_SINCE,
    ),
    curable(
        "address-in-use",
        When(errno=("EADDRINUSE",)),
        "A port is still in use.",
        "Find the process that listens on it, or choose another port, if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "address-not-available",
        When(errno=("EADDRNOTAVAIL",)),
        "The address to bind to isn't one of this host, or there is no local port left to connect from.",
        "Correct the address (in a container: 0.0.0.0; localhost without IPv6: 127.0.0.1), or look at the open connections.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "address-in-use-text",
        When(
            message=r"port .{0,40}(?:is )?(?:already )?in use|failed to listen on any local|cannot find an empty port|failed to bind|could not bind|address in use|socket already in use"
        ),
        "A port is still in use.",
        "Find the process that listens on it, or choose another port, if it goes on.",
        since=_SINCE,
    ),
    curable(
        "lock-held",
        When(
            message=r"the file lock .{1,300} could not be acquired|lock (?:is )?(?:already )?(?:held|taken|acquired) by|could not (?:acquire|obtain|get) (?:the )?(?:file )?lock|failed to acquire .{0,40}lock|unable to acquire .{0,40}lock|lock ?timeout|waiting for (?:the )?(?:file )?lock|another process is (?:using|holding|already)|being used by another process|resource (?:is )?(?:busy|locked|deadlock)|locked by another"
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
    curable(
        "cache-race",
        When(
            errno=("ENOENT", "EEXIST", "ENOTEMPTY"),
            message=r"\.incomplete|\.lock['\"]|torchinductor|\.triton|triton.{0,60}cache|torch_?extensions|\.(?:tmp|temp|part)\b|/tmp\w{6,}|tmp\.pid_|__pycache__|transformers_modules|\.cache/(?:huggingface|torch|clip|vllm|flashinfer)|/blobs/|/refs/",
        ),
        "A file of a shared cache was gone: another process writes or cleans it at the same moment.",
        "Nothing to repair; give each worker its own cache, or fill it beforehand, if it goes on.",
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
        "file-race",
        When(type=("FileNotFoundError", "NotADirectoryError"), path="exists_now"),
        "A file was missing and is there now.",
        "Look for something that writes it while the model loads.",
        since=_SINCE,
    ),
    fatal(
        "command-missing",
        When(
            errno=("ENOENT",),
            frame=("subprocess",),
            message=r"no such file or directory: ['\"]?(?!\.{0,2}/)[\w.+\-]{1,60}['\"]?$",
        ),
        "A program that the model starts isn't installed.",
        "Install it in TorchServe's environment.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "file-missing-in-shared-place",
        When(
            errno=("ENOENT",),
            path="shared",
            phase=(Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE, Phase.INFERENCE),
        ),
        "A file is missing in a place that other processes fill (a cache, a mount, a temp directory).",
        "Look at what fills it; correct the path if nothing does.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "file-missing-in-archive",
        When(
            errno=("ENOENT",),
            path="missing_in_model_dir",
            unless_frame=("s3fs", "gcsfs", "adlfs", "aiohttp", "botocore", "google.cloud"),
        ),
        "A file isn't in the model's directory.",
        "Pack it with --extra-files or --serialized-file, or correct its name.",
        since=_SINCE,
    ),
    fatal(
        "file-missing-by-text",
        When(
            message=_MISSING_BY_TEXT,
            path="missing_in_model_dir",
            unless=_REMOTE,
            unless_frame=NETWORK_MODULES,
        ),
        "A file isn't in the model's directory.",
        "Pack it with --extra-files or --serialized-file, or correct its name.",
        since=_SINCE,
    ),
    fatal(
        "command-missing-unnamed",
        When(
            type=("FileNotFoundError",),
            errno=("ENOENT",),
            frame=("subprocess",),
            message=r"^\[winerror 2\]",
        ),
        "A program that the model starts isn't installed.",
        "Install it in TorchServe's environment.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "file-missing-on-host-by-text",
        When(
            message=_MISSING_BY_TEXT,
            path="missing_on_host",
            unless=_REMOTE,
            unless_frame=NETWORK_MODULES,
        ),
        "A file isn't where the code looks for it, and no process fills that place.",
        "Pack the file into the archive, or correct the path.",
        since=_SINCE,
    ),
    fatal(
        "file-missing-on-host",
        When(errno=("ENOENT",), path="missing_on_host"),
        "A file isn't where the code looks for it, and no process fills that place.",
        "Pack the file into the archive, or correct the path.",
        since=_SINCE,
    ),
    fatal(
        "not-a-file-or-directory",
        When(type=("IsADirectoryError", "NotADirectoryError")),
        "A directory is where a file should be, or the other way round.",
        "Correct the path in the model's configuration or code.",
        since=_SINCE,
    ),
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
        When(errno=("EROFS",)),
        "The code writes to a file system that is mounted read-only.",
        "Send caches elsewhere (HF_HOME, TORCH_HOME, TRITON_CACHE_DIR), or mount it writable.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "permission-in-shared-place",
        When(
            errno=("EACCES", "EPERM"), path="shared", message=r"/dev/|/mnt/|/run/|/secrets?|\.lock"
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
        "Correct owner and rights, or send caches elsewhere (HF_HOME, TORCH_HOME, MPLCONFIGDIR).",
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
        "The file system doesn't allow this operation (owner, mode or attribute) to this user.",
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
        "The file system, network or kernel of this host doesn't support what the code asks for.",
        "Use another directory or volume, or correct the call; the message names the operation.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "path-empty",
        When(
            type=("FileNotFoundError",),
            errno=("ENOENT",),
            message=r"no such file or directory: ['\"]{2}$",
        ),
        "The code opens a path that is empty: a setting isn't filled in.",
        "Set the path in the model's configuration or environment.",
        since=_SINCE,
    ),
    fatal(
        "path-unusable",
        When(errno=("ENAMETOOLONG", "ELOOP", "ENOTDIR", "EISDIR")),
        "A path can't be used as it is.",
        "Correct the path in the model's configuration or code.",
        since=_SINCE,
    ),
)
