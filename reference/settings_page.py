"""The page of settings, from the table in ``ts_retry_ext/settings.py``."""

from __future__ import annotations

from reference.table import table
from ts_retry_ext.settings import SETTINGS, OnFatal, Setting

_HEAD = """# Settings

Each setting has a key in `config.properties`, an environment variable, and, if it can differ from model to model, a key under `retry:` in
the model's `model-config.yaml`. The model's key comes first, then the environment variable, then `config.properties`, then the default.

If a value is not allowed, the model's log names the key, the value and what is allowed, and the default is used. A bad value never stops a
worker. `ts-retry doctor` prints each setting in force with its source.

"""
_ON_FATAL = {
    OnFatal.HOLD: (
        "the worker holds",
        "waits, as with TorchServe alone",
        "Unhealthy once the window is over, as with TorchServe alone",
    ),
    OnFatal.REJECT: (
        "the worker answers each request with 503 and the cause, and `GET /models/M?customized=true` with the report",
        "503 with the cause as JSON, at once; gRPC: `UNAVAILABLE`",
        "Healthy",
    ),
    OnFatal.RETIRE: (
        "the worker holds, and then the [sidecar](../sidecar.md#retire) scales the model to 0 and remembers its numbers; needs the sidecar",
        "503 at once",
        "Healthy",
    ),
    OnFatal.SHUTDOWN: (
        "the server ends; the cause is the last line of its log, and in `/dev/termination-log` if that exists",
        "refused",
        "refused",
    ),
    OnFatal.OBSERVE: (
        "no worker is held: the failure is only judged and reported",
        "as with TorchServe alone",
        "as with TorchServe alone",
    ),
}

_IN_FORCE = """
## See what is in force

* `ts-retry config --all` shows each setting and each parameter of TorchServe with its value and the place that decides it. This works for a running server
  and for archives.
* The sidecar's page of a model shows the model's settings with their places. `GET /config` has the window.
* `GET /models/M?customized=true` of TorchServe's management API has them under `retry`, beside what the handler says of itself. The handler must extend
  `BaseHandler`, and the model must serve. TorchServe calls any other handler as it does for a prediction, so there is no place for this part. A model that is
  held does not answer. With `reject`, `retry` is the report on the failure.
"""


def settings_page() -> str:
    """Return the page."""
    columns = ("`config.properties`", "environment", "under `retry:`", "default", "")
    lines = [_HEAD, table(columns, map(_row, SETTINGS))]
    lines.append("\n## Values of `retry_on_fatal`\n\n")
    rows = [(f"`{value}`", *_ON_FATAL[value]) for value in OnFatal]
    lines.append(
        table(("value", "after a failure that cannot recover", "a client", "`/ping`"), rows)
    )
    lines.append(_IN_FORCE)
    lines.append("\n## What is allowed\n\n")
    lines.append(
        table(("setting", "allowed"), [(f"`{row.property_key}`", row.allowed) for row in SETTINGS])
    )
    return "".join(lines)


def _row(row: Setting) -> tuple[str, ...]:
    shown = str(row.default).lower() if isinstance(row.default, bool) else row.default
    default = "" if row.default is None else f"`{shown}`"
    model = f"`{row.model_key}`" if row.model_key else ""
    return (f"`{row.property_key}`", f"`{row.variable}`", model, default, row.help)
