"""Reject: be a loaded worker for the frontend, and answer every request with 503 and the cause.

A held worker leaves clients waiting in the frontend's queue. Where `on_fatal` is ``reject``, the
process in its place answers LOAD with 200 and tells each client at once what is wrong.
"""

from __future__ import annotations

import json
import os
import socket
import time

from ts_retry_ext.store.halt_in_words import HALTED, WAITING, state_word
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.worker.protocol import (
    HTTP_OK,
    HTTP_UNAVAILABLE,
    PREDICT,
    Request,
    batch_response,
    plain_response,
    read_command,
    read_requests,
)

#: What stands under ``type`` where TorchServe's own error bodies have the name of a Java class.
ERROR_TYPES = {HALTED: "ModelHaltedException", WAITING: "ModelWaitingException"}
_MAX_TEXT = 2000


class Rejection:
    """The answers of one worker that rejects."""

    def __init__(self, model: str, marker: Marker) -> None:
        self._report = report_for_clients(model, marker)
        self._error_type = ERROR_TYPES[state_word(marker.waits_for)]
        self._next_trial_at = marker.next_trial_at
        # Where all ranks of a model get each request, only the first one answers (0.12.0 worker script).
        self._is_first_rank = os.environ.get("LOCAL_RANK", "0") == "0"

    def receive(self, connection: socket.socket) -> list[Request]:
        """Read a batch of requests.

        Raises:
            DisconnectedError: the frontend closed the connection.
            ValueError: the frontend speaks another protocol.
            OSError: the connection broke.
        """
        if read_command(connection) != PREDICT:
            msg = "the frontend sent something else than a request to a loaded worker"
            raise ValueError(msg)
        return read_requests(connection)

    def answer(self, connection: socket.socket, requests: list[Request]) -> None:
        """Refuse predictions, and describe the failure to who asks for the model's description. Raises OSError."""
        if self._is_first_rank:
            connection.sendall(self._answer(requests))

    def refuse(self, connection: socket.socket, requests: list[Request]) -> None:
        """Refuse requests of any kind. Raises OSError."""
        if self._is_first_rank:
            connection.sendall(self._refusal(requests))

    def _answer(self, requests: list[Request]) -> bytes:
        if any(request.is_describe for request in requests):  # The frontend sends these one by one.
            # As a worker that serves (`description`); the second name is that of 0.1.0.
            report = dict.fromkeys(("retry", "ts_retry"), self._report)
            return batch_response(requests, HTTP_OK, "OK", json.dumps(report))
        return self._refusal(requests)

    def _refusal(self, requests: list[Request]) -> bytes:
        body = json.dumps({"code": HTTP_UNAVAILABLE, "type": self._error_type, **self._report})
        if all(request.is_http for request in requests):
            headers = retry_after(self._next_trial_at, time.time())
            return batch_response(requests, HTTP_UNAVAILABLE, "Service Unavailable", body, headers)
        # A gRPC client would take an answer for a prediction; only an error of the batch is one to it.
        return plain_response(HTTP_UNAVAILABLE, body)


def retry_after(next_trial_at: str | None, now: float) -> dict[str, str]:
    """Return the header that tells a client when to come again; {} where no trial load is planned.

    `now` is in seconds since the epoch.
    """
    if next_trial_at is None:
        return {}
    return {"Retry-After": str(1 + max(0, int(to_seconds(next_trial_at) - now)))}


def report_for_clients(model: str, marker: Marker) -> dict[str, object]:
    """Return what a client is told: the line that failed, no other frame, no traceback."""
    return {
        "message": f"Model {model!r} is not loaded: {marker.reason}"[:_MAX_TEXT],
        "model": model,
        "version": marker.version,
        "state": state_word(marker.waits_for),
        "verdict": marker.verdict,
        "basis": marker.basis,
        "rule": marker.rule,
        "reason": marker.reason[:_MAX_TEXT],
        "remedy": marker.remedy[:_MAX_TEXT],
        "fingerprint": marker.fingerprint,
        "phase": marker.phase,
        "exception": {
            "type": marker.exception.type[:_MAX_TEXT],
            "message": marker.exception.message[:_MAX_TEXT],
        },
        "at": None if marker.exception.at is None else marker.exception.at.in_words()[:_MAX_TEXT],
        "failures": marker.failures,
        "since": marker.created_at,
        "waits_for": [entry[:_MAX_TEXT] for entry in marker.waits_for],
        "next_trial_at": marker.next_trial_at,
        "trials": marker.trials,
    }
