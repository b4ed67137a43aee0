"""Files: missing, of the wrong kind, or with a path that cannot be used."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import NETWORK_MODULES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: Words that speak for a file somewhere else than on this host.
_REMOTE = any_of(r"""
    [a-z]{2,6}://|\bconnect|download|\bfetch|timed out|time-?out|bucket|\bartifacts?\b|temporar|\bstale\b|\bretry
    try again|\b(?:in|inside|on|at|from) ['\"`]?[a-z0-9][\w\-]{0,80}/[\w\-]{1,80}['\"`]?[.!]?$
""")

#: How libraries say of a file that they name that it is not there, or cannot be opened.
_NOT_OPENED = any_of(r"""
    # OpenCV: readNetFromONNX, from Caffe and TensorFlow, from Darknet; FileStorage
    can't read onnx file: |failed: fs\.is_open\(\)\. can't open |failed to open netparameter file: |can't open file: '.{1,300}' in read mode
    # torch.jit.load
    the provided filename .{1,300} does not exist
    # TensorFlow, Keras
    savedmodel file does not exist at: |file not found: filepath=
    # llama-cpp-python, fastText
    model path does not exist: |cannot be opened for loading
""")

#: How a library says in its own words that a file is not there.
_MISSING_BY_TEXT = (
    any_of(r"""
    (?:file|path|directory|folder|checkpoint|weights?|model) .{0,300}(?:does not exist|doesn't exist|not found|is missing|cannot be found|could not be found|can ?not find)
    \.[a-z]\w{0,11}['\"`]? (?:file )?(?:is |was |could |can)?(?:does not exist|doesn't exist|not (?:be )?found|missing)
    (?:could|can) ?not find (?:the |a |any )?(?:\w+ ){0,3}(?:file|checkpoint|weights?|model|config)
    (?:can't|can ?not|could not|couldn't|unable to) (?:find|locate) (?:[\w+.]{1,40} ){0,6}['\"`]?/
    (?:no such file|not a file|isn't a file|not a directory|no file found|can't find file|unable to open file|(?:could| \
    can) ?not open (?:the )?(?:file:? ?)?['\"]?/|should be stored in .{1,300}, but it (?:doesn't|does not) exist| \
    should be stored in .{1,300}, but it is not (?:a )?regular file|can't open .{1,200}no such)
""")
    + "|"
    + _NOT_OPENED
)

#: A path that Windows refuses unless told otherwise (260 characters); a message holds each backslash
#: twice, so some more are asked for.
_LONG_DRIVE_PATH = r"['\"][a-z]:(?:\\{1,2}[^'\"\\]{1,255}){1,60}(?<=[^'\"]{275})['\"]"

_NOT_FETCHED = (
    "{path|A file} is not there, and the model's own code fetches files: this one may not have come.",
    (
        "Look above this one in the model log for a download that failed, such as a program whose exit code nobody looks at, or an exception that is only "
        "printed. If the file belongs in the archive, pack it with --extra-files."
    ),
)

FATAL_IN_DISGUISE = (
    fatal(
        "path-too-long-for-windows",
        When(
            message=r"\[winerror 206\]|filename or extension is too long|(?:no such file or directory|cannot find the path specified): "
            + _LONG_DRIVE_PATH
        ),
        "The path is longer than this Windows allows.",
        "Switch long paths on (LongPathsEnabled), or use a shorter directory (HF_HOME, TORCH_HOME).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "cache-race",
        When(
            errno=("ENOENT", "EEXIST", "ENOTEMPTY"),
            message=r"\.incomplete|\.lock['\"]|\.(?:tmp|temp|part)\b|/tmp\w{6,}|tmp\.pid_|['\"] -> ['\"]",
        ),
        "A file that another process was just writing is gone, or there already.",
        "Nothing to repair; give each worker its own cache, or fill it beforehand, if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "file-not-opened-in-shared-place",
        When(message=_NOT_OPENED, path="shared"),
        "A library could not open a file in a place that other processes fill (a cache, a mount, a temp directory).",
        "Look at what fills {path|it}, and at its rights; correct the path if nothing does.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "file-not-opened-though-there",
        When(message=_NOT_OPENED, path="exists_now"),
        "A library could not open a file, and the file is there now: it was written meanwhile, or this user may not read it.",
        "Look at the owner and the rights of {path|the file}, and at what writes it while the model loads.",
        since="2026-11-26",
    ),
)

RULES = (
    ambiguous(
        "shared-memory-segment-missing",
        When(errno=("ENOENT",), frame=("multiprocessing.shared_memory",)),
        "A segment of shared memory is not there: the process that makes it is late, gone, or not meant.",
        "Start that process first, or correct the segment's name.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
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
        "A program that the model starts is not installed.",
        "Install {command|it} where TorchServe runs, as a package of the system.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "cache-entry-there-already",
        When(
            errno=("EEXIST", "ENOTEMPTY"),
            message=r"torchinductor|\.triton|triton.{0,60}cache|torch_?extensions|__pycache__|transformers_modules|\.cache/|/blobs/|/refs/",
        ),
        "Another process made the same entry of a shared cache at the same moment.",
        "Nothing to repair; give each worker its own cache, or fill it beforehand, if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "file-missing-in-shared-place",
        When(
            errno=("ENOENT",),
            path="shared",
            phase=(Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE, Phase.INFERENCE),
        ),
        "A file is missing in a place that other processes fill (a cache, a mount, a temp directory).",
        "Look at what fills {path|it}; correct the path if nothing does.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "file-not-fetched",
        When(errno=("ENOENT",), path="not_fetched"),
        *_NOT_FETCHED,
        since="2026-11-27",
    ),
    ambiguous(
        "file-not-fetched-by-text",
        When(message=_MISSING_BY_TEXT, path="not_fetched"),
        *_NOT_FETCHED,
        since="2026-11-27",
    ),
    fatal(
        "file-missing-in-archive",
        When(
            errno=("ENOENT",),
            path="missing_in_model_dir",
            unless=r"opening build log|\bninja\b",
            unless_frame=("s3fs", "gcsfs", "adlfs", "aiohttp", "botocore", "google.cloud"),
        ),
        "{path|A file} is not in the model's directory.",
        "Pack {path|it} with --extra-files or --serialized-file, or correct its name.",
        since=_SINCE,
    ),
    fatal(
        "model-name-not-offered",
        # whisper
        When(message=r"\bmodel .{1,200} not found; available models = \["),
        "The code names a model that the installed {package|library} does not offer, and that is no file either.",
        "Use one of the names in the message, or a version of {package|the library} that has the model; for a file of your own, give its absolute path.",
        since="2026-11-27",
    ),
    fatal(
        "converted-model-incomplete",
        # CTranslate2
        When(message=r"unable to open file '[^']{1,200}' in model '", path="missing_in_model_dir"),
        "The folder {path|of the model} is no complete model of CTranslate2: the file that the message names is not in it.",
        "Pack the whole output folder of ct2-transformers-converter; a model of transformers has to be converted first.",
        since="2026-11-27",
    ),
    fatal(
        "file-missing-by-text",
        When(
            message=_MISSING_BY_TEXT,
            path="missing_in_model_dir",
            unless=_REMOTE,
            unless_frame=NETWORK_MODULES,
        ),
        "{path|A file} is not in the model's directory.",
        "Pack {path|it} with --extra-files or --serialized-file, or correct its name.",
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
        "A program that the model starts is not installed.",
        "Install {command|it} where TorchServe runs, as a package of the system.",
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
        "{path|A file} is not where the code looks for it, and no process fills that place.",
        "Pack {path|the file} into the archive, or correct the path.",
        since=_SINCE,
    ),
    fatal(
        "file-missing-on-host",
        When(errno=("ENOENT",), path="missing_on_host"),
        "{path|A file} is not where the code looks for it, and no process fills that place.",
        "Pack {path|the file} into the archive, or correct the path.",
        since=_SINCE,
    ),
    fatal(
        "not-a-file-or-directory",
        When(type=("IsADirectoryError", "NotADirectoryError")),
        "At {path|the path that is opened}, a directory is where a file should be, or the other way round.",
        "Correct the path in the model's configuration or code.",
        since=_SINCE,
    ),
    fatal(
        "path-empty",
        When(
            type=("FileNotFoundError",),
            errno=("ENOENT",),
            message=r"no such file or directory: ['\"]{2}$",
        ),
        "The code opens a path that is empty: a setting is not filled in.",
        "Set the path in the model's configuration or environment.",
        since=_SINCE,
    ),
    fatal(
        "path-unusable",
        When(errno=("ENAMETOOLONG", "ELOOP", "ENOTDIR", "EISDIR")),
        "{path|A path} cannot be used: it is too long, its links run in a circle, or a part of it is a file.",
        "Correct the path in the model's configuration or code.",
        since=_SINCE,
    ),
)
