"""The sidecar's metrics in Prometheus' text form. Never a message as a label."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from typing import Iterator, Tuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, Sample
from prometheus_client.registry import Collector

import ts_retry_ext
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.recovery import starts_saved
from ts_retry_ext.snapshot.effective import OUT_OF_REACH
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.journal_totals import trials_by_result
from ts_retry_ext.store.record import TrialResult
from ts_retry_ext.store.times import to_seconds

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MODEL = ["model", "version"]
#: Verdict of failures whose records gave way in the journal: only their number is known.
NOT_KEPT = "not-kept"
#: Characters of a label that comes from the model's code: a type's name, a place.
LONGEST_LABEL = 200
_Labels = Tuple[str, str]


class Metrics:
    """Makes the text of each picture once, and keeps counters from falling."""

    def __init__(self) -> None:
        self._made: tuple[int, bytes] = (-1, b"")
        self._highest: dict[str, dict[_Labels, int]] = {}

    def text(self, picture: Picture) -> bytes:
        """Return the metrics of a picture."""
        if self._made[0] != picture.number:
            registry = CollectorRegistry(auto_describe=False)
            families = self._families(picture)
            for family in families:
                family.samples = list(map(_in_unicode, family.samples))
            registry.register(_Once(families))
            self._made = (picture.number, generate_latest(registry))
        return self._made[1]

    def _families(self, picture: Picture) -> list[Metric]:
        return [
            *_windows(picture),
            *self._counts(picture),
            *_down(picture),
            _causes(picture),
            *_trials(picture),
            _states(picture),
            _hooks(picture),
            *_frontend(picture),
            _build(),
        ]

    def _counts(self, picture: Picture) -> Iterator[Metric]:
        starts = CounterMetricFamily(
            "ts_retry_worker_starts",
            "Worker processes that were started, holders included.",
            labels=_MODEL,
        )
        saved = GaugeMetricFamily(
            "ts_retry_worker_starts_saved",
            "How many more starts TorchServe alone would have made by now; trial loads count as starts of the package.",
            labels=_MODEL,
        )
        failures = CounterMetricFamily(
            "ts_retry_load_failures",
            "Failed loads, trial loads included.",
            labels=[*_MODEL, "verdict", "rule"],
        )
        for model in picture.models:
            if model.registration is None:
                continue
            labels = [model.model, model.version]
            starts.add_metric(labels, model.registration.history.worker_starts)
            saved.add_metric(labels, starts_saved(model, picture.at) or 0)
            for (verdict, rule), count in self._failures(model).items():
                failures.add_metric([*labels, verdict, rule], count)
        yield from (starts, saved, failures)

    def _failures(self, model: ModelStatus) -> dict[_Labels, int]:
        """Return the number of failures by verdict and rule; none ever falls."""
        registration = model.registration
        assert registration is not None
        now: dict[_Labels, int] = {}
        for record in registration.records:
            if record.is_failure:
                key = (record.verdict or "", record.rule or "")
                now[key] = now.get(key, 0) + 1
        kept = self._highest.setdefault(registration.directory, {})
        for key, count in now.items():
            kept[key] = max(count, kept.get(key, 0))
        dropped = registration.history.failures - sum(
            count for key, count in kept.items() if key[0] != NOT_KEPT
        )
        if dropped > 0:
            kept[NOT_KEPT, ""] = max(dropped, kept.get((NOT_KEPT, ""), 0))
        return kept


def _in_unicode(sample: Sample) -> Sample:
    """Return a sample whose labels can be written: JSON and YAML can hold half a character in a name."""
    labels = {
        label: value.encode("utf-8", "backslashreplace").decode()
        for label, value in sample.labels.items()
    }
    return sample._replace(labels=labels)


class _Once(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _windows(picture: Picture) -> Iterator[Metric]:
    window = GaugeMetricFamily(
        "ts_retry_max_retry_timeout_seconds",
        "The retry window in force (maxRetryTimeoutInSec), and where it comes from.",
        labels=[*_MODEL, "source"],
    )
    problems = GaugeMetricFamily(
        "ts_retry_config_problems",
        "Values in the model's retry configuration that TorchServe ignores without logging it.",
        labels=_MODEL,
    )
    for row in picture.effective:
        labels = [row.model or "", row.version or ""]
        if row.max_retry_timeout_sec is not None:
            window.add_metric([*labels, row.source or ""], row.max_retry_timeout_sec)
        problems.add_metric(labels, sum(code != OUT_OF_REACH for code, _ in row.problems))
    elapsed = GaugeMetricFamily(
        "ts_retry_window_elapsed_seconds",
        "How much of the retry window has passed, for the worker that failed first.",
        labels=_MODEL,
    )
    for (name, version), recoveries in picture.recoveries.items():
        elapsed.add_metric([name, version], round(recoveries[0].elapsed_sec, 3))
    yield from (window, problems, elapsed)


def _down(picture: Picture) -> Iterator[Metric]:
    families = {
        State.HALTED: GaugeMetricFamily(
            "ts_retry_model_halted",
            "1 if the model is halted: it is not loaded until something changes or somebody resumes it.",
            labels=[*_MODEL, "rule", "fingerprint"],
        ),
        State.WAITING: GaugeMetricFamily(
            "ts_retry_model_waiting",
            "1 if the model is waiting: it is not loaded now, and is tried again by itself.",
            labels=[*_MODEL, "rule", "fingerprint"],
        ),
    }
    missing = GaugeMetricFamily(
        "ts_retry_model_not_registered",
        "1 if the server was started with the model and could not register it.",
        labels=_MODEL,
    )
    since = GaugeMetricFamily(
        "ts_retry_model_down_since_timestamp_seconds",
        "When a model that is down or recovering first failed since it last served.",
        labels=_MODEL,
    )
    workers = GaugeMetricFamily(
        "ts_retry_workers_lost",
        "Workers that are held or given up while others of the model serve.",
        labels=_MODEL,
    )
    for model in picture.models:
        key = [model.model, model.version]
        for state, family in families.items():
            is_it = model.down_as is state
            report = model.report if is_it else None
            labels = [str(getattr(report, name, None) or "") for name in ("rule", "fingerprint")]
            family.add_metric([*key, *labels], int(is_it))
        missing.add_metric(key, int(model.not_registered is not None))
        workers.add_metric(key, len(model.lost_workers))
        if model.down_since is not None:
            since.add_metric(key, model.down_since)
    yield from (*families.values(), missing, since, workers)


def _causes(picture: Picture) -> Metric:
    """Return one series for each model that is down; a cause is joined over servers by its fingerprint."""
    family = GaugeMetricFamily(
        "ts_retry_failure_info",
        "1 for each model that is down: the exception's type, the rule, and the place in the model's own code (at).",
        labels=[*_MODEL, "fingerprint", "exception", "rule", "at"],
    )
    for model in picture.models:
        report = model.report if model.down_as is not None else None
        if report is None:
            continue
        place = model.failing_line
        at = (
            ""
            if place is None
            else in_one_line(place._replace(source=None).in_words(), LONGEST_LABEL)
        )
        kind = in_one_line(model.exception.type, LONGEST_LABEL) if model.exception else ""
        cause = [report.fingerprint or "", kind, report.rule or "", at]
        family.add_metric([model.model, model.version, *cause], 1)
    return family


def _trials(picture: Picture) -> Iterator[Metric]:
    planned = GaugeMetricFamily(
        "ts_retry_next_trial_timestamp_seconds",
        "When the next trial load of the model comes, if one is planned.",
        labels=_MODEL,
    )
    ended = CounterMetricFamily(
        "ts_retry_trials",
        "Trial loads that have ended: " + ", ".join(r.value for r in TrialResult) + ".",
        labels=[*_MODEL, "result"],
    )
    for model in picture.models:
        key = [model.model, model.version]
        if model.next_trial_at is not None:
            planned.add_metric(key, to_seconds(model.next_trial_at))
        counts = trials_by_result(model.records)
        # A counter has to be seen at 0 for its first step to be seen.
        for result in TrialResult if counts or model.can_be_resumed else ():
            ended.add_metric([*key, result.value], counts.get(result, 0))
    yield from (planned, ended)


def _states(picture: Picture) -> Metric:
    family = GaugeMetricFamily(
        "ts_retry_model_state",
        "1 for the state that the model is in: " + ", ".join(state.value for state in State) + ".",
        labels=[*_MODEL, "state"],
    )
    for model in picture.models:
        family.add_metric([model.model, model.version, model.state.value], 1)
    return family


def _hooks(picture: Picture) -> Metric:
    family = GaugeMetricFamily(
        "ts_retry_hook_active",
        "1 if the model's workers run ts-retry-ext, 0 if they could and have written nothing.",
        labels=_MODEL,
    )
    for model in (model for model in picture.models if model.out_of_reach is None):
        family.add_metric([model.model, model.version], int(model.registration is not None))
    return family


def _frontend(picture: Picture) -> Iterator[Metric]:
    condition = GaugeMetricFamily(
        "ts_retry_frontend_condition",
        "1 for how the frontend answers: " + ", ".join(c.value for c in Condition) + ".",
        labels=["condition"],
    )
    condition.add_metric([picture.health.condition.value], 1)
    reachable = GaugeMetricFamily(
        "ts_retry_frontend_reachable",
        "1 if the frontend's management API answers.",
        value=int(picture.is_complete),
    )
    yield from (condition, reachable)


@lru_cache(maxsize=1)
def _build() -> Metric:
    """Return the version that runs; it is read once, since an upgrade in place changes no process."""
    family = GaugeMetricFamily(
        "ts_retry_build_info", "1 for the version of ts-retry-ext that runs.", labels=["version"]
    )
    try:
        version = str(ts_retry_ext.__version__)
    except PackageNotFoundError:
        version = "unknown"  # A checkout that is not installed.
    family.add_metric([version], 1)
    return family
