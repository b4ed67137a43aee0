"""``ts-retry doctor``: is everything in place for a halt to work, and what to do where it is not."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ts_retry_ext.cli.output import ERROR, OK, print_json, print_line, print_table, print_wrapped

if TYPE_CHECKING:
    from ts_retry_ext.doctor.checks import Check
    from ts_retry_ext.frontend.server import Server
    from ts_retry_ext.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    from ts_retry_ext.cli.servers import add_server_option

    parser = commands.add_parser(
        "doctor",
        help="check that everything is in place, and say what to do",
        description="Check the environment that TorchServe runs in: is the start-up hook active in "
        "it, are Java, TorchServe, torch and PyYAML there, can the state directory be used, which "
        "settings hold and where do they come from. Exits with 1 when something is wrong.",
    )
    parser.add_argument(
        "--python",
        metavar="FILE",
        help="interpreter that TorchServe uses (default: the running server's, else this one)",
    )
    parser.add_argument(
        "--ts-config",
        metavar="FILE",
        help="config.properties to take the settings from, where no server runs",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_server_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ts_retry_ext.cli.servers import chosen_server
    from ts_retry_ext.doctor import checks

    server = chosen_server(arguments.pid)
    settings, problems, config_file = _settings(server, arguments.ts_config)
    # An environment that may not be read, of another user's server, is empty.
    environ = (server.configuration.environ if server else None) or os.environ
    made = [
        *checks.check_interpreter(_python(server, arguments.python), environ),
        checks.check_java(server, environ),
        *checks.check_server(server),
        *checks.check_sidecar(server, settings),
        *checks.check_settings(settings, problems),
        *checks.check_state(server, settings),
    ]
    if arguments.json:
        print_json(_content(made, settings, server, config_file))
    else:
        _print(made, settings, config_file)
    return ERROR if any(check.is_wrong for check in made) else OK


def _python(server: Server | None, given: str | None) -> str:
    if given is not None:
        return given
    if server is not None:
        cmdline = server.frontend.cmdline
        named = [v for option, v in zip(cmdline, cmdline[1:]) if option == "--python"]
        return named[0] if named else server.configuration.properties.get("python", sys.executable)
    return sys.executable


def _settings(
    server: Server | None, ts_config: str | None
) -> tuple[Settings, tuple[str, ...], str | None]:
    """Return the settings, what is wrong with them, and the file they were taken from."""
    from ts_retry_ext.cli.output import CommandError
    from ts_retry_ext.frontend.properties import read_properties, resolve_environment
    from ts_retry_ext.frontend.state_directories import server_settings
    from ts_retry_ext.settings import resolve

    if server is not None and ts_config is None:
        return (*server_settings(server.configuration), server.configuration.config_file)
    path = ts_config or os.environ.get("TS_CONFIG_FILE") or "config.properties"
    if ts_config is None and not os.path.exists(path):
        return (*resolve({}, os.environ), None)
    try:
        properties = resolve_environment(read_properties(path), os.environ)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    return (*resolve(properties, os.environ, config_file=path), path)


def _content(
    made: list[Check], settings: Settings, server: Server | None, config_file: str | None
) -> dict[str, object]:
    return {
        "healthy": not any(check.is_wrong for check in made),
        "server_pid": server.frontend.pid if server else None,
        "config_file": config_file,
        "checks": [dict(vars(check)) for check in made],
        "settings": {
            name: {"value": resolved.value, "source": resolved.source}
            for name, resolved in settings._asdict().items()
        },
    }


def _print(made: list[Check], settings: Settings, config_file: str | None) -> None:
    print_table(("CHECK", "OUTCOME", "FOUND"), [(c.name, c.outcome, c.found) for c in made])
    for check in made:
        if check.remedy:
            print_wrapped(f"{check.name}: {check.remedy}")
    print_line()
    print_line(f"settings, with {config_file or 'no config.properties'}:")
    rows = [(n, r.value, r.source) for n, r in settings._asdict().items()]
    print_table(("SETTING", "VALUE", "SOURCE"), rows)
