"""Find the file of an archive that hides a module: it stands first on the import path of a worker.

TorchServe puts the model's directory first on PYTHONPATH (0.12.0, WorkerLifeCycle), so a `types.py` or a
`ts/` in the archive is imported where Python's or TorchServe's own is meant.
"""

from __future__ import annotations

import re

from ts_retry_ext.judge.failure import Failure
from ts_retry_ext.judge.paths import Host, exists, inside_model_dir

#: What an import or a use of a module says that failed: the module's name, and the file where it is told.
_NAMED = re.compile(
    r"""
      \bcannot\ import\ name\ ['"]\w{1,200}['"]\ from\ (?:partially\ initialized\ module\ )?['"](?P<source>[\w.]{1,200})['"]
        (?:[^(\n]{0,100}\((?P<file>[^()\n]{1,1000})\))?
    | (?:\bpartially\ initialized\ )?\bmodule\ ['"](?P<owner>[\w.]{1,200})['"]\ has\ no\ attribute
        (?:[^(\n]{0,200}\(consider\ renaming\ ['"](?P<renaming>[^'"\n]{1,1000})['"])?
    | \bNo\ module\ named\ ['"](?P<missing>\w{1,200}\.[\w.]{1,200})['"](?P<plain>;\ ['"]?[\w.]{1,200}['"]?\ is\ not\ a\ package)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Modules that TorchServe, torch and most handlers import; a file of that name is hardly the model's own.
_WELL_KNOWN = frozenset(
    (
        *(
            "abc",
            "argparse",
            "array",
            "ast",
            "asyncio",
            "base64",
            "bisect",
            "calendar",
            "cmath",
            "code",
            "codecs",
            "collections",
        ),
        *(
            "concurrent",
            "configparser",
            "contextlib",
            "copy",
            "csv",
            "ctypes",
            "dataclasses",
            "datetime",
            "decimal",
            "enum",
        ),
        *(
            "errno",
            "fractions",
            "functools",
            "glob",
            "gzip",
            "hashlib",
            "heapq",
            "html",
            "http",
            "importlib",
            "inspect",
            "io",
        ),
        *(
            "ipaddress",
            "itertools",
            "json",
            "keyword",
            "linecache",
            "locale",
            "logging",
            "math",
            "mmap",
            "multiprocessing",
        ),
        *(
            "numbers",
            "operator",
            "os",
            "pathlib",
            "pickle",
            "pkgutil",
            "platform",
            "pprint",
            "profile",
            "queue",
            "random",
            "re",
        ),
        *(
            "resource",
            "sched",
            "secrets",
            "select",
            "selectors",
            "shelve",
            "shlex",
            "shutil",
            "signal",
            "site",
            "socket",
            "ssl",
        ),
        *(
            "stat",
            "statistics",
            "string",
            "struct",
            "subprocess",
            "symbol",
            "sys",
            "tarfile",
            "tempfile",
            "test",
            "textwrap",
        ),
        *(
            "threading",
            "time",
            "timeit",
            "token",
            "tokenize",
            "trace",
            "traceback",
            "types",
            "typing",
            "unicodedata",
            "unittest",
        ),
        *("urllib", "uuid", "warnings", "weakref", "xml", "zipfile", "zlib"),
        *(
            "accelerate",
            "captum",
            "cv2",
            "datasets",
            "diffusers",
            "fastapi",
            "huggingface_hub",
            "numpy",
            "onnx",
            "onnxruntime",
        ),
        *(
            "packaging",
            "pandas",
            "PIL",
            "psutil",
            "pydantic",
            "requests",
            "safetensors",
            "scipy",
            "sentencepiece",
            "sklearn",
        ),
        *(
            "tensorflow",
            "tokenizers",
            "torch",
            "torchaudio",
            "torchvision",
            "transformers",
            "ts",
            "vllm",
            "yaml",
        ),
    )
)


def shadowing_file(failure: Failure, host: Host) -> str | None:
    """Return the name of the archive's file or directory that hides a module, as `types.py` or `ts/`.

    Three things tell it: the message gives a file inside of the model's directory for a well-known
    module; the stack passes through such a file; or such a file lies in the model's directory.
    """
    for link in failure.links:
        for found in _NAMED.finditer(link.message[:4_000]):
            name = next(filter(None, found.group("source", "owner", "missing"))).partition(".")[0]
            if name not in _WELL_KNOWN:
                continue
            told = found.group("file") or found.group("renaming") or ""
            shown = (
                _inside(told, name, host) or _on_stack(failure, name) or _in_directory(name, host)
            )
            if shown or found.group("plain"):
                return shown or f"{name}.py"
    return None


def _inside(path: str, name: str, host: Host) -> str | None:
    path = path.replace("\\", "/")
    if not path.startswith("/") or not inside_model_dir(path, host):
        return None
    return _shown(path, name)


def _shown(path: str, name: str) -> str | None:
    if path.endswith((f"/{name}.py", f"/{name}.pyc", f"/{name}.so")):
        return path.rpartition("/")[2]
    return f"{name}/" if f"/{name}/" in path else None


def _on_stack(failure: Failure, name: str) -> str | None:
    for frame in failure.frames:
        if frame.in_app and frame.module.partition(".")[0] == name:
            return _shown(frame.file.replace("\\", "/"), name)
    return None


def _in_directory(name: str, host: Host) -> str | None:
    if not host.model_dir:
        return None
    directory = host.model_dir.rstrip("/")
    for shown in (f"{name}.py", f"{name}/"):
        if exists(f"{directory}/{shown.rstrip('/')}", host):
            return shown
    return None
