"""Put the names of a failure into the words for the operator: `{module|the module}` -> `sentencepiece`.

Reasons and remedies of built-in rules are written once for every failure of a kind. A gap in them names
what stands there if the failure says it, and behind the bar the words to use if it does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ts_retry_ext.judge.connection_words import how_it_failed, where_to_look
from ts_retry_ext.judge.evidence import Evidence
from ts_retry_ext.judge.gaps import GAP
from ts_retry_ext.judge.library_words import what_brings_it
from ts_retry_ext.judge.lineage import plain
from ts_retry_ext.judge.named_causes import named_causes
from ts_retry_ext.judge.redact import redact
from ts_retry_ext.judge.text import visible
from ts_retry_ext.judge.where_raised import packages_of

#: Longest name that is put into a sentence, in characters.
_NAME_LIMIT = 160
#: Longest sentence that is put in place of a general one.
_SENTENCE_LIMIT = 400

_HANDLER_PACKAGE = "ts.torch_handler."
_CLASS = re.compile(r"<class '(?:[\w.]{0,200}\.)?(\w{1,100})'>")
_VARIABLE = re.compile(
    r"\b(?:[Vv]ariables?|VARIABLES?|variable named|env var)s? ['\"`$]{0,2}([A-Z][A-Z0-9_]{2,60})\b"
    r"|\b([A-Z][A-Z0-9]{1,40}_[A-Z0-9_]{1,40})\b(?= (?:environment variable|env var|is (?:not set|missing|required|unset)|must be set))"
)
_LIBRARY = re.compile(
    r"\b(lib[\w+.\-]{1,60}\.(?:so[\w.]{0,20}|dylib)|\w[\w\-]{0,60}\.dll)\b", re.IGNORECASE
)
_COMMAND = re.compile(
    r"No such file or directory: ['\"]([^'\"/\n]{1,80})['\"]|(?:sh|bash): .{0,20}?([\w.\-]{1,80}): (?:command )?not found"
    r"|Command '\[?'?([^'\s,]{1,80})|([\w.\-]{1,60}) is not installed"
)
_SEVERAL = re.compile(r"\bcannot import name ['\"](\w{1,100})['\"]")
_SOURCE = re.compile(
    r"\bcannot import name .{1,200}? from (?:partially initialized module )?['\"]([\w.]{1,200})['\"]"
    r"|\bpartially initialized module ['\"]([\w.]{1,200})['\"]|\bmodule ['\"]([\w.]{1,200})['\"] has no attribute"
)
#: Of transformers and its kin: the text of an import that was put off.
_LAZILY = re.compile(r"\bFailed to import (\w{1,80})[\w.]* because of")
#: The compiled part of a package, by its file: `flash_attn_2_cuda.cpython-310-x86_64-linux-gnu.so`.
_EXTENSION = re.compile(
    r"(?:site|dist)-packages/(\w{1,80})/|([\w\-]{1,80})\.(?:cpython|cp|abi)[\w\-]{0,60}\.(?:so|pyd)\b"
    r"|\boperator (\w{1,40})::|\bInstalled from (\w{1,40})"
)
_BUCKET = re.compile(r"\b[Bb]ucket:? ?[=:]? ?['\"`]?([a-z0-9][\w.\-]{2,62})\b['\"`]")
_LIMIT = re.compile(
    r"\b((?:input |output |total )?(?:requests|tokens|images) per (?:minute|min|day|second|hour)(?: \([A-Z]{3}\))?(?:: Limit \d{1,12})?)"
    r"|\b([\w ]{1,60}? per (?:minute|day|second)) for (?:this|your|the) "
)
_NEEDED = re.compile(
    r"\bpip3? install (?:-{1,2}[\w\-]{1,20} ){0,3}['\"`]?(?!requirements|-)([A-Za-z][\w.\-\[\]]{1,60})(?=[\s'\"`,;:)=<>~!]|\.?$|\.\s)"
    r"|\brequires the ['\"`]?([\w.\-]{2,60})['\"`]? (?:library|package)\b|\b([A-Za-z][\w.\-]{1,60}) (?:(?:package|library|module) )?is not installed\b",
)
_SIGNAL = re.compile(r"\b(?:<Signals\.|signal )(SIG[A-Z]{2,8})\b")
_SHAPES = re.compile(r"\((\d{1,9}x\d{1,9} and \d{1,9}x\d{1,9})\)")
#: Top-level module -> its distribution on PyPI, where the two differ.
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "PyTorch": "torch",
    "TensorFlow": "tensorflow",
    "skimage": "scikit-image",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "PyYAML",
    "bs4": "beautifulsoup4",
    "jwt": "PyJWT",
    "dateutil": "python-dateutil",
    "flash_attn_2_cuda": "flash-attn",
    "flash_attn": "flash-attn",
    "faiss": "faiss-cpu or faiss-gpu",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "attr": "attrs",
    "Crypto": "pycryptodome",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google.protobuf": "protobuf",
    "Levenshtein": "python-Levenshtein",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "zmq": "pyzmq",
}


def with_names(words: str, evidence: Evidence) -> str:
    """Return words with every gap filled. Never raises: what cannot be named has its own words."""

    def shown(gap: re.Match[str]) -> str:
        find = _NAMES.get(gap.group(1))
        try:
            name = redact(visible(find(evidence) or "")) if find else ""
        except Exception:
            name = ""
        limit = _SENTENCE_LIMIT if gap.group(1) in _SENTENCES else _NAME_LIMIT
        return " ".join(name.split())[:limit] or gap.group(2)

    return GAP.sub(shown, words)


def _module(evidence: Evidence) -> str:
    found = [name for name in evidence.missing_modules if not name.startswith(_HANDLER_PACKAGE)]
    return found[-1] if found else ""


def _distribution(evidence: Evidence) -> str:
    """Return what a part of a shared package is mostly called on PyPI: google.cloud.storage is google-cloud-storage."""
    name = _module(evidence)
    return (
        "protobuf"
        if name.startswith("google.protobuf")
        else name.replace(".", "-").replace("_", "-")
    )


def _installed_as(evidence: Evidence) -> str:
    """Return what to install for a missing module: mostly the distribution is called like it."""
    return _distributed(_module(evidence))


def _handler(evidence: Evidence) -> str:
    found = [name for name in evidence.missing_modules if name.startswith(_HANDLER_PACKAGE)]
    return found[0][len(_HANDLER_PACKAGE) :] if found else ""


def _path(evidence: Evidence) -> str:
    absolute = [path for path in evidence.paths if path.startswith("/")]
    return (absolute or list(evidence.paths) or [""])[0]


def _address(evidence: Evidence) -> str:
    return next(iter(named_causes(evidence.failure).addresses), "")


def _package(evidence: Evidence) -> str:
    """Return the distribution of the library in which the failure was raised."""
    return _distributed(evidence.raised.package)


def _importer(evidence: Evidence) -> str:
    """Return the distribution of the library that asks a module for a name; a module asked late is on the stack itself."""
    asked = _source(evidence).partition(".")[0]
    lazily = (_LAZILY.findall(link.text) for link in evidence.links)
    named = [name for names in lazily for name in names]
    stack = [package for package in packages_of(evidence.failure.frames) if package != "ts"]
    users = [package for package in (*named[::-1], *stack[::-1]) if package != asked]
    return _distributed(users[0]) if users else ""


def _parent(evidence: Evidence) -> str:
    return _distributed(_module(evidence).partition(".")[0])


def _source_package(evidence: Evidence) -> str:
    """Return the distribution of the module that lacks a name."""
    return _distributed(_source(evidence).partition(".")[0])


def _distributed(module: str) -> str:
    return _DISTRIBUTIONS.get(module, module)


def _extension(evidence: Evidence) -> str:
    return _distributed(_first(_EXTENSION)(evidence)) or _package(evidence)


def _classes(evidence: Evidence) -> str:
    names = [name for link in evidence.links for name in _CLASS.findall(link.text)]
    return ", ".join(dict.fromkeys(names))


def _key(evidence: Evidence) -> str:
    """Return the key of the first KeyError: what is raised over it says it in other words."""
    keys = (link.text for link in evidence.links if plain(link.cause.type) == "KeyError")
    return next(keys, evidence.links[0].text).strip("'\" ")


def _option(evidence: Evidence) -> str:
    return _OPTIONS.get(_key(evidence).lower(), "")


#: Key of a manifest -> option of torch-model-archiver 0.12.0 that writes it.
_OPTIONS = {
    "serializedfile": "--serialized-file",
    "modelfile": "--model-file",
    "handler": "--handler",
    "modelname": "--model-name",
    "extensions": "--extra-files",
    "configfile": "--config-file",
    "requirementsfile": "--requirements-file",
    "model_yaml_config": "--config-file",
}


def _first(pattern: re.Pattern[str]) -> Callable[[Evidence], str]:
    def find(evidence: Evidence) -> str:
        matches = (pattern.search(link.text) for link in evidence.links)
        return next((next(filter(None, match.groups())) for match in matches if match), "")

    return find


_source = _first(_SOURCE)
_library = _first(_LIBRARY)

#: Gaps that a whole sentence, or a part of one, fills.
_SENTENCES = ("connection", "connection_step", "library_step")
_NAMES: dict[str, Callable[[Evidence], str | None]] = {
    "module": _module,
    "distribution": _distribution,
    "installed_as": _installed_as,
    "parent": lambda evidence: _module(evidence).partition(".")[0],
    "handler": _handler,
    "path": _path,
    "address": _address,
    "classes": _classes,
    "key": _key,
    "option": _option,
    "variable": _first(_VARIABLE),
    "library": _library,
    "library_step": lambda evidence: what_brings_it(_library(evidence)),
    "command": _first(_COMMAND),
    "name": _first(_SEVERAL),
    "source": _source,
    "source_package": _source_package,
    "package": _package,
    "importer": _importer,
    "parent_package": _parent,
    "extension": _extension,
    "bucket": _first(_BUCKET),
    "limit": _first(_LIMIT),
    "needed": lambda evidence: _distributed(_first(_NEEDED)(evidence)),
    "signal": _first(_SIGNAL),
    "shapes": _first(_SHAPES),
    "connection": lambda evidence: how_it_failed(evidence, _address(evidence)),
    "connection_step": lambda evidence: where_to_look(evidence, _address(evidence)),
    "startup_timeout": lambda evidence: evidence.host.startup_timeout,
    "shadow": lambda evidence: evidence.shadow,
}
