"""What the frontend would launch a model's worker with, and tell it to load.

From manifest, model configuration and ``config.properties``, by the rules of TorchServe 0.12.0
(ModelManager.createModelArchive and createModel, Model's constructor, WorkerLifeCycle).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Mapping

from ts_retry_ext.archive.manifest import Manifest
from ts_retry_ext.archive.model_archive import MANIFEST, Archive
from ts_retry_ext.archive.model_config import (
    RefusedConfigError,
    UnreadableConfigError,
    read_model_config,
)

DEFAULT_TIMEOUT_SEC = 120
"""ModelConfig.defaultStartupTimeout, defaultResponseTimeout and default_startup_timeout."""
_NO_HANDLER = (
    "the manifest names no handler and config.properties no default_service_handler: TorchServe "
    "takes the name of the model's folder for one"
)
_PARALLEL = ("pp", "tp", "pptp", "custom")
CUSTOM = "custom"
"""The parallelType whose worker is not launched with torchrun."""


@dataclass(frozen=True)
class Launch:
    """What the frontend makes of one model.

    Attributes:
        model: the name it would register it under.
        version: its version.
        handler: what LOAD names as handler, or None.
        envelope: ``service_envelope`` of the server, or None; the manifest's own never counts.
        runtime: ``python`` (the interpreter of the server), ``python3`` (that of PATH) or ``LSP``.
        batch_size: the batch size.
        startup_timeout_sec: how long a LOAD may take.
        response_timeout_sec: how long a request may take.
        asynchronous: ``asyncCommunication``.
        use_venv: ``useVenv``.
        ranks: ``parallelLevel``; 0 for a worker that is one process.
        parallel_type: ``parallelType`` in lower case, empty where it is none.
        threads: ``OMP_NUM_THREADS`` under torchrun.
        gpu: the device of the model's first worker, or None.
        devices: ``CUDA_VISIBLE_DEVICES`` of a worker with ranks, or None.
        requirements_file: what the manifest names as ``requirementsFile``, or None.
        problems: code and message of each value that the frontend ignores.
    """

    model: str
    version: str
    handler: str | None
    envelope: str | None
    runtime: str
    batch_size: int
    startup_timeout_sec: int
    response_timeout_sec: int
    asynchronous: bool
    use_venv: bool
    ranks: int
    parallel_type: str
    threads: int
    gpu: int | None
    devices: str | None
    requirements_file: str | None
    problems: tuple[tuple[str, str], ...]

    @property
    def has_torchrun(self) -> bool:
        """Tell whether the worker is launched with torchrun."""
        return self.ranks > 0 and self.parallel_type != CUSTOM

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that ranks get besides (0.12.0 WorkerLifeCycle.attachRunner)."""
        found = {} if self.devices is None else {"CUDA_VISIBLE_DEVICES": self.devices}
        if self.has_torchrun:
            found.update(LOGLEVEL="INFO", OMP_NUM_THREADS=str(self.threads))
        return found


def launch_of(archive: Archive, model_dir: str, properties: Mapping[str, str], gpus: int) -> Launch:
    """Return what the frontend would do with the model in `model_dir`.

    Args:
        archive: its manifest and configuration.
        model_dir: its unpacked files.
        properties: the server's ``config.properties``.
        gpus: GPUs that the server would use.

    Raises:
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    config = _configuration(archive)
    manifest = archive.manifest
    own = config is not None
    config = config or {}
    level = _integer(config, "parallelLevel", 0)
    torchrun = config.get("torchrun")
    torchrun = torchrun if isinstance(torchrun, dict) else {}
    level = _integer(torchrun, "nproc-per-node", 1) if torchrun else level
    kind = str(config.get("parallelType", "")).lower()
    ranks = level if level > 0 and kind in _PARALLEL else 0
    default = _property(properties, "default_startup_timeout")
    response = _property(properties, "default_response_timeout")
    handler = (manifest.handler if manifest else None) or properties.get("default_service_handler")
    problems = _ignored(config, archive.config_file or "")
    ids = _devices(config, gpus)
    return Launch(
        model=archive.model,
        version=archive.version,
        handler=handler,
        envelope=properties.get("service_envelope"),
        runtime=(manifest or Manifest()).runtime,
        batch_size=_positive(config, "batchSize", 1),
        startup_timeout_sec=_positive(config, "startupTimeout", DEFAULT_TIMEOUT_SEC if own else default),
        response_timeout_sec=_positive(config, "responseTimeout", DEFAULT_TIMEOUT_SEC if own else response),
        asynchronous=config.get("asyncCommunication") is True,
        use_venv=config.get("useVenv") is True,
        ranks=ranks,
        parallel_type=kind if ranks else "",
        threads=_positive(torchrun, "OMP_NUMBER_THREADS", 1),
        gpu=None if not ids else 0 if ranks else ids[0],
        devices=",".join(map(str, ids[:ranks])) if ids and ranks else None,
        requirements_file=_requirements_file(model_dir),
        problems=tuple(problems if handler else [*problems, ("no-handler", _NO_HANDLER)]),
    )  # fmt: skip


def gpus_of_server(properties: Mapping[str, str], environ: Mapping[str, str]) -> int:
    """Return how many GPUs a server here would use: those that ``nvidia-smi`` lists.

    ``CUDA_VISIBLE_DEVICES`` names some of them (0.12.0 SystemInfo; an empty one names none in
    particular), and ``number_of_gpu`` of the server limits their number (ConfigManager).
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        listed = subprocess.run([tool, "-L"], capture_output=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = sum(line.startswith(b"GPU ") for line in listed.splitlines())
    visible = {part.strip() for part in environ.get("CUDA_VISIBLE_DEVICES", "").split(",")}
    if visible - {""}:
        found = sum(str(number) in visible for number in range(found))
    limit = properties.get("number_of_gpu", "")
    return min(found, int(limit)) if limit.isdigit() else found


def _requirements_file(model_dir: str) -> str | None:
    """Return what the manifest, which `read_archive` has found to be sound, names as such."""
    path = os.path.join(model_dir, MANIFEST)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        named = json.load(stream).get("model", {}).get("requirementsFile")
    return None if named is None else str(named)


def _configuration(archive: Archive) -> dict[str, Any] | None:
    """Return what the frontend reads of the configuration, None where that is nothing."""
    if archive.config is None:
        return None
    try:
        return read_model_config(archive.config)
    except (UnreadableConfigError, RefusedConfigError):
        return None


def _integer(config: Mapping[str, Any], key: str, default: int) -> int:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _positive(config: Mapping[str, Any], key: str, default: int) -> int:
    value = _integer(config, key, default)
    return value if value > 0 else default


def _property(properties: Mapping[str, str], key: str) -> int:
    text = properties.get(key, "").strip()
    return int(text) if text.isdigit() and int(text) > 0 else DEFAULT_TIMEOUT_SEC


def _devices(config: Mapping[str, Any], gpus: int) -> list[int]:
    """Return the devices that the frontend shares out among a model's workers, in order."""
    if str(config.get("deviceType", "gpu")).lower() == "cpu":
        return []
    ids = config.get("deviceIds")
    if isinstance(ids, list) and ids and all(_is_device(i, gpus) for i in ids):
        return ids
    return list(range(gpus))


def _is_device(value: object, gpus: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < gpus


def _ignored(config: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """Name numbers of the configuration that are none for the frontend (ModelConfig.build)."""
    found = []
    for key in ("startupTimeout", "responseTimeout", "batchSize", "minWorkers", "maxWorkers"):
        value = config.get(key)
        if key in config and (isinstance(value, bool) or not isinstance(value, int)):
            message = f"{name}: {key} is {value!r:.80}, only a YAML integer counts: it is ignored"
            found.append(("not-an-integer", message))
    return found
