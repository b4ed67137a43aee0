from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.worker import rules


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "while parsing"),
        ("a: 2024-13-99", "ValueError: month must be in 1..12"),
        ("a: !!bool x", "KeyError: 'x'"),
        ("a: !!timestamp x", "AttributeError: "),
        ("[" * 3000, "RecursionError: "),
        ("#" * (rules.MAX_RULES_BYTES + 1), "larger than"),
    ],
)
def test_what_is_no_yaml_is_the_error_that_rules_in_force_tells(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(ValueError) as refused:
        rules._load(str(path))
    assert says in str(refused.value)
