"""``ts-retry sidecar``: observe a server, answer probes, serve metrics and a page."""

from __future__ import annotations

import argparse
import os

from ts_retry_ext.cli.printing import OK, USAGE, CommandError, as_command_error

MISSING = (
    "the sidecar needs further libraries, {name} is missing: "
    "pip install 'ts-retry-ext[sidecar]' into this environment"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "sidecar",
        help="observe a server: probes, metrics, a page, and a way to resume models",
        description="Observe one TorchServe until a signal ends the sidecar. The sidecar answers probes, "
        "serves metrics and a page, retires models, and resumes them. Without options it observes the "
        "one server that runs on this machine. If none runs, it waits for one.",
        epilog="examples:\n"
        "  ts-retry sidecar\n"
        "  ts-retry sidecar --ts-config config.properties --address http://0.0.0.0:8088",
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
        help="a name under which clients may reach the sidecar, such as that of a Service or an "
        "Ingress; may be repeated (also: retry_sidecar_hosts)",
    )
    parser.add_argument(
        "--own-key-file",
        metavar="FILE",
        help="file with a key that callers need to resume a model, if the server has no keys",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="form of the log (default: text)",
    )
    parser.add_argument(
        "--log-file",
        metavar="FILE",
        help="file to log to, which is rotated (default: standard error)",
    )
    parser.add_argument(
        "--exit-with-server", action="store_true", help="end after the server has ended"
    )


def run(arguments: argparse.Namespace) -> int:
    try:
        from ts_retry_ext.sidecar.lifetime import AddressError, ObservingError
        from ts_retry_ext.sidecar.lifetime import run as run_sidecar
        from ts_retry_ext.sidecar.own_log import log_to
    except ModuleNotFoundError as error:
        raise CommandError(MISSING.format(name=error.name)) from error
    from ts_retry_ext.sidecar.target import SidecarOptions

    _check(arguments)
    try:
        log_to(arguments.log_format, arguments.log_file)
    except OSError as error:
        msg = f"--log-file {arguments.log_file}: {error.strerror}"
        raise CommandError(msg, USAGE) from error
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
        own_key_file=arguments.own_key_file,
    )
    with as_command_error(AddressError, ObservingError):
        run_sidecar(options)
    return OK


def _check(arguments: argparse.Namespace) -> None:
    """Raise CommandError for an option that can never come right."""
    from ts_retry_ext.frontend.process import frontend_at

    for option, value in (
        ("--management", arguments.management),
        ("--inference", arguments.inference),
    ):
        if value is not None and not value.startswith(("http://", "https://", "unix:")):
            msg = f"{option} {value}: is no address such as http://127.0.0.1:8081"
            raise CommandError(msg, USAGE)
        if value is not None and "@" in value:
            msg = f"{option}: an address with a login, and none is sent but TorchServe's keys (--key-file)"
            raise CommandError(msg, USAGE)
    for option, value in (
        ("--ts-config", arguments.ts_config),
        ("--own-key-file", arguments.own_key_file),
    ):
        if value is not None and not os.path.isfile(value):
            msg = f"{option} {value}: there is no such file"
            raise CommandError(msg, USAGE)
    if arguments.pid is not None and frontend_at(arguments.pid) is None:
        msg = f"--pid {arguments.pid}: this process is no frontend of TorchServe, or is gone"
        raise CommandError(msg, USAGE)
