"""The page of metrics, from the families of ``ts_retry_ext/sidecar/metrics.py``."""

from __future__ import annotations

from prometheus_client.core import Metric

from reference.table import table
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.server_snapshot import Snapshot

_HEAD = """# Metrics

The sidecar answers `GET /metrics` in Prometheus' text form. A label is never a message: it is a model, a version, a rule, a fingerprint, a
type or a place. Labels are cut at 200 characters.

"""


def metrics_page() -> str:
    """Return the page."""
    health = FrontendHealth(Condition.STARTING)
    picture = Picture(1, 0.0, Snapshot(None, (), ()), (), health)
    rows = [_row(family) for family in Metrics()._families(picture)]
    return _HEAD + table(("metric", "type", ""), rows)


def _row(family: Metric) -> tuple[str, str, str]:
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = ",".join(getattr(family, "_labelnames", ()))
    return (f"`{name}{{{labels}}}`" if labels else f"`{name}`", family.type, family.documentation)
