"""Watch one server from the moment that a broken model is registered."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from bench.contender import (
    is_final,
    lines_written,
    moments,
    sidecar_of,
    usage,
    worker_of,
)
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.record import Event

#: A server whose worker looks final for so long has nothing more to do; a retry is announced at once.
SETTLED_SEC = 3.0
#: A rise of the processor time that is worth a point of the curve, in seconds.
_RISE_SEC = 0.05


class Watch:
    """What one server does with a broken model; all times in seconds since its registration.

    Args:
        server: a running server with the archive in its store.
        model: name of the archive and of the model.
        patience_sec: how long the client waits at the least.
        sidecar: address of the server's sidecar, or None where there is none.
    """

    def __init__(
        self, server: TorchServe, model: str, patience_sec: float, sidecar: str | None
    ) -> None:
        self.server = server
        self.model = model
        self.sidecar = sidecar
        self.frontend = server.frontend()
        self.before = usage(self.frontend)
        self.lines_before = lines_written(server.log())
        self.curve: list[tuple[float, float]] = [(0.0, 0.0)]
        self.ping_at: float | None = None
        self.sidecar_at: float | None = None
        self.client: tuple[float, int] | None = None
        self.final_since: float | None = None
        self.begun = time.time()
        path = f"/models?url={model}.mar&initial_workers=1&synchronous=false"
        code, answer = server.call(path, "POST")
        assert code == 202, answer
        threading.Thread(target=self._ask, args=(3 * patience_sec + 60,), daemon=True).start()

    def elapsed(self) -> float:
        """Return how long it has been watched, in seconds."""
        return time.time() - self.begun

    def is_settled(self) -> bool:
        """Tell whether the frontend has nothing more to do for the model."""
        return self.final_since is not None and self.elapsed() - self.final_since > SETTLED_SEC

    def look(self) -> None:
        """Look at the processes, the log and the probes."""
        used = usage(self.frontend).workers_cpu_sec - self.before.workers_cpu_sec
        if used > self.curve[-1][1] + _RISE_SEC:
            self.curve.append((self.elapsed(), used))
        if not is_final(worker_of(self.server.log(), self.model)):
            self.final_since = None
        elif self.final_since is None:
            self.final_since = self.elapsed()
        if self.ping_at is None and self.server.ping()[1] != "Healthy":
            self.ping_at = self.elapsed()
        if self.sidecar and self.sidecar_at is None:
            code, body = self.server.call("/ping", base=self.sidecar)
            if code == 500 and self.model in str(body):
                self.sidecar_at = self.elapsed()

    def figures(self) -> dict[str, Any]:
        """Return what was seen; None for what did not happen."""
        log = self.server.log()
        worker = worker_of(log, self.model)
        assert worker is not None
        now = usage(self.frontend)
        sidecar = sidecar_of(self.frontend) if self.sidecar else None
        refused = self.client if self.client and self.client[1] != 200 else None
        # A holder is sent LOAD too, and loads nothing.
        held = self.server.events(self.model).count(Event.HOLD)
        return {
            "watched_sec": self.elapsed(),
            "worker_starts": worker.starts,
            "loads": worker.loads - held,
            "workers_cpu_sec": now.workers_cpu_sec - self.before.workers_cpu_sec,
            "frontend_cpu_sec": now.frontend_cpu_sec - self.before.frontend_cpu_sec,
            "workers_mb": now.workers_mb,
            "log_lines": lines_written(log) - self.lines_before,
            "final_state": worker.state,
            "final_at_sec": self._moments(".*State change")[-1],
            "client_at_sec": refused and refused[0],
            "client_status": refused and refused[1],
            "ping_at_sec": self.ping_at,
            "sidecar_at_sec": self.sidecar_at,
            "sidecar_cpu_sec": sum(sidecar.cpu_times()[:2]) if sidecar else None,
            "worker_starts_at_sec": self._moments("Worker cmdline"),
            "workers_cpu_curve": self.curve,
        }

    def _moments(self, what: str) -> list[float]:
        found = moments(self.server.log(), self.model, what)
        return [round(at - self.begun, 3) for at in found]

    def _ask(self, timeout_sec: float) -> None:
        """Send one request as a client does, and note when it is answered."""
        url = f"{self.server.inference}/predictions/{self.model}"
        try:
            with urllib.request.urlopen(url, data=b"x", timeout=timeout_sec) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        except (OSError, http.client.HTTPException):
            return  # The server was ended, or the client has lost its patience.
        self.client = (self.elapsed(), status)
