from __future__ import annotations

import pytest

from ts_retry_ext.plain_text import (
    cause_line,
    decided_by,
    halt_line,
    in_one_line,
    verdict_line,
    visible,
)


@pytest.mark.parametrize(
    ("kind", "message", "limit", "shown"),
    [
        ("KeyError", "'a'", None, "KeyError: 'a'"),
        ("KeyError", "", None, "KeyError"),
        ("E", "a\n  b\tc\r\n", None, "E: a b c"),
        ("E", "abcdef", 9, "E: abcdef"),
        ("E", "abcdef", 8, "E: abcd…"),
        ("E", "ab cd", 6, "E: ab…"),
        ("", "", None, ""),
    ],
)
def test_a_cause_is_one_line_of_bounded_length(
    kind: str, message: str, limit: int | None, shown: str
) -> None:
    assert cause_line(kind, message, limit) == shown


@pytest.mark.parametrize(
    ("basis", "rule", "decided", "verdict"),
    [
        ("rule", "syntax-error", "rule syntax-error", "unknown (syntax-error)"),
        ("repeated", None, "repeated", "not now (repeated)"),
        ("crashed", None, "crashed", "not now (crashed)"),
        ("repeated", "slow-store", "repeated slow-store", "not now (repeated slow-store)"),
        ("declared", "worker-poisoned", "declared worker-poisoned", "unknown (worker-poisoned)"),
        ("none", None, "none", "unknown"),
    ],
)
def test_what_decided_is_named(basis: str, rule: str | None, decided: str, verdict: str) -> None:
    assert decided_by(basis, rule) == decided
    assert verdict_line("unknown", basis, rule) == verdict


def test_a_halt_in_one_line_has_cause_rule_fingerprint_reason_and_remedy() -> None:
    line = halt_line("E: m", "rule r", "f00", "It\nfails.", "Mend " + "x" * 1000)
    assert line.startswith("E: m [rule r, fingerprint f00] It fails. Remedy: Mend x")
    assert "\n" not in line
    assert len(line) < 400
    assert halt_line("E", "repeated", "f", "why", "") == "E [repeated, fingerprint f] why"


@pytest.mark.parametrize(
    ("text", "keep", "shown"),
    [
        ("a\x1b[31m", "", "a\\x1b[31m"),
        ("a\nb", "", "a\\x0ab"),
        ("a\nb", "\n", "a\nb"),
        ("\u202eevil", "", "\\u202eevil"),
        ("\ud800", "", "\\ud800"),
        ("ä", "", "ä"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, keep: str, shown: str) -> None:
    assert visible(text, keep=keep) == shown


def test_white_space_of_any_kind_is_one_blank() -> None:
    assert in_one_line("  a\u2028b \x0b c ") == "a b c"


def test_a_long_cause_is_cut_to_its_first_words_and_says_how_much_is_left() -> None:
    keys = ", ".join(f'"layer{number}.weight"' for number in range(26))
    missing = f"Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: {keys}. "
    sizes = (
        "Error(s) in loading state_dict for Net:\n" + "\tsize mismatch for fc: 3 against 4\n" * 9
    )

    head = "RuntimeError: Error(s) in loading state_dict for Net:"
    wanted = f'{head} Missing key(s) in state_dict: "layer0.weight", and 25 more keys'
    assert cause_line("RuntimeError", missing) == wanted
    assert cause_line(
        "RuntimeError", missing + '\n\tUnexpected key(s) in state_dict: "x". '
    ).endswith("and 26 more keys")
    assert cause_line("RuntimeError", sizes) == (
        f"{head} size mismatch for fc: 3 against 4, and 8 more lines"
    )
    assert "layer25.weight" in cause_line("RuntimeError", missing, None)
