"""Every rule as a page: what it asks, what follows, what to do, an example, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from ts_retry_ext.judge.builtin import BUILTIN_SOURCE
from ts_retry_ext.judge.builtin.examples import EXAMPLES
from ts_retry_ext.judge.condition_words import condition_in_words
from ts_retry_ext.judge.gaps import without_names
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.verdict import Outcome, Scope

_VERDICTS = {
    "non_recoverable": "no retry can cure it",
    "recoverable": "a retry can cure it",
    "unknown": "the evidence does not settle it",
}
#: Characters of a label and the blanks behind it.
_LABEL = 9
_HEAD = """# The built-in rules

<!-- made by: ts-retry rules --page > docs/rules.md -->

The rules are asked in this order. The first rule whose condition holds decides. [Your own rules](how-to/write-rules.md) are asked before
them. `ts-retry rules ID` shows one rule, also one of your own. Patterns are regular expressions, separated by bars. Upper and lower case
are the same.
"""


def rule_in_full(rule: Rule, place: int) -> list[tuple[str, str]]:
    """Return pairs of a label and a text; a text may have several lines.

    Args:
        rule: the rule.
        place: its place in the order of all rules, from 1 on.
    """
    told = [
        ("rule", f"{rule.id} (asked as number {place})"),
        ("verdict", f"{rule.verdict.value}: {_VERDICTS[rule.verdict.value]}"),
        ("or", _where_it_is_unknown(rule)),
        ("halt", _how_a_halt_ends(rule)),
        ("scope", rule.scope.value),
        ("reason", without_names(rule.reason)),
        ("remedy", without_names(rule.remedy)),
        ("asks", "\n".join(condition_in_words(rule.when))),
        ("example", _example(rule)),
        ("source", " ".join(part for part in (rule.source, rule.since) if part)),
    ]
    return [(label, text) for label, text in told if text]


def rule_as_text(rule: Rule, place: int) -> str:
    """Return a rule in full as plain text; `place` is its place in the order, from 1 on."""
    gap = "\n" + " " * _LABEL
    told = rule_in_full(rule, place)
    return "".join(f"{label:<{_LABEL}}{text.replace(chr(10), gap)}\n" for label, text in told)


def rules_page(rules: Sequence[Rule]) -> str:
    """Return all rules as Markdown."""
    blocks = [_HEAD]
    for place, rule in enumerate(rules, start=1):
        told = dict(rule_in_full(rule, place))
        blocks.append(f"## {rule.id}\n")
        blocks.append(f"{told['reason']} {told.get('remedy', '')}".strip() + "\n")
        if "or" in told:
            blocks.append(f"Or {told['or']}.\n")
        halt = f" A halt {told['halt']}." if "halt" in told else ""
        blocks.append(
            f"Number {place}, `{rule.verdict.value}`, scope {rule.scope.value}, {told['source']}.{halt}\n"
        )
        lines = [
            *told["asks"].split("\n"),
            *(["", "Example:", told["example"]] if "example" in told else []),
        ]
        blocks.append("\n".join(["```text", *(line.rstrip() for line in lines), "```", ""]))
    return "\n".join(blocks)


def _where_it_is_unknown(rule: Rule) -> str:
    if not rule.damaged_file:
        return ""
    endings = " ".join(rule.damaged_file)
    return (
        "unknown, if the file may be none of the archive's: the failure names one outside of the model's directory or one that a load wrote, or "
        f"none, and the archive has no damaged file that can be meant ({endings})"
    )


def _how_a_halt_ends(rule: Rule) -> str:
    """Return what `outlook` says of a halt that rests on the rule, if the failure names no path outside of the model's directory."""
    if rule.verdict is not Outcome.NON_RECOVERABLE:
        return ""
    if rule.may_end_elsewhere or rule.scope is not Scope.MODEL:
        return "ends by a change, and is tried by the hour"
    if rule.about_weights:
        return "ends by a change; if the archive holds no weights, it is tried by the hour, too"
    return "ends by a change"


def _example(rule: Rule) -> str:
    if not rule.source.startswith(BUILTIN_SOURCE) or rule.id not in EXAMPLES:
        return ""
    kind, message, _more = EXAMPLES[rule.id]
    return f"{kind}: {message}" if message else kind
