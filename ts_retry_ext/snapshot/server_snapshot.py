"""A server and its models at one moment, and their form as JSON."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from ts_retry_ext.snapshot.model import ModelStatus


@dataclass(frozen=True)
class ServerStatus:
    """A server."""

    pid: int
    running: bool
    torchserve: str | None
    management: str


@dataclass(frozen=True)
class Snapshot:
    """A server and its models at one moment.

    Attributes:
        server: the server, or None where none was found.
        problems: what could not be learnt, one sentence each.
        unheard: why a running frontend did not tell of its models, which the problems name too; None
            where it did.
    """

    server: ServerStatus | None
    models: tuple[ModelStatus, ...]
    problems: tuple[str, ...] = ()
    unheard: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the contract, in its order."""
        return {
            "server": None if self.server is None else dict(vars(self.server)),
            "models": [model.to_json() for model in self.models],
        }

    def named(self, name: str, version: str | None = None) -> tuple[ModelStatus, ...]:
        """Return the versions of a model, or the one asked for."""
        return tuple(m for m in self.models if m.model == name and version in (None, m.version))

    def resume_command(self, model: ModelStatus) -> str:
        """Return the command that resumes a model of this snapshot, and no other version of it."""
        command = f"ts-retry resume {shlex.quote(model.model)}"
        several = sum(other.model == model.model for other in self.models) > 1
        return f"{command} --version {shlex.quote(model.version)}" if several else command
