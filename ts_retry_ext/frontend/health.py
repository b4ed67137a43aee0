"""Ask a running server for its health."""

from __future__ import annotations

from ts_retry_ext.frontend.http import UnreachableError, reachable_address, request
from ts_retry_ext.frontend.management import (
    TIMEOUT_SEC,
    ManagementError,
    expected_form,
    management_api_of,
    parsed,
)
from ts_retry_ext.frontend.server import Server


def ping(server: Server, timeout_sec: float = TIMEOUT_SEC) -> str:
    """Return what ``/ping`` of a running server says: ``Healthy`` or ``Unhealthy``.

    Raises:
        ManagementError: it cannot be reached, or asks for a key that cannot be had.
    """
    api = management_api_of(server, timeout_sec)
    try:
        address = reachable_address(server.inference_address)
        answer = request(
            "GET",
            address + "/ping",
            headers=api.key_headers("inference"),
            certificate_file=api.certificate_file,
            timeout_sec=timeout_sec,
        )
    except UnreachableError as error:
        raise ManagementError(f"the inference address {error}") from error
    content = parsed(answer)
    with expected_form("an answer to /ping"):
        if "status" in content:
            return str(content["status"])
        msg = f"/ping at {address} answers {answer.status}: {content['message']}"
    raise ManagementError(msg, answer.status)
