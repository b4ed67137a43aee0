"""Measure what one broken model costs: TorchServe alone, and with the package, in one run.

    python -m bench.crash_loop [--window SECONDS]

Three servers get the same model with a syntax error, one after the other, and are watched until the
last of them has nothing more to do: 400 s for the default window, 40 s with ``--window 20``. A client
sends one request to each as soon as the model is registered; TorchServe's ``/ping`` and, with the
package, the sidecar's are asked twice a second. Prints a table, and the numbers as JSON on the last
line.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Collection, Mapping

from bench.contender import Interpreters, interpreters, server_of
from bench.report import Table, now, parser, publish
from bench.watch import Watch
from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe
from tests.ports import own_ports
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC

MODEL = "broken"
BROKEN = "def handle(data, context)\n"
ALONE, HOLD, REJECT = "alone", "hold", "reject"
STEP_SEC = 0.5
#: After the window, until a server's state is final and its /ping has noticed the window's end.
GRACE_SEC = 5.0
#: Rows of the table: key of a contender's figures, title, form of the figure.
_ROWS = (
    ("worker_starts", "worker starts", "{}"),
    ("loads", "loads", "{}"),
    ("workers_cpu_sec", "processor time of the workers", "{:.1f} s"),
    ("log_lines", "log lines", "{:,}"),
    ("final_at_sec", "nothing more happens after", "{:.1f} s"),
    ("client_at_sec", "a client's request is refused after", "{:.1f} s"),
    ("ping_at_sec", "TorchServe's `/ping` says Unhealthy after", "{:.1f} s"),
    ("sidecar_at_sec", "the sidecar's `/ping` names the model after", "{:.1f} s"),
    ("sidecar_cpu_sec", "processor time of the sidecar", "{:.1f} s"),
)
_TITLES = {
    ALONE: "TorchServe alone",
    HOLD: "with the package",
    REJECT: "with the package, `on_fatal=reject`",
}


def measure(window_sec: int) -> dict[str, Any]:
    """Return the figures of each contender, over one and the same time."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        root = Path(folder)
        config = None if window_sec == DEFAULT_WINDOW_SEC else f"maxRetryTimeoutInSec: {window_sec}"
        archive = root / "store" / pack(root / "store", MODEL, BROKEN, config=config)
        watches: dict[str, Watch] = {}
        servers = {
            name: running.enter_context(server)
            for name, server in _servers(root, interpreters(root / "envs")).items()
        }
        for name, server in reversed(list(servers.items())):
            (server.store / archive.name).symlink_to(archive)
            watches[name] = Watch(server, MODEL, window_sec, sidecar=_sidecar_address(server))
            if name != ALONE:  # The start of one is not to disturb the next.
                _follow(watches.values(), until=watches[name])
        _follow(watches.values(), until=watches[ALONE], at_least_sec=window_sec + GRACE_SEC)
        figures = {name: watches[name].figures() for name in servers}
    return {"window_sec": window_sec, "contenders": figures}


def _servers(root: Path, python: Interpreters) -> dict[str, TorchServe]:
    sidecars = [
        {"retry_sidecar": "true", "retry_sidecar_address": f"http://127.0.0.1:{port}"}
        for port in own_ports(2)
    ]
    return {
        ALONE: server_of(root / ALONE, python.alone),
        HOLD: server_of(root / HOLD, python.with_package, sidecars[0]),
        REJECT: server_of(
            root / REJECT, python.with_package, {**sidecars[1], "retry_on_fatal": "reject"}
        ),
    }


def _sidecar_address(server: TorchServe) -> str | None:
    return server.config.get("retry_sidecar_address")


def _follow(watches: Collection[Watch], until: Watch, at_least_sec: float = 0.0) -> None:
    """Look at every server until one of them is settled."""
    while not until.is_settled() or until.elapsed() < at_least_sec:
        begun = time.monotonic()
        for watch in watches:
            watch.look()
        time.sleep(max(0.0, STEP_SEC - (time.monotonic() - begun)))


def table(found: Mapping[str, Any]) -> Table:
    """Return the figures side by side; what did not happen while it was watched is said so."""
    contenders = found["contenders"]
    columns = [f"window {found['window_sec']} s", *(_TITLES[name] for name in contenders)]
    rows = []
    for key, title, form in _ROWS:
        cells = [_cell(key, figures, form) for figures in contenders.values()]
        rows.append([title, *cells])
    return Table(columns, rows)


def _cell(key: str, figures: Mapping[str, Any], form: str) -> str:
    value = figures[key]
    if value is not None:
        return form.format(value)
    if key.startswith("sidecar") and figures["sidecar_cpu_sec"] is None:
        return "-"
    return f"not within {figures['watched_sec']:.0f} s"


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument(
        "--window",
        type=int,
        default=DEFAULT_WINDOW_SEC,
        metavar="SECONDS",
        help="maxRetryTimeoutInSec of the model; 300 is TorchServe's default, 20 a quick run",
    )
    begun_at, window_sec = now(), options.parse_args().window
    found = measure(window_sec)
    publish("crash_loop", found, table(found), begun_at)


if __name__ == "__main__":
    main()
