"""``ts-retry sidecar``: observe a server, answer probes, serve metrics and a page."""

from __future__ import annotations

import argparse
import logging
import sys

from ts_retry_ext.cli.printing import ERROR, OK, CommandError

MISSING = (
    "the sidecar needs further libraries, {name} is missing: "
    "pip install 'ts-retry-ext[sidecar]' into this environment"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "sidecar",
        help="observe a server: probes, metrics, a page, and what needs the management API",
        description="Observe one TorchServe until it is told to end: answer probes truthfully, serve "
        "metrics and a page, retire models, and resume them. Without options it observes the one "
        "server that runs on this machine, and waits for it where none does.",
    )
    parser.add_argument("--pid", type=int, help="process id of TorchServe's frontend")
    parser.add_argument("--ts-config", metavar="FILE", help="the server's config.properties")
    parser.add_argument("--management", metavar="URL", help="address of its management API")
    parser.add_argument("--inference", metavar="URL", help="address of its inference API")
    parser.add_argument("--state-dir", metavar="DIR", help="its state directory")
    parser.add_argument("--key-file", metavar="FILE", help="its key_file.json")
    parser.add_argument(
        "--address",
        metavar="URL",
        help="where to listen (default: retry_sidecar_address of the server's settings, else "
        "http://127.0.0.1:8083)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name that a POST may be sent to; may be repeated",
    )
    parser.add_argument(
        "--exit-with-server", action="store_true", help="end when the server has ended"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    try:
        from ts_retry_ext.sidecar.lifetime import AddressError
        from ts_retry_ext.sidecar.lifetime import run as run_sidecar
    except ModuleNotFoundError as error:
        raise CommandError(MISSING.format(name=error.name)) from error
    from ts_retry_ext.sidecar.options import SidecarOptions

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    options = SidecarOptions(
        pid=arguments.pid,
        ts_config=arguments.ts_config,
        management=arguments.management,
        inference=arguments.inference,
        state_dir=arguments.state_dir,
        key_file=arguments.key_file,
        address=arguments.address,
        allowed_hosts=tuple(name.lower() for name in arguments.allow_host),
        exit_with_server=arguments.exit_with_server,
    )
    try:
        run_sidecar(options)
    except AddressError as error:
        raise CommandError(str(error), ERROR) from error
    return OK
