"""Ask a server with each of the two clients, which are to behave the same."""

from __future__ import annotations

import asyncio
from typing import Any, Callable

import pytest

from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.sidecar.client import Client

#: Asks a server something with a client of its own, and returns what that returns.
Ask = Callable[[Endpoint, Callable[[Any], Any]], Any]


def ask_blocking(endpoint: Endpoint, question: Callable[[Any], Any]) -> Any:
    return question(ManagementApi(endpoint))


def ask_with_aiohttp(endpoint: Endpoint, question: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        client = Client(endpoint)
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(run())


both_clients = pytest.mark.parametrize(
    "ask", [ask_blocking, ask_with_aiohttp], ids=["blocking", "aiohttp"]
)
