"""A server and its models at one moment, their form as JSON, and the causes that models are down for."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Any, Iterable, NamedTuple

from ts_retry_ext.plain_text import counted, some_of
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State


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


class SharedCause(NamedTuple):
    """What several models, or one, are down for: one thing to read and to repair.

    Attributes:
        models: the models, in the order in which they were given.
    """

    models: tuple[ModelStatus, ...]

    @property
    def names(self) -> str:
        """Return the models in words, a few by name: ``a, b 1.0, b 2.0 and 14 more``."""
        versions = Counter(model.model for model in self.models)
        return some_of(
            [m.model if versions[m.model] == 1 else f"{m.model} {m.version}" for m in self.models]
        )

    @property
    def fingerprint(self) -> str | None:
        """Return the fingerprint of the failures, or None where there is none."""
        return self.models[0].fingerprint

    @property
    def resume_command(self) -> str:
        """Return the command that resumes all of them."""
        return f"ts-retry resume --cause {self.fingerprint}"


def causes_of(models: Iterable[ModelStatus]) -> list[SharedCause]:
    """Return the causes that models are down for, the one of most models first.

    Failures are the same where their fingerprints are; without one, a model's cause is its own.
    """
    groups: dict[object, list[ModelStatus]] = {}
    for model in models:
        if model.is_down:
            groups.setdefault(model.fingerprint or model.key, []).append(model)
    return sorted(
        (SharedCause(tuple(group)) for group in groups.values()), key=lambda c: -len(c.models)
    )


def how_many_are_down(models: Iterable[ModelStatus]) -> str | None:
    """Return in a line how many models do not serve, and for how many causes; None where all do."""
    models = list(models)
    causes = causes_of(models)
    down = sum(len(cause.models) for cause in causes)
    if not down:
        return None
    verb = "does" if down == 1 else "do"
    recovering = sum(model.state is State.RECOVERING for model in models)
    more = f"; {recovering} more {'is' if recovering == 1 else 'are'} retried" if recovering else ""
    return f"{down} of {len(models)} models {verb} not serve: {counted(len(causes), 'cause')}{more}"
