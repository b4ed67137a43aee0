"""``ts-retry demo``: see on a real TorchServe what the package does."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import ERROR, OK, CommandError, print_json
from ts_retry_ext.plain_text import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ts_retry_ext.demo.play import Finished
    from ts_retry_ext.demo.screen import Screen

#: Characters a line where the output is no terminal.
PLAIN_WIDTH = 100
#: Longer lines are hard to read.
MAX_WIDTH = 120


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="watch sound, flaky and broken models on a real TorchServe",
        description="Pack the demo handlers, start a real TorchServe in a temporary directory, show "
        "what happens to each model, send a prediction to the sound ones, and report what TorchServe "
        "alone would have done. This takes less than a minute. Exits with 1 if a model does not end as it "
        "should.",
        epilog="examples:\n  ts-retry demo\n  ts-retry demo --stock",
    )
    parser.add_argument("--stock", action="store_true", help="switch the package off, to compare")
    parser.add_argument(
        "--keep", action="store_true", help="leave the server running, and say how to stop it"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the final table as JSON, and the progress on standard error",
    )


def run(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from ts_retry_ext.demo import DemoError
    from ts_retry_ext.demo.play import play
    from ts_retry_ext.demo.prerequisites import demo_environment
    from ts_retry_ext.trial.interruption import orderly_end

    console = Console(stderr=arguments.json, highlight=False)
    try:
        with orderly_end():
            screen = _screen(console)
            try:
                screen.step("looking for Java, TorchServe, torch and the start-up hook")
                environ = demo_environment(os.environ, switched_off=arguments.stock)
                finished = play(screen, environ, switched_off=arguments.stock, keep=arguments.keep)
            finally:
                screen.close()
    except DemoError as error:
        if error.log:
            print(visible(error.log.rstrip(), keep="\n\t"), file=sys.stderr)
        raise CommandError(str(error)) from error
    except ModuleNotFoundError as error:
        msg = f"{error}; install it with: pip install 'ts-retry-ext[demo]'"
        raise CommandError(msg) from error
    if arguments.json:
        print_json(finished.to_json())
    else:
        _print(console, finished)
    if finished.kept:
        _say_how_to_stop(console, finished)
    return OK if all(result.as_expected for result in finished.results) else ERROR


def _screen(console: Console) -> Screen:
    from ts_retry_ext.demo.screen import LiveScreen, PlainScreen

    if console.is_terminal and not console.is_dumb_terminal:
        return LiveScreen(console)
    return PlainScreen(console.file)


def _print(console: Console, finished: Finished) -> None:
    from ts_retry_ext.demo.closing_table import closing_lines, table_lines

    width = min(console.width, MAX_WIDTH) if console.is_terminal else PLAIN_WIDTH
    lines = [*table_lines(finished.results, width)]
    seconds, watched = finished.seconds, finished.watched_sec
    lines += closing_lines(finished.results, seconds=seconds, watched_sec=watched, width=width)
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)


def _say_how_to_stop(console: Console, finished: Finished) -> None:
    pid = finished.pid
    console.print(
        f"\nThe server still runs, process {pid}. Look at it with\n"
        f"    ts-retry status --pid {pid}\n"
        f"    ts-retry show state_dict_mismatch --pid {pid}\n"
        "Stop it, and then remove its directory, with\n"
        f"    kill {pid}\n"
        f"    rm -r {finished.root}",
        markup=False,
        soft_wrap=True,
    )
