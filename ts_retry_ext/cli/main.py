"""Entry point of ``ts-retry``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn, Sequence

from ts_retry_ext.cli.printing import USAGE, CommandError, warn

#: Modules of this package, in the order of the help.
COMMANDS = (
    "status",
    "show",
    "history",
    "config",
    "check",
    "resume",
    "deploy",
    "classify",
    "rules",
    "analyze",
    "sidecar",
    "doctor",
    "run",
    "demo",
    "completion",
)

_VERSION = ("-V", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, by default this process's, and return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A message may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if not words:
        _parser(words).print_help(sys.stderr)
        return USAGE
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


def parser_of_all() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    return _parser(())


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; where `words` name a command, only its module is imported."""
    parser = _Parser(
        prog="ts-retry",
        description="Stop TorchServe from reloading a model that cannot load, and keep the cause.",
        epilog="exit codes: 0 fine, 1 error, 2 usage, 3 at least one model is down or failed the check",
    )
    parser.add_argument(*_VERSION, action=_Version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    named: Sequence[str] = COMMANDS if not words or words[0] not in COMMANDS else (words[0],)
    if words and words[0] in _VERSION:
        named = ()
    for name in named:
        module = import_module(f"{__package__}.{name}")
        module.add_parser(commands)
        commands.choices[name].set_defaults(run=module.run)
    return parser


class _Formatter(argparse.HelpFormatter):
    """Leaves examples as they are written, one a line."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        is_kept = text.startswith("examples:\n")
        return text if is_kept else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """Names the nearest command or option where a word is none of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and exit with 2."""
        from difflib import get_close_matches

        quoted = message.partition("invalid choice: '")[2].partition("'")[0]
        unknown = message.partition("unrecognized arguments: ")[2].partition(" ")[0]
        known = COMMANDS if quoted else tuple(self._option_string_actions)
        near = get_close_matches(quoted or unknown.partition("=")[0], known, 1)
        super().error(f"{message}; did you mean {near[0]}?" if near else message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuse what a command does not know by its own usage, not by that of ``ts-retry``."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left


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
