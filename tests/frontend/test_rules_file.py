from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.frontend.rules_file import MAX_RULES_BYTES, RulesFileError, read_rules_file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "while parsing"),
        ("a: 2024-13-99", "ValueError: month must be in 1..12"),
        ("a: !!bool x", "KeyError: 'x'"),
        ("a: !!timestamp x", "AttributeError: "),
        ("[" * 3000, "RecursionError: "),
        ("#" * (MAX_RULES_BYTES + 1), "larger than"),
        (b"a: \xff", "is not valid YAML"),
        (None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_file_and_why(
    tmp_path: Path, text: str | bytes | None, says: str
) -> None:
    path = tmp_path / "rules.yaml"
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(RulesFileError) as refused:
        read_rules_file(str(path))
    assert str(refused.value).startswith(f"{path}: ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_is_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- {id: a}\n")
    assert read_rules_file(str(path)) == [{"id": "a"}]
