"""Read ``MAR-INF/MANIFEST.json`` as the frontend does.

TorchServe 0.12.0 reads it with Gson into ``archive.model.Manifest``: numbers and booleans become
text, what is missing keeps a default, and what is left out of the ordinary ends the registration -
or, where the exception is none that the start-up code expects, the whole server.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import Mapping, NamedTuple, Sequence

#: Workers are a C++ program of TorchServe's (0.12.0 WorkerLifeCycle.startWorkerCPP).
CPP_RUNTIME = "LSP"
RUNTIMES = ("python", "python3", CPP_RUNTIME)
_RUNTIMES = {**{name.upper(): name for name in RUNTIMES}, **{name: name for name in RUNTIMES}}
#: Fields that are texts in the frontend's classes.
_TEXTS = ("createdOn", "description", "archiverVersion")
_MODEL_TEXTS = ("modelName", "version", "description", "modelVersion", "handler", "envelope",
                "requirementsFile", "configFile")  # fmt: skip
#: Version of a model whose manifest names none (0.12.0 ModelManager.createModelArchive).
DEFAULT_VERSION = "1.0"


class ManifestError(ValueError):
    """A manifest that the frontend does not take.

    Attributes:
        stops_server: whether a server that is to load the archive at its start ends because of it
            (0.12.0 ModelServer.initModelStore expects ModelException and IOException only).
    """

    def __init__(self, why: str, *, stops_server: bool = False) -> None:
        super().__init__(why)
        self.stops_server = stops_server


class Manifest(NamedTuple):
    """What a manifest says.

    Attributes:
        model: the model's name, or None; a registration can give it another one.
        config_file: path of the model's configuration inside the archive, or None.
        runtime: what its workers run on, one of `RUNTIMES`; a registration can give it another one.
        requirements_file: path of its requirements inside the archive, or None.
        serialized_file: path of its weights inside the archive, or None.
    """

    model: str | None = None
    version: str = DEFAULT_VERSION
    handler: str | None = None
    config_file: str | None = None
    runtime: str = RUNTIMES[0]
    requirements_file: str | None = None
    serialized_file: str | None = None


def parse_manifest(data: bytes) -> Manifest:
    """Return what the manifest `data` says.

    Raises:
        ManifestError: the frontend does not take it.
    """
    # By hand: the codec utf-8-sig is a module that a worker would import for this alone.
    text = data[len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0 :].decode("utf-8", "replace")
    if not text.strip(" \t\r\n"):
        msg = "MANIFEST.json is empty"
        raise ManifestError(msg, stops_server=True)
    content = _json(text)
    if content is None:
        msg = "MANIFEST.json is null"
        raise ManifestError(msg, stops_server=True)
    if not isinstance(content, dict):
        msg = f"MANIFEST.json holds no object but {type(content).__name__}"
        raise ManifestError(msg)
    _check_texts(content, _TEXTS, "")
    given = content.get("runtime", RUNTIMES[0])
    runtime = _RUNTIMES.get(given) if isinstance(given, str) else None
    if runtime is None:
        known = ", ".join(RUNTIMES)
        msg = f"its runtime is {given!r}, known are {known}"
        raise ManifestError(msg)
    section = content.get("model", {})
    if section is None:
        msg = "MANIFEST.json has the value null for model"
        raise ManifestError(msg, stops_server=True)
    if not isinstance(section, dict):
        msg = f"MANIFEST.json holds no object for model but {section!r:.80}"
        raise ManifestError(msg)
    _check_texts(section, _MODEL_TEXTS, "model.")
    return Manifest(
        model=_text(section, "modelName"),
        version=_text(section, "modelVersion") or DEFAULT_VERSION,
        handler=_text(section, "handler"),
        config_file=_text(section, "configFile"),
        runtime=runtime,
        requirements_file=_text(section, "requirementsFile"),
        serialized_file=_text(section, "serializedFile"),
    )


def why_worker_refuses(data: bytes) -> str | None:
    """Return why a worker cannot read a manifest that the frontend takes, or None if it can.

    TorchServe's loader reads it with Python's ``json`` (0.12.0 ts/model_loader.py).
    """
    text = data.decode("utf-8", errors="replace")
    if text.startswith("\ufeff"):
        return "it starts with a byte order mark"
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def why_out_of_reach(runtime: str) -> str | None:
    """Return why nothing of ours runs in workers of `runtime`, in a sentence; None where it can."""
    if runtime != CPP_RUNTIME:
        return None
    return (
        f"its workers are C++ programs (runtime {CPP_RUNTIME}), out of reach of ts-retry-ext: "
        "TorchServe alone decides on their retries"
    )


def _json(text: str) -> object:
    try:
        # Gson keeps a number's own text where a text is expected: 1.10 is the version "1.10".
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, strict=False)
    except RecursionError as error:
        msg = "MANIFEST.json is not valid JSON: it is nested too deeply"
        raise ManifestError(msg) from error
    except ValueError as error:
        from ts_retry_ext.archive.gson import GsonError, loads

        try:
            return loads(text)
        except (GsonError, RecursionError):
            msg = f"MANIFEST.json is not valid JSON: {error}"
            raise ManifestError(msg) from error


def _check_texts(section: Mapping[str, object], keys: Sequence[str], where: str) -> None:
    """Raise ManifestError for a list or a mapping where the frontend's classes have a text."""
    for key in keys:
        if isinstance(section.get(key), (dict, list)):
            shown = f"{section[key]!r:.80}"
            msg = f"MANIFEST.json holds no text for {where}{key} but {shown}"
            raise ManifestError(msg)


def _text(section: Mapping[str, object], key: str) -> str | None:
    value = section.get(key)
    if isinstance(value, bool):
        return "true" if value else "false"
    # Half of a surrogate pair is a question mark wherever Java writes it.
    return None if value is None else str(value).encode("utf-8", "replace").decode("utf-8")
