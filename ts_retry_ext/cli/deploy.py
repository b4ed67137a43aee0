"""``ts-retry deploy``: from an archive to a version that serves, while the old one goes on serving."""

from __future__ import annotations

import argparse
import os
import signal
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import HALTED, OK, USAGE, CommandError, as_command_error, print_line
from ts_retry_ext.cli.shared_options import positive_number

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.observed_server import ObservedServer

TIMEOUT_SEC = 300.0
DRAIN_SEC = 10.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from ts_retry_ext.cli.shared_options import add_server_option

    parser = commands.add_parser(
        "deploy",
        help="put a new version of a model in place of the one that serves",
        description="Check an archive, register it beside the version that serves, wait until all its "
        "workers have loaded it, make it the default version, and unregister the old one after its "
        "last requests. If the archive does not load, the old version goes on serving, nothing of the new "
        "one is left, and the exit code is 3. The old version is unregistered only while the new one serves; if "
        "workers of the new one end more than once until then, or do not come back, the old one becomes the default again. If "
        "something else answers in TorchServe's place, such as a proxy, the exit code is 1. Needs "
        "enable_model_api=true.",
        epilog="examples:\n"
        "  ts-retry deploy model_store/my_model.mar\n"
        "  ts-retry deploy my_model.mar --version 2.0 --keep-old",
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="the archive (.mar or .tar.gz)")
    parser.add_argument("--version", help="refuse the archive if it has another version than this")
    parser.add_argument(
        "--set-default",
        action="store_true",
        default=True,
        help="make it the default version (the default)",
    )
    parser.add_argument(
        "--no-default",
        dest="set_default",
        action="store_false",
        help="only register it: requests without a version still go to the old version",
    )
    parser.add_argument("--keep-old", action="store_true", help="leave the old version registered")
    parser.add_argument("--new", action="store_true", help="add a model that is not registered yet")
    parser.add_argument(
        "--allow-older",
        action="store_true",
        help="allow a version that is older than the one that serves",
    )
    parser.add_argument(
        "--no-check", action="store_true", help="do not check it outside of the server first"
    )
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=TIMEOUT_SEC,
        metavar="SECONDS",
        help="how long its workers may take (default: %(default)g)",
    )
    parser.add_argument(
        "--drain",
        type=positive_number,
        default=DRAIN_SEC,
        metavar="SECONDS",
        help="how long the old version's last requests may take (default: %(default)g)",
    )
    add_server_option(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
    from ts_retry_ext.cli.shared_options import chosen_server
    from ts_retry_ext.frontend.choice import no_server
    from ts_retry_ext.frontend.condition import ManagementError
    from ts_retry_ext.snapshot.deployment_place import DeploymentError
    from ts_retry_ext.snapshot.observed_server import observed

    path = arguments.archive
    if os.path.isdir(path):
        msg = f"{path} is a folder: pack it with torch-model-archiver"
        raise CommandError(msg, USAGE)
    with as_command_error(ArchiveError):
        archive = read_archive(path)
    if arguments.version is not None and arguments.version != archive.version:
        msg = (
            f"{path} holds version {archive.version}, not {arguments.version}: pack it with "
            f"torch-model-archiver --version {arguments.version}"
        )
        raise CommandError(msg)
    server = chosen_server(arguments.pid)
    if server is None:
        msg = f"{no_server()}, so that nothing can be deployed"
        raise CommandError(msg)
    try:
        _deploy(arguments, archive.model, archive.version, observed(server))
    except DeploymentError as error:
        print_line(f"{archive.model} {archive.version} is not deployed: {error}")
        return HALTED
    except ManagementError as error:
        msg = f"{archive.model} {archive.version}: {error}"
        raise CommandError(msg) from error
    except OSError as error:
        msg = f"{archive.model} {archive.version}: {error.filename or path}: {error.strerror}"
        raise CommandError(msg) from error
    return OK


def _deploy(arguments: argparse.Namespace, name: str, version: str, server: ObservedServer) -> None:
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.snapshot.deployment import put_beside
    from ts_retry_ext.snapshot.deployment_place import DeploymentError, alone, stored
    from ts_retry_ext.snapshot.deployment_plan import plan
    from ts_retry_ext.snapshot.deployment_switch import put_in_place
    from ts_retry_ext.snapshot.unregistration import listed

    api = management_api_of(server.configuration)
    store = server.configuration.model_store
    if store is None:
        msg = "the server has no model store to put the archive into"
        raise DeploymentError(msg)

    def tell(step: str) -> None:
        print_line(f"{name}: {step}")

    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # A job that is canceled cleans up, too.
    with alone(server, name):
        wanted = plan(
            server,
            api,
            arguments.archive,
            name,
            version,
            is_new=arguments.new,
            may_be_older=arguments.allow_older,
        )
        if not arguments.no_check:
            _check(arguments.archive, server)
        try:
            with stored(arguments.archive, store, name, version) as url:
                load_sec = put_beside(
                    server, api, wanted, url, timeout_sec=arguments.timeout, tell=tell
                )
            if arguments.set_default:
                put_in_place(
                    server,
                    api,
                    wanted,
                    keep_old=arguments.keep_old,
                    load_sec=load_sec,
                    drain_sec=arguments.drain,
                    tell=tell,
                )
        except KeyboardInterrupt:
            tell(f"interrupted: {listed(api, name)}")
            raise
    print_line(f"{name} {version} serves")


def _check(path: str, server: ObservedServer) -> None:
    """Load the archive outside of the server. Raises DeploymentError where it does not load."""
    from ts_retry_ext.check.check_report import CheckResult
    from ts_retry_ext.check.environment import NoTorchServeError, server_home
    from ts_retry_ext.check.loading import Options, check
    from ts_retry_ext.snapshot.deployment_place import DeploymentError
    from ts_retry_ext.trial.child_processes import Children
    from ts_retry_ext.trial.launch import gpus_of_server

    configuration = server.configuration
    try:
        home = server_home()
    except NoTorchServeError as error:
        print_line(f"not checked first: {error}")
        return
    gpus = gpus_of_server(configuration.properties, configuration.environ)
    report = check(path, Options(configuration, home, gpus, Children()))
    if report.result in (CheckResult.FAILS, CheckResult.REFUSED):
        place = report.exception.at if report.exception else None
        at = f", at {place.in_words()}" if place is not None else ""
        cause = report.cause or report.reason
        msg = f"it does not load: {cause}{at}. {report.reason} {report.remedy}".rstrip()
        raise DeploymentError(msg)
    if report.result is CheckResult.ERROR:
        print_line(f"not checked first: {report.reason}")
