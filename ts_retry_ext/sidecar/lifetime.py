"""Run the sidecar until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import replace
from typing import Callable
from urllib.parse import urlsplit

from aiohttp import web

from ts_retry_ext.frontend.properties import read_properties
from ts_retry_ext.settings import resolve
from ts_retry_ext.sidecar.connections import Connections
from ts_retry_ext.sidecar.effective_file import EffectiveFile
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.own_log import Story
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.sidecar.retiring import Retiring
from ts_retry_ext.sidecar.service import Service
from ts_retry_ext.sidecar.target import NoTargetError, SidecarOptions, find_target

log = logging.getLogger(__name__)

#: How long answers that are under way may take after a SIGTERM.
SHUTDOWN_SEC = 5.0


class AddressError(Exception):
    """The address cannot be listened at. The message is fit for people."""


class ObservingError(Exception):
    """The sidecar can no longer observe. The message is fit for people."""


def run(options: SidecarOptions) -> None:
    """Observe and serve until SIGTERM, SIGINT, or the end of the server where that was asked for.

    Raises:
        AddressError: the address cannot be listened at.
        ObservingError: a bug ended the observing; the log has its traceback.
    """
    asyncio.run(_run(options))


async def _run(options: SidecarOptions) -> None:
    options = as_configured(options)
    observer = Observer(options)
    resumptions = Resumptions(observer)
    retiring = Retiring(observer, resumptions)
    observer.listeners += [EffectiveFile(observer).update, retiring.consider, Story().go_on]
    connections = Connections()
    application = Service(observer, resumptions, connections).application()
    runner = web.AppRunner(
        application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SEC
    )
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    observing = None
    server = None
    try:
        server = await _listen(connections.factory(_serves(runner)), str(options.address))
        observing = loop.create_task(observer.run())
        ending = loop.create_task(stop.wait())
        await asyncio.wait([observing, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if observing.done():
            _raise_what_ended(observing)
        log.info("ending")
    finally:
        if server is not None:
            server.close()
        await runner.cleanup()
        await retiring.stop()
        await resumptions.stop()
        if observing is not None:
            observing.cancel()
            await asyncio.gather(observing, return_exceptions=True)


def _raise_what_ended(observing: asyncio.Task[None]) -> None:
    """Raise what ended the observing, if anything did: it must not look like an end that was asked for."""
    error = observing.exception()
    if error is not None:
        log.error("observing failed", exc_info=error)
        msg = f"the sidecar cannot observe any more: {error!r}; its log has the traceback"
        raise ObservingError(msg) from error


def _serves(runner: web.AppRunner) -> web.Server:
    """Return what makes the protocol of a connection. Only after `setup` there is one."""
    if runner.server is None:
        raise AssertionError
    return runner.server


async def _listen(factory: Callable[[], asyncio.Protocol], address: str) -> asyncio.AbstractServer:
    host, port = host_and_port(address)
    try:
        server = await asyncio.get_running_loop().create_server(factory, host, port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        msg = f"cannot listen at {address}: {why}; name another with --address or retry_sidecar_address"
        raise AddressError(msg) from error
    # With port 0 the system chooses one.
    bound = server.sockets[0].getsockname()
    shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    log.info("listening at http://%s:%d", shown, bound[1])
    return server


def host_and_port(address: str) -> tuple[str, int]:
    """Return host and port of an ``http://HOST:PORT`` address.

    Raises:
        AddressError: it is none.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or not address.startswith("http://"):
        msg = f"{address!r} is no address such as http://127.0.0.1:8083"
        raise AddressError(msg)
    return host, port


def as_configured(options: SidecarOptions) -> SidecarOptions:
    """Return options with what the settings of this process and the server add: address and names."""
    properties: dict[str, str] = {}
    environ: dict[str, str] = {}
    config_file = options.ts_config
    try:
        configuration = find_target(options).server.configuration
        properties, environ = configuration.properties, configuration.environ
        config_file = configuration.config_file
    except NoTargetError:
        if config_file is not None and os.path.isfile(config_file):
            properties = read_properties(config_file)
    settings, problems = resolve(properties, {**environ, **os.environ}, config_file=config_file)
    for problem in problems:
        log.warning("%s", problem)
    names = str(settings.sidecar_hosts.value or "").lower().split(",")
    return replace(
        options,
        address=options.address or str(settings.sidecar_address.value),
        ready_when=str(settings.ready_when.value),
        allowed_hosts=(*options.allowed_hosts, *filter(None, map(str.strip, names))),
    )
