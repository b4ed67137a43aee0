"""`ts-retry rules`: list the rules in the order in which they are asked, or check a file of them."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Sequence

from ts_retry_ext.cli.printing import (
    ERROR,
    OK,
    CommandError,
    as_command_error,
    print_json,
    print_labelled,
    print_line,
    print_wrapped,
    warn,
)
from ts_retry_ext.cli.shared_options import add_server_option, chosen_server
from ts_retry_ext.frontend.rules_file import RulesFileError
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.gaps import without_names
from ts_retry_ext.judge.rule import Rule, rule_record
from ts_retry_ext.plain_text import counted
from ts_retry_ext.snapshot.own_rules import (
    OwnRules,
    read_rules,
    rules_of_archives,
    rules_of_registered,
    rules_of_server,
)

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server_configuration import Server

_WRONG = 3
#: Characters of a label and the blanks behind it.
_SHOWN_LABEL = 9
#: What can be a rule's id; a path that exists is none.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "rules",
        help="list the rules in force, in order, or check a file of your own",
        description="List the rules in the order in which they are asked. The first that matches "
        "decides. Your own rules come before the built-in ones. They are those of the running "
        "server (retry_rules in its config.properties, or TS_RETRY_RULES). If a model has its own "
        "(retry: rules: in model-config.yaml), these count instead of the server's. If no server "
        "runs, they are those that a server started here would have.",
        epilog="examples:\n"
        "  ts-retry rules\n"
        "  ts-retry rules name-error\n"
        "  ts-retry rules --check my_rules.yaml",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="ID | PATH",
        help="a rule to show in full, or an archive, folder or model store that has its own rules",
    )
    parser.add_argument(
        "--page", action="store_true", help="print the built-in rules as a page of Markdown"
    )
    parser.add_argument(
        "--check", metavar="FILE", help="check a YAML file of rules, and list what is wrong in it"
    )
    parser.add_argument("--rules", metavar="FILE", help="use only these as your own rules")
    parser.add_argument(
        "--ts-config",
        metavar="FILE",
        help="config.properties to take your own rules from, if no server runs",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_server_option(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 fine, 1 rules cannot be read, 3 a rule is wrong."""
    if args.check:
        return _check(args.check, as_json=args.json)
    if args.page:
        from ts_retry_ext.judge.rule_page import rules_page

        print(rules_page(BUILTIN_RULES), end="")
        return OK
    wanted = [name for name in args.paths if _ID.match(name) and not os.path.exists(name)]
    args.paths = [path for path in args.paths if path not in wanted]
    if args.rules:
        with as_command_error(RulesFileError):
            own = [OwnRules(None, "--rules", *read_rules(args.rules))]
    else:
        own = _in_force(args)
    for part in own:
        for problem in (part.unreadable, *part.problems):
            if problem:
                warn(f"ts-retry: {problem}")
    listed = [(rule, part.model) for part in own for rule in part.rules]
    listed += [(rule, None) for rule in BUILTIN_RULES]
    if wanted:
        return _show(wanted, listed, as_json=args.json)
    if args.json:
        print_json([{**rule_record(rule), "model": model} for rule, model in listed])
    else:
        _print(listed)
        for note in _notes(own):
            print_wrapped(note)
    if any(part.unreadable for part in own):
        return ERROR
    return _WRONG if any(part.problems for part in own) else OK


def _show(names: Sequence[str], listed: Sequence[tuple[Rule, str | None]], *, as_json: bool) -> int:
    """Print rules in full; 1 if one of them is not known."""
    from ts_retry_ext.judge.rule_page import rule_in_full

    known = {rule.id for rule, _ in listed}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            warn(f"ts-retry: there is no rule {name}{hint}")
    found = [(place, *one) for place, one in enumerate(listed, start=1) if one[0].id in names]
    if as_json:
        print_json([{**rule_record(rule), "model": model} for _, rule, model in found])
    else:
        for number, (place, rule, model) in enumerate(found):
            if number:
                print_line()
            for label, text in rule_in_full(rule, place):
                first, *others = text.split("\n")
                print_labelled(label, first, _SHOWN_LABEL)
                for line in others:
                    print_line(" " * _SHOWN_LABEL + line)
            if model:
                print_labelled("model", model, _SHOWN_LABEL)
    return OK if known.issuperset(names) else ERROR


def _in_force(args: argparse.Namespace) -> list[OwnRules]:
    """Return own rules, those of models first."""
    from ts_retry_ext.cli.shared_options import archives_named, configuration_named
    from ts_retry_ext.frontend.condition import ManagementError

    running = _running_server(args)
    configuration = running.configuration if running else configuration_named(args.ts_config)
    own: list[OwnRules] = []
    if args.paths:
        own += rules_of_archives(archives_named(args.paths, configuration), configuration)
    elif running is not None:
        try:
            own += rules_of_registered(configuration)
        except ManagementError as error:
            warn(f"ts-retry: the models' own rules are not shown: {error}")
    of_server = rules_of_server(configuration)
    return [*own, *([of_server] if of_server else [])]


def _running_server(args: argparse.Namespace) -> Server | None:
    if args.ts_config is not None:
        return None
    try:
        return chosen_server(args.pid)
    except CommandError as error:
        if args.pid is not None:
            raise
        warn(f"ts-retry: no server's rules are shown: {error}")
        return None


def _print(listed: Sequence[tuple[Rule, str | None]]) -> None:
    """Print a line a rule; on a terminal that is too narrow for it, the words below."""
    lines = _table(listed)
    if not sys.stdout.isatty() or max(map(len, lines)) <= shutil.get_terminal_size().columns:
        for line in lines:
            print_line(line)
        return
    widths = [max(len(getattr(rule, name)) for rule, _ in listed) for name in ("id", "verdict")]
    for number, (rule, model) in enumerate(listed, start=1):
        cells = (rule.id.ljust(widths[0]), rule.verdict.value.ljust(widths[1]), rule.scope.value)
        print_line(f"{number:<4} {'  '.join(cells)}")
        origin = ", ".join(part for part in (model, rule.source, rule.since) if part)
        print_wrapped(f"     {without_names(rule.reason)} ({origin})", 5)


def _table(listed: Sequence[tuple[Rule, str | None]]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("#", "RULE", "VERDICT", "SCOPE", "MODEL", "SOURCE", "SINCE", "WHAT IS WRONG")
    ]
    rows += [
        (
            str(number),
            rule.id,
            rule.verdict.value,
            rule.scope.value,
            model or "",
            rule.source,
            rule.since,
            without_names(rule.reason),
        )
        for number, (rule, model) in enumerate(listed, start=1)
    ]
    if not any(model for _, model in listed):
        rows = [row[:4] + row[5:] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[-1]]).rstrip()
        for row in rows
    ]


def _notes(own: Sequence[OwnRules]) -> list[str]:
    """Say which setting each group of own rules comes from, and for whom they count."""
    notes = []
    for part in own:
        if part.unreadable:
            continue
        for_whom = (
            f"model {part.model} only" if part.model else "every model without rules of its own"
        )
        notes.append(f"{counted(len(part.rules), 'rule')} for {for_whom}: {part.setting}")
    return notes


def _check(path: str, *, as_json: bool) -> int:
    try:
        rules, problems = read_rules(path)
    except RulesFileError as error:
        if not as_json:
            raise CommandError(str(error)) from error
        unread = {"rule": "", "field": "", "message": str(error)}
        print(json.dumps({"rules": 0, "problems": [unread]}))
        return ERROR
    if as_json:
        found = [
            {"rule": problem.rule, "field": problem.field, "message": problem.message}
            for problem in problems
        ]
        print(json.dumps({"rules": len(rules), "problems": found}))
    else:
        for problem in problems:
            print(problem)
        wrong = counted(len(problems), "fault") if problems else "none wrong"
        print(f"{path}: {counted(len(rules), 'rule')} in order, {wrong}")
    return _WRONG if problems else OK
