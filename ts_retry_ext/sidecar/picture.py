"""What the sidecar knows at one moment, and the answers that follow from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Iterable, Mapping

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.sidecar.recovery import Recovery, recovery_of
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.snapshot.server_snapshot import Snapshot


@dataclass(frozen=True)
class FrontendHealth:
    """How the frontend answered last.

    Attributes:
        condition: in a word.
        words: in a sentence; None where all is well.
        ping: ``status`` of its own ``/ping``, or None where that cannot be had.
    """

    condition: Condition
    words: str | None = None
    ping: str | None = None


#: Under which key probes list what is down of versions that are not the default one.
OTHER_VERSIONS = "other_versions"
#: As TorchServe's ``/ping`` has them.
HEALTHY, UNHEALTHY = "Healthy", "Unhealthy"


@dataclass(frozen=True)
class Picture:
    """A server and its models at one moment.

    Attributes:
        number: grows with each picture.
        at: when it was made, seconds since the epoch.
        why_unknown: why a model's state cannot be told, by model.
        starting: models that the server was started with and that have not served yet.
    """

    number: int
    at: float
    snapshot: Snapshot
    effective: tuple[Effective, ...]
    health: FrontendHealth
    why_unknown: Mapping[ModelKey, str] = field(default_factory=dict)
    starting: tuple[ModelStatus, ...] = ()

    @property
    def models(self) -> tuple[ModelStatus, ...]:
        return self.snapshot.models

    @cached_property
    def down(self) -> tuple[ModelStatus, ...]:
        """Return the models that are halted, waiting or retired."""
        return tuple(model for model in self.models if model.is_down)

    @cached_property
    def down_by_default(self) -> tuple[ModelStatus, ...]:
        """Return those of them that requests without a version mean: these count for probes."""
        return tuple(model for model in self.down if _is_default(model))

    @cached_property
    def effective_of(self) -> Mapping[ModelKey, Effective]:
        """Return the windows in force by model."""
        return {(row.model or "", row.version or ""): row for row in self.effective}

    @cached_property
    def impaired(self) -> tuple[ModelStatus, ...]:
        """Return the models that serve with fewer workers than asked for until a hand is given."""
        return tuple(model for model in self.models if model.shortfall is not None)

    @property
    def is_complete(self) -> bool:
        """Tell whether a server was found and what it says is known."""
        return self.health.condition in (Condition.OK, Condition.SLOW)

    @cached_property
    def recoveries(self) -> Mapping[ModelKey, tuple[Recovery, ...]]:
        """Return how far the frontend is with the workers it retries, by model."""
        found = ((model.key, recovery_of(model, self.at)) for model in self.models)
        return {key: recovery for key, recovery in found if recovery}

    def named(self, name: str, version: str | None = None) -> tuple[ModelStatus, ...]:
        """Return the versions of a model, or the one asked for."""
        return self.snapshot.named(name, version)

    def models_json(self) -> dict[str, Any]:
        """Return the keys of ``status --json``, and what could not be learnt."""
        unknown = (f"{name} {version}: {why}" for (name, version), why in self.why_unknown.items())
        problems = [*self.snapshot.problems, *unknown]
        return dict(self.snapshot.to_json(), problems=problems)

    def config_json(self) -> list[dict[str, Any]]:
        """Return the rows of ``config --json``, with how far the window has run where it runs."""
        rows = []
        for row in self.effective:
            content = row.to_json()
            recoveries = self.recoveries.get((row.model or "", row.version or ""), ())
            content["recovery"] = [recovery.to_json() for recovery in recoveries]
            rows.append(content)
        return rows

    @cached_property
    def models_body(self) -> bytes:
        """Return `models_json` as it is sent; made once for all who ask."""
        return _body(self.models_json())

    @cached_property
    def config_body(self) -> bytes:
        """Return `config_json` as it is sent; made once for all who ask."""
        return _body(self.config_json())

    def ping(self) -> tuple[bool, dict[str, Any]]:
        """Tell whether all is well, in the form of TorchServe's ``/ping``."""
        content: dict[str, Any] = {"status": HEALTHY, **down_json(self.down)}
        if self.impaired:
            content["impaired"] = [cause_json(model) for model in self.impaired]
        if not self.is_complete:
            content["problem"] = self.health.words or self.health.condition.value
        # The frontend need not let us ask for its models to be alive, only to be listened to.
        is_away = self.health.condition in (Condition.AWAY, Condition.STARTING, Condition.GARBAGE)
        well = not self.down_by_default and not is_away and self.health.ping in (None, HEALTHY)
        if not well:
            content["status"] = UNHEALTHY
        return well, content


def down_json(models: Iterable[ModelStatus]) -> dict[str, Any]:
    """Return the models that are down by their state, and versions that nobody asks for by default apart."""
    content: dict[str, Any] = {}
    for model in models:
        key = model.state.value if _is_default(model) else OTHER_VERSIONS
        content.setdefault(key, []).append(cause_json(model))
    return content


def _is_default(model: ModelStatus) -> bool:
    if model.not_registered is not None:
        return model.not_registered.is_default
    return model.running is None or model.running.is_default


def cause_json(model: ModelStatus) -> dict[str, Any]:
    """Return why a model is down, in short, and when it is tried next."""
    content = model.to_json()
    names = (
        *("model", "version", "state", "rule", "fingerprint", "reason", "remedy"),
        *("at", "since", "waits_for", "next_trial_at"),
    )
    told = {name: content[name] for name in names}
    told["cause"] = model.short_cause or (
        "the frontend's retry window is over" if model.gave_up else None
    )
    return told


def _body(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
