"""What the frontend would launch a model's worker with, and tell it to load.

From manifest, model configuration and ``config.properties``, by the rules of TorchServe 0.12.0
(ModelManager.createModelArchive and createModel, Model's constructor, WorkerLifeCycle).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Mapping

from ts_retry_ext.archive.config_problems import ignored_values
from ts_retry_ext.archive.limits import CUSTOM, LimitsInForce, limits_in_force, positive
from ts_retry_ext.archive.manifest import DEFAULT_VERSION, RUNTIMES, Manifest
from ts_retry_ext.archive.model_archive import Archive, read_archive
from ts_retry_ext.archive.model_config import usable_model_config
from ts_retry_ext.frontend.server_configuration import Server
from ts_retry_ext.worker.protocol import LoadRequest

_NO_HANDLER = (
    "the manifest names no handler and config.properties no default_service_handler: TorchServe "
    "takes the name of the model's folder for one"
)


@dataclass(frozen=True)
class Launch:
    """What the frontend makes of one model.

    Attributes:
        handler: what LOAD names as handler, or None.
        envelope: ``service_envelope`` of the server, or None; the manifest's own never counts.
        runtime: ``python`` (the interpreter of the server), ``python3`` (that of PATH) or ``LSP``.
        threads: ``OMP_NUM_THREADS`` under torchrun.
        gpu: the device of the model's first worker, or None.
        devices: ``CUDA_VISIBLE_DEVICES`` of a worker with ranks, or None.
        requirements_file: what the manifest names as ``requirementsFile``, or None.
        problems: code and message of each value that the frontend ignores.
    """

    model: str
    version: str
    limits: LimitsInForce
    handler: str | None = None
    envelope: str | None = None
    runtime: str = RUNTIMES[0]
    threads: int = 1
    gpu: int | None = None
    devices: str | None = None
    requirements_file: str | None = None
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def has_torchrun(self) -> bool:
        """Tell whether the worker is launched with torchrun."""
        return self.limits.ranks > 0 and self.limits.parallel_type != CUSTOM

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that ranks get besides (0.12.0 WorkerLifeCycle.attachRunner)."""
        found = {} if self.devices is None else {"CUDA_VISIBLE_DEVICES": self.devices}
        if self.has_torchrun:
            found.update(LOGLEVEL="INFO", OMP_NUM_THREADS=str(self.threads))
        return found


def launch_of(
    archive: Archive, properties: Mapping[str, str], gpus: int, torchserve: str | None = None
) -> Launch:
    """Return what the frontend would do with a model.

    `gpus` are those that the server would use; without `torchserve` it is the newest version.

    Raises:
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    read = usable_model_config(archive.config)
    limits = limits_in_force(read, properties, torchserve)
    config = read or {}
    torchrun = config.get("torchrun")
    manifest = archive.manifest or Manifest()
    handler = manifest.handler or properties.get("default_service_handler")
    problems = [(p.code, p.message) for p in ignored_values(config, archive.config_file or "")]
    ids = _devices(config, gpus)
    ranks = limits.ranks
    return Launch(
        model=archive.model,
        version=archive.version,
        limits=limits,
        handler=handler,
        envelope=properties.get("service_envelope"),
        runtime=manifest.runtime,
        threads=positive(torchrun if isinstance(torchrun, dict) else {}, "OMP_NUMBER_THREADS", 1),
        gpu=None if not ids else 0 if ranks else ids[0],
        devices=",".join(map(str, ids[:ranks])) if ids and ranks else None,
        requirements_file=manifest.requirements_file,
        problems=tuple(problems if handler else [*problems, ("no-handler", _NO_HANDLER)]),
    )


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


def load_request(launch: Launch, model_dir: str, properties: Mapping[str, str]) -> LoadRequest:
    """Return the LOAD message that the frontend makes of `launch` (0.12.0 RequestInput).

    Without a handler it sends the model's path in its place.
    """
    limited = properties.get("limit_max_image_pixels", "true")
    return LoadRequest(
        launch.model,
        model_dir,
        model_dir if launch.handler is None else launch.handler,
        launch.gpu,
        launch.limits.batch_size,
        launch.envelope or "",
        limited.strip().lower() == "true",
    )


def load_request_of(
    sent: Mapping[str, Any] | None, model: str, model_dir: str, server: Server
) -> LoadRequest:
    """Return the LOAD message for a model that `server` has registered as `model`.

    `sent` holds the fields of the message that the frontend sent; None if nobody has it.

    Raises:
        ArchiveError: its files are none that a server would register.
        TypeError: `sent` holds other fields.
    """
    if sent is not None:
        return LoadRequest(**sent)
    properties = server.configuration.properties
    gpus = gpus_of_server(properties, {**os.environ, **server.frontend.environ})
    launch = launch_of(read_archive(model_dir), properties, gpus)
    return load_request(launch, model_dir, properties)._replace(model_name=model)


def trial_launch(model: str, version: str | None, *, asynchronous: bool) -> Launch:
    """Return how a single worker process is launched for a trial load: no launcher, one rank."""
    limits = limits_in_force(None, {})._replace(asynchronous=asynchronous)
    return Launch(model, version or DEFAULT_VERSION, limits)
