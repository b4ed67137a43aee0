"""What an analysis found, as plain data: for JSON, the table, and the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ts_retry_ext.analyze.analysis import Analysis
from ts_retry_ext.analyze.model_tally import CauseTally, ModelTally, Standing
from ts_retry_ext.analyze.server_tally import Ended, ServerTally
from ts_retry_ext.judge import redact
from ts_retry_ext.logs.merging import MOST_ORIGINS
from ts_retry_ext.store.times import to_text

SCHEMA = 1
#: So often nobody sets a clock: the lines are in disorder.
MANY = 10
_HELD_WHY = 400


@dataclass(frozen=True)
class LogReport:
    """What was found.

    Attributes:
        content: the JSON form; see docs/analyze.md.
    """

    content: dict[str, Any]

    @property
    def models(self) -> Sequence[dict[str, Any]]:
        """Return the models, those that failed for good first."""
        models: list[dict[str, Any]] = self.content["models"]
        return models

    @property
    def has_failed(self) -> bool:
        """Tell whether something is down at the end of the log: a model, a registration, the server."""
        down = (Standing.FAILED.value, Standing.RETRYING.value)
        return any(model["state"] in down for model in self.models) or any(
            server["not_registered"] or _is_broken(server["ended"])
            for server in self.content["servers"]
        )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing of a worker or a server was found."""
        return not self.models and not self.content["servers"]


def report_of(
    analysis: Analysis,
    files: Sequence[str],
    bytes_read: int,
    problems: Sequence[str],
    *,
    zone_known: bool,
) -> LogReport:
    """Return the report of an analysis that has finished."""
    servers = [
        server
        for server in analysis.servers.values()
        if server.models or server.ended or server.not_registered
    ]
    tallies = [(server, model) for server in servers for model in server.models.values()]
    width = max((model.timeline.width_ms for _, model in tallies), default=1000)
    begin = analysis.first_at or 0
    for _, model in tallies:
        model.timeline.widen(width)
    models = [_model(server, model) for server, model in tallies]
    models.sort(key=lambda m: (_ORDER.index(m["state"]), -m["failures"], m["model"]))
    return LogReport(
        {
            "schema": SCHEMA,
            "files": list(files),
            "bytes": bytes_read,
            "problems": [*problems, *_gaps(analysis, servers)],
            "from": _time(analysis.first_at),
            "to": _time(analysis.last_at),
            "time_zone_known": zone_known,
            "servers": [_server(server) for server in servers],
            "totals": _totals(models),
            "models": models,
            "timeline": {"from": _time(begin), "bin_sec": width / 1000},
        }
    )


_ORDER = [state.value for state in Standing]


def _gaps(analysis: Analysis, servers: Sequence[ServerTally]) -> list[str]:
    gaps = [
        f"{server.server.name}: it holds only what workers wrote, so successful loads, crashes and "
        "the window are unknown; give ts_log.log, too"
        for server in servers
        if server.models and not server.server.from_frontend
    ]
    gaps += [_set_back(server) for server in servers if server.set_back]
    gaps += [
        f"{server.server.name}: its lines name more than {MOST_ORIGINS:,} pods, streams or hosts; those of the "
        "further ones count as one server's, so this report may be wrong"
        for server in analysis.servers.values()
        if server.server.is_mixed
    ]
    if analysis.left_out:
        gaps.append(
            f"{analysis.left_out} lines were skipped: there are more workers than can be followed"
        )
    return gaps


def _set_back(server: ServerTally) -> str:
    if server.set_back >= MANY:
        return (
            f"{server.server.name}: its lines are not in the order of time, so this report may be "
            "wrong; sort it by time (an export may begin with the newest line)"
        )
    times = "once" if server.set_back == 1 else f"{server.set_back} times"
    return (
        f"{server.server.name}: its clock was set back {times} (or summer time ended); what took "
        "place in that moment counts as if no time had passed"
    )


def _server(server: ServerTally) -> dict[str, Any]:
    return {
        "name": server.server.name,
        "torchserve": server.torchserve,
        "starts": server.starts,
        "frontend_lines": server.server.from_frontend,
        "ended": None if server.ended is None else _ended(server.ended),
        "not_registered": [
            {"name": redact(name), "told": redact(ended.told), **_ended(ended)}
            for name, ended in server.not_registered.items()
        ],
    }


def _ended(ended: Ended) -> dict[str, Any]:
    return {"at": _time(ended.at), "served": ended.served, "why": redact(ended.why) or None}


def _is_broken(ended: Mapping[str, Any] | None) -> bool:
    """Tell whether a server ended that nobody stopped: it never opened its APIs, or an exception says why."""
    return ended is not None and (ended["why"] is not None or not ended["served"])


def _model(server: ServerTally, model: ModelTally) -> dict[str, Any]:
    saved = model.saved
    bounds = model.bounds
    causes = sorted(model.causes.values(), key=lambda cause: -cause.count)
    return {
        "server": server.server.name,
        "model": model.model,
        "version": model.version,
        "state": model.state.value,
        "workers": len(model.workers),
        "worker_starts": sum(worker.starts for worker in model.workers.values()),
        "loads": sum(worker.loads for worker in model.workers.values()),
        "loaded": model.loaded,
        "failures": model.failures,
        "deaths_while_serving": model.deaths,
        "ended_by_response_timeout": model.timed_out,
        "holds": model.holds,
        "held_at": _time(model.held_at),
        "held_why": redact(model.held_why.strip(" ,:")[:_HELD_WHY]) or None,
        "has_package": model.has_package,
        "wasted_start_sec": model.wasted_ms / 1000,
        "first_failure": _time(model.first_failure_at),
        "last_failure": _time(model.last_failure_at),
        "last_loaded": _time(model.last_loaded_at),
        "gave_up": any(worker.gave_up for worker in model.workers.values()),
        "max_retry_timeout_sec": {**bounds.to_json(), "told": bounds.describe()},
        "saved": {
            "loads": saved.loads,
            "start_sec": saved.start_ms / 1000,
            "stopped_at": _time(saved.stopped_at),
            "loaded_after_stop": saved.wrongly,
        },
        "causes": [_cause(cause) for cause in causes],
        "other_failures": model.other_failures,
        "timeline": model.timeline.counts,
    }


def _cause(tally: CauseTally) -> dict[str, Any]:
    failure = tally.cause.failure
    return {
        "count": tally.count,
        "first": _time(tally.first_at),
        "last": _time(tally.last_at),
        **tally.verdict.to_record(),
        "phase": failure.phase.value,
        "exception": {"type": failure.type, "message": failure.message},
        "traceback": failure.traceback,
    }


def _totals(models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    states = [model["state"] for model in models]
    return {
        **{f"models_{state}": states.count(state) for state in _ORDER},
        "worker_starts": sum(model["worker_starts"] for model in models),
        "loads": sum(model["loads"] for model in models),
        "failures": sum(model["failures"] for model in models),
        "wasted_start_sec": sum(model["wasted_start_sec"] for model in models),
        "saved_loads": sum(model["saved"]["loads"] for model in models),
        "saved_start_sec": sum(model["saved"]["start_sec"] for model in models),
    }


def _time(at: int | None) -> str | None:
    # Half a millisecond more, since a quotient may lie just below the millisecond that it stands for.
    return None if at is None else to_text((at + 0.5) / 1000)
