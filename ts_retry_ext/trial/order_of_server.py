"""What a server would tell a worker to load, where no LOAD message of it is at hand."""

from __future__ import annotations

import os
from typing import Any, Mapping

from ts_retry_ext.archive.limits import limits_in_force
from ts_retry_ext.archive.manifest import DEFAULT_VERSION
from ts_retry_ext.archive.model_archive import read_archive
from ts_retry_ext.frontend.server_configuration import Server
from ts_retry_ext.trial.launch import Launch, gpus_of_server, launch_of
from ts_retry_ext.worker.protocol import LoadRequest


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
