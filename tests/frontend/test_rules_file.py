from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.frontend.rules_file import (
    MAX_RULES_BYTES,
    MAX_RULES_FILES,
    RulesFileError,
    named_rules_files,
    read_rules_file,
)


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


def test_a_setting_names_a_file_a_folder_or_several(tmp_path: Path) -> None:
    for name in ("a.yaml", "packs/z.yml", "packs/b.yaml", "packs/readme.txt", "with, comma.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[]")

    def named(setting: str) -> list[str]:
        files = named_rules_files(setting, str(tmp_path))
        return [str(Path(file).relative_to(tmp_path)) for file in files]

    assert named("a.yaml") == ["a.yaml"]
    assert named("packs") == ["packs/b.yaml", "packs/z.yml"]
    assert named("a.yaml, packs,") == ["a.yaml", "packs/b.yaml", "packs/z.yml"]
    assert named("with, comma.yaml") == ["with, comma.yaml"]
    assert named("not-there.yaml") == ["not-there.yaml"]
    assert named_rules_files(str(tmp_path / "a.yaml"), "/elsewhere") == [str(tmp_path / "a.yaml")]


def test_a_folder_without_rules_or_with_too_many_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesFileError, match="holds no file"):
        named_rules_files(str(tmp_path), "/")
    for number in range(MAX_RULES_FILES + 1):
        (tmp_path / f"{number}.yaml").write_text("[]")
    with pytest.raises(RulesFileError, match="more than 100"):
        named_rules_files(str(tmp_path), "/")
