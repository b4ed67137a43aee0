"""A damaged file: final in the model's directory, and unknown where somebody may still write it.

What TorchServe unpacked from an archive stays as it is. A file on a mount, or in a folder that another process
fills, is whole once the copy ends, and a cut file says nothing of that. What a load downloads into the model's
directory, the next load downloads again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ts_retry_ext.judge.failure import Failure
from ts_retry_ext.judge.paths import Host, below, fetches_files, inside_model_dir
from ts_retry_ext.judge.source_line import own_directory, own_frame, paths_in_own_line

#: Files of weights, by what their names end in.
WEIGHTS = (
    # torch, pickle, NumPy
    *(".pt", ".pth", ".bin", ".ckpt", ".mar", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".tar"),
    # Other frameworks
    *(".safetensors", ".onnx", ".ort", ".h5", ".hdf5", ".keras", ".pb", ".tflite", ".msgpack"),
    *(".pdmodel", ".pdiparams", ".nemo", ".mlmodel", ".caffemodel", ".weights"),
    # Engines, quantized weights
    *(".engine", ".plan", ".trt", ".gguf", ".ggml", ".xml"),
    # Trees, indexes
    *(".model", ".cbm", ".bst", ".ubj", ".xgb", ".faiss", ".index", ".ann"),
    # Packed ones
    *(".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst"),
)
#: Endings that other files of a model have as well: vocabularies, vectorizers, graphs, packed data.
_NOT_ONLY_WEIGHTS = (".model", ".xml", ".index", ".pkl", ".pickle", ".joblib", ".gz", ".zip")
_ONLY_WEIGHTS = tuple(ending for ending in WEIGHTS if ending not in _NOT_ONLY_WEIGHTS)
#: Files that are looked at to see whether they are sound; of more, none is.
_MOST_MEANT = 16
#: What a model is read from beside its weights: tables, pictures, trees in text.
DATA = (*WEIGHTS, ".json", ".txt", ".csv", ".tsv", ".parquet", ".png", ".jpg", ".jpeg")
#: What CatBoost saves in its own format.
CATBOOST = (".cbm", ".bin", ".model", ".catboost")
JSON = (".json",)
YAML = (".yaml", ".yml")
XML = (".xml",)
TOKENIZERS = (".json", ".model", ".txt", ".vocab", ".spm", ".bpe", ".tiktoken")
DATABASES = (".db", ".sqlite", ".sqlite3", ".duckdb")

WHERE_IT_LIES = (
    "Probably final: the file is not sound, and none of those that the model was registered with, "
    "unless somebody still writes it."
)
LOOK_WHO_WRITES_IT = (
    "Look whether something copies or writes {path|the file}, and compare its size and checksum with those "
    "of the source. The model is tried again."
)

#: Words of a function's name.
_ELSEWHERE = re.compile(
    r"(?:^|_)(?:mount|mounted|mounts|download|downloads|fetch|pull|remote|nfs|efs|s3|gcs|bucket|pvc|shared|cache)(?=_|$)",
    re.IGNORECASE,
)
#: TorchServe's own files in a model's directory.
_MANIFEST = "MAR-INF/"
#: Source and libraries of Python: named in a message, they are no file that a model reads.
_LIBRARY = re.compile(r"/(?:site|dist)-packages/|/python3(?:\.\d+)?/|\.(?:py|pyc|so)$")


def may_lie_elsewhere(paths: Sequence[str], host: Host, endings: Sequence[str]) -> bool:
    """Tell whether a damaged file may be none of the model's own. Never raises.

    It may lie outside of the model's directory, or a load may have written it there. If the failure names no file of the
    directory, it may be what the model's own code has fetched; and if all that can be meant in the directory is sound, it
    is another one. False if the host does not know which files the directory has.

    Args:
        paths: those that the failure names.
        host: what is known of the file system; its files are asked for here only.
        endings: what the names of such files end in.
    """
    if not host.model_dir:
        return False
    try:
        files, written = host.files(), host.written()
    except Exception:
        return False
    inside = [_relative(path, host) for path in paths if inside_model_dir(path, host)]
    if any(_is_or_holds(path, file) for path in inside for file in files):
        return False
    if any(not inside_model_dir(path, host) and not _LIBRARY.search(path) for path in paths):
        return True
    if any(_is_or_holds(path, file) for path in inside for file in written):
        return True
    if fetches_files(host) or any(_can_be_meant(file, host, endings) for file in written):
        return True
    meant = [file for file in files if _can_be_meant(file, host, endings)]
    try:
        return len(meant) <= _MOST_MEANT and all(map(host.is_sound, meant))
    except Exception:
        return False


def holds_weights(host: Host) -> bool:
    """Tell whether the model was registered with a file of weights. True if the host does not know it. Never raises."""
    try:
        return any(_can_be_meant(file, host, _ONLY_WEIGHTS) for file in host.files())
    except Exception:
        return True


def read_from_elsewhere(failure: Failure, paths: Sequence[str], host: Host) -> str | None:
    """Return a path outside of the model's directory that a damaged file is read from, None if nothing shows one.

    Many loaders do not name the file; the model's own line that calls them often does. It counts only if the failure
    names no path. A pasted text comes without the model's directory; then the own frame's file shows it.

    Args:
        failure: its traceback holds the source line.
        paths: those that the failure names.
        host: what is known of the file system.
    """
    directory = host.model_dir or own_directory(failure)
    frame = own_frame(failure)
    if not directory or frame is None or (paths and host.model_dir):
        return None  # of a path that the failure names, `may_lie_elsewhere` knows more
    own = (directory.rstrip("/") + "/", os.path.dirname(frame.file).rstrip("/") + "/")
    named = paths or paths_in_own_line(failure)
    if any(path.startswith(own) or inside_model_dir(path, host) for path in named):
        return None
    return next((path for path in named if not _LIBRARY.search(path)), None)


def fetched_by_its_own_name(failure: Failure) -> bool:
    """Tell whether a function of the model's own says by its name that it reads from elsewhere: `_load_from_mount`."""
    return any(frame.in_app and _ELSEWHERE.search(frame.function) for frame in failure.frames)


def _relative(path: str, host: Host) -> str:
    """Return a path in the model's directory as seen from there."""
    name = below(path, host).strip("/")
    return name[2:] if name.startswith("./") else name


def _is_or_holds(path: str, file: str) -> bool:
    """Tell whether a path is a file, or a directory that holds it.

    A model that is a directory is linked: its path begins with the link's name.
    """
    return path == file or path.endswith("/" + file) or file.startswith(path + "/")


def _can_be_meant(file: str, host: Host, endings: Sequence[str]) -> bool:
    if file.startswith(_MANIFEST):
        return False
    return file == host.serialized_file or file.lower().endswith(tuple(endings))
