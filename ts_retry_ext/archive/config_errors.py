"""Why a model's configuration says nothing: what the frontend does with a file that it cannot use."""

from __future__ import annotations


class ModelConfigError(Exception):
    """A configuration that says nothing."""


class UnreadableConfigError(ModelConfigError, ValueError):
    """The frontend logs an error and goes on as if the model had no configuration."""


class RefusedConfigError(ModelConfigError, ValueError):
    """The frontend fails on it with an exception that its start-up code does not expect.

    A registration through the API is answered with 500. A server that is to load the archive at its
    start ends, whatever other models it has (0.12.0 ModelServer.initModelStore).
    """


class MissingYamlError(ModelConfigError, ImportError):
    """PyYAML is not installed, so that no configuration can be read."""
