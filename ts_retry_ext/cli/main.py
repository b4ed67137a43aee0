"""Entry point of ``ts-retry``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import Sequence

from ts_retry_ext.cli.printing import CommandError, warn

#: Modules of this package, in the order of the help.
COMMANDS = (
    "status",
    "show",
    "config",
    "check",
    "resume",
    "classify",
    "rules",
    "analyze",
    "sidecar",
    "doctor",
    "run",
    "demo",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, by default this process's, and return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A message may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(words).parse_args(words)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except CommandError as error:
        warn(f"ts-retry: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader, such as head, has seen enough. Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; where `words` name a command, only its module is imported."""
    parser = argparse.ArgumentParser(
        prog="ts-retry",
        description="Tell TorchServe's failures that a retry can cure from those that it cannot.",
        epilog="exit codes: 0 fine, 1 error, 2 usage, 3 at least one model halted or failed",
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    named = COMMANDS if not words or words[0] not in COMMANDS else (words[0],)
    for name in named:
        import_module(f"{__package__}.{name}").add_parser(commands)
    return parser


class _Version(argparse.Action):
    """Print the version when asked; reading it costs more than the rest of the parser."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"ts-retry {version('ts-retry-ext')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
