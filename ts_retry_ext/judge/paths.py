"""Paths named in a message, and what is known of them: inside the model directory, existing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ts_retry_ext.judge.frames import UNPACKED_DIR


def _nothing_known(path: str) -> bool:
    raise LookupError(path)


def _no_files_known() -> Sequence[str]:
    raise LookupError


@dataclass(frozen=True)
class Host:
    """Hold all that judging may learn of the file system; the caller provides it.

    Attributes:
        model_dir: directory of the model's files, None where it is not known.
        exists: tells whether a path exists now; raises LookupError where it cannot know.
        files: returns the files of the model's directory, relative to it, without those that are links to
            somewhere else; raises LookupError where it cannot know. Asked only if a verdict rests on it.
        written: returns those that were written since the model was first loaded, likewise; they are not among `files`.
        is_sound: tells whether one of `files` shows by its format that it is whole.
        serialized_file: the file of weights that the manifest names; empty if none, or if not known.
        startup_timeout: the limit of a load in words, with its value and source; empty if not known.
        sources: returns the texts of the model's own Python files. Asked only if a verdict rests on it.
        cwd: directory that relative paths start from, if the code has left the model's; else empty.
    """

    model_dir: str | None = None
    exists: Callable[[str], bool] = _nothing_known
    files: Callable[[], Sequence[str]] = _no_files_known
    written: Callable[[], Sequence[str]] = tuple
    is_sound: Callable[[str], bool] = lambda _: False
    sources: Callable[[], Iterable[str]] = tuple
    serialized_file: str = ""
    startup_timeout: str = ""
    cwd: str = ""


#: What is assumed when nothing of the file system is known.
NO_HOST = Host()

_QUOTED = re.compile(r"['\"`]((?:/|\.{1,2}/|~/)[^'\"`\n]{1,1000})['\"`]")
_BARE = re.compile(r"(?<![\w/:.'\"`\-])(/(?:[\w.+@%=~\-]{1,255}/){1,40}[\w.+@%=~\-]{0,255})")
_DOTTED = re.compile(
    r"(?<![\w/.'\"`\-])(\.{1,2}/(?:[\w.+@%=~\-]{1,255}/){0,40}[\w.+@%=~\-]{1,255})"
)
_DRIVE = re.compile(r"(?<![\w'])([A-Za-z]:(?:\\{1,2}|/)[^'\"`\n<>|?*:]{1,400})")
_QUOTED_DRIVE = re.compile(r"['\"`]([A-Za-z]:(?:\\{1,2}|/)[^'\"`\n<>|?*:]{1,400})['\"`]")
#: A file named without a directory, known by what its name ends in.
_FILE = re.compile(
    r"(?:^|[\s'\"`(\[:])((?:[\w\-]{1,80}/){0,8}[\w.\-]{1,80}\.(?:pth?|bin|safetensors|ckpt|onnx|engine|plan|h5|keras"
    r"|pb|tflite|cbm|bst|ubj|xgb|faiss|pdmodel|pdiparams|nemo|pkl|pickle|joblib|npy|npz|json|ya?ml|toml|cfg|ini|txt|csv|xml|model|vocab|gguf|py|zip|tar|gz|mar|onnx[._]data))(?=[\s'\"`)\],]|\.?$|\.\s)",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:directory|path|folder|file) ['\"`]?((?:[\w.\-]{1,80}/){1,8}[\w.\-]{1,80})['\"`]? (?:does not exist|doesn't exist|(?:was |is )?not found|is missing)",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"(?:No such file or directory|not a directory|cannot open|can't open|does not exist|not found)"
    r"(?:[^'\"\n]{0,40}['\"]|: )([\w.][\w.\-/]{0,300})(?=['\"]|$|\s)",
    re.IGNORECASE,
)
#: A place in the source that a library was built from, as C++ and Rust programs name it: no file of the host.
_SOURCE_LINE = re.compile(r"/(?<![\w./+\-]/)[\w./+\-]{1,400}\.(?:c|cc|cpp|cxx|cu|cuh|h|hpp|rs):\d")
#: What begins an absolute path; a drive's letter stands in what Windows users report.
_ABSOLUTE = re.compile(r"/|~|[A-Za-z]:/")
#: Directories that other processes fill: a file missing there may be there the next second. Libraries keep
#: what they download in hidden directories of the user's home.
_SHARED = re.compile(
    r"(?:^|/)(?:\.?cache|\.locks?|tmp\w*|temp|torchinductor_\w+|\.triton|\.nv|shm|run|hub|blobs|snapshots"
    r"|mnt|nfs|efs|fsx|lustre|gpfs|gcs|s3|gcsfuse|volumes?|shared?|pvc|vault|secrets?|proc|sys|dev)(?:/|$)"
    r"|^/(?:data|media)(?:/|$)|^(?:~|/root|/home/[^/]{1,64})/\.\w|\.(?:lock|incomplete|part|tmp|temp|sock|socket)(?:$|[./])",
    re.IGNORECASE,
)


#: How Python code fetches a file: libraries, clients of stores and hubs, programs.
_FETCHES = re.compile(
    r"""
      urlretrieve | urlopen | from_url | \brequests\.\w | \bfrom\ requests\b | http\.client | ftplib | \bhttpx\b | \baiohttp\b | \burllib3\b | \bpycurl\b
    | (?i:download) | \bfetch_ | \bfetch\.\w | \bget_file\( | \bMinio\b | \bboto3\b | \bfsspec\b | \bs3fs\b | \bgcsfs\b | \badlfs\b | storage\.Client | BlobServiceClient
    | cached_path | \bgdown\b | \bmlflow\b | \bwandb\b | \bparamiko\b | \bsmart_open\b
    | \b(?:wget|curl|gsutil|gcloud|azcopy|s5cmd|s3cmd|rclone|rsync|scp|aria2c|dvc)\b | \baws['",\ ]{1,4}s3\b | \bgit['",\ ]{1,4}(?:clone|lfs)\b
    """,
    re.VERBOSE,
)


def paths_in(text: str, filename: str | None = None) -> tuple[str, ...]:
    """Return the paths a text names: absolute ones, and the relative one an error is about."""
    text = _SOURCE_LINE.sub(" ", text[:4_000])
    found = [filename] if filename else []
    found += _QUOTED.findall(text)
    found += _BARE.findall(text)
    found += _DOTTED.findall(text)
    found += _RELATIVE.findall(text)
    found += _FILE.findall(text)
    found += _BEFORE.findall(text)
    drives = _QUOTED_DRIVE.findall(text) or _DRIVE.findall(text)
    found += [re.sub(r"\\{1,2}", "/", path) for path in drives]
    return tuple(dict.fromkeys(path.rstrip(".,:;)") or path for path in found))[:16]


def located(path: str, cwd: str) -> str:
    """Return a relative path as one that starts from `cwd`, any other one, or without `cwd`, as it is."""
    if not cwd or _ABSOLUTE.match(path) or "://" in path:
        return path
    return posixpath.normpath(posixpath.join(cwd, path))


def inside_model_dir(path: str, host: Host) -> bool:
    """Tell whether a path lies in the model's directory.

    A relative one does: the worker's working directory is the model's directory (TorchServe
    0.12.0, WorkerLifeCycle). `models/<32 hex digits>` is where the frontend unpacks archives.
    """
    if not _ABSOLUTE.match(path):
        return not path.startswith("..")
    if UNPACKED_DIR.match(path):
        return True
    model_dir = (host.model_dir or "").rstrip("/")
    return bool(model_dir) and (path == model_dir or path.startswith(model_dir + "/"))


def exists(path: str, host: Host) -> bool | None:
    """Tell whether a path exists now, None where that cannot be known."""
    if not path.startswith("/"):
        if not host.model_dir or _ABSOLUTE.match(path):
            return None
        path = host.model_dir.rstrip("/") + "/" + path
    try:
        return bool(host.exists(path))
    except Exception:
        return None


def _missing_in_model_dir(paths: Sequence[str], host: Host) -> bool:
    inside = [path for path in paths if inside_model_dir(path, host)]
    return any(
        exists(path, host) is not True and not _SHARED.search(below(path, host)) for path in inside
    )


def _not_fetched(paths: Sequence[str], host: Host) -> bool:
    """Tell whether a path is not there, and the model's own code fetches files.

    A program whose exit code nobody looks at, or an exception that is only printed, leaves nothing else behind.
    """
    missing = _missing_in_model_dir(paths, host) or _missing_on_host(paths, host)
    return missing and fetches_files(host)


def fetches_files(host: Host) -> bool:
    """Tell whether the model's own code fetches files, as its text shows it. Never raises."""
    try:
        return any(_FETCHES.search(source) for source in host.sources())
    except Exception:
        return False


def _present_in_model_dir(paths: Sequence[str], host: Host) -> bool:
    return any(inside_model_dir(path, host) and exists(path, host) is not False for path in paths)


def _exists_now(paths: Sequence[str], host: Host) -> bool:
    return any(exists(path, host) is True for path in paths)


def _shared(paths: Sequence[str], host: Host) -> bool:
    return any(
        _SHARED.search(below(path, host) if inside_model_dir(path, host) else path)
        for path in paths
    )


def _missing_on_host(paths: Sequence[str], host: Host) -> bool:
    """Tell whether an absolute path outside of shared directories is named, and not there."""
    return any(
        _ABSOLUTE.match(path) is not None
        and not _SHARED.search(path)
        and exists(path, host) is not True
        for path in paths
    ) and not _shared(paths, host)


def below(path: str, host: Host) -> str:
    """Return the part of a path inside the model directory."""
    found = UNPACKED_DIR.match(path)
    directory = found.group("dir") if found else (host.model_dir or "").rstrip("/")
    return path[len(directory) :] if directory and path.startswith(directory) else path


#: What a rule can ask of the paths in a message (`when.path`).
PATH_PREDICATES: dict[str, Callable[[Sequence[str], Host], bool]] = {
    "missing_in_model_dir": _missing_in_model_dir,
    "not_fetched": _not_fetched,
    "present_in_model_dir": _present_in_model_dir,
    "exists_now": _exists_now,
    "shared": _shared,
    "missing_on_host": _missing_on_host,
}
