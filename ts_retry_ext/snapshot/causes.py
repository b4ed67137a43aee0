"""Group the models that are down by their cause, so that one cause is one thing to read and to repair."""

from __future__ import annotations

from collections import Counter
from typing import Iterable, NamedTuple

from ts_retry_ext.plain_text import counted, some_of
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State


class SharedCause(NamedTuple):
    """What several models, or one, are down for.

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
