"""What operators and model makers hand in, spoilt: configurations and archives."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.archive.packing import files, manifest, write_mar, write_tar
from tests.faults.mutating import effort, replaced, spoilt
from tests.faults.promises import (
    archive_is_read_or_refused,
    configuration_gives_settings,
    model_folder_is_read,
    rules_are_read_or_refused,
)
from tests.faults.sound import CONFIG, MANIFEST, MAR, RULES, TAR, YAML, YAML_TOKENS
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend.properties import parse_properties

TOKENS = st.sampled_from(YAML_TOKENS)


@effort(60, 20_000)
@given(data=st.one_of(spoilt(CONFIG), st.binary(max_size=300), st.text().map(str.encode)))
def test_any_configuration_is_read_and_gives_settings(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    configuration_gives_settings(tmp_path_factory.getbasetemp() / "config.properties", data)


@given(st.dictionaries(st.text(), st.text()))
@effort(60, 20_000)
def test_what_properties_hold_comes_back(wanted: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        return "".join(f"\\u{ord(c):04x}" if ord(c) < 65_536 else c for c in text)

    text = "".join(f"{escaped(key)}={escaped(value)}\n" for key, value in wanted.items())
    separators = set("\x85\u2028\u2029")
    if not any(separators & set(key + value) for key, value in wanted.items()):
        assert parse_properties(text) == wanted


@effort(60, 20_000)
@given(data=st.one_of(spoilt(RULES.encode()), TOKENS.map("- id: {}".format).map(str.encode)))
def test_any_file_of_rules_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    rules_are_read_or_refused(tmp_path_factory.getbasetemp() / "rules.yaml", data)


@effort(60, 20_000)
@given(
    config=st.one_of(
        spoilt(YAML.encode()),
        st.tuples(st.sampled_from(["", "retry: ", "retry:\n  onFatal: ", "retry:\n"]), TOKENS)
        .map("".join)
        .map(str.encode),
    ),
    described=st.one_of(
        replaced(MANIFEST),
        spoilt(json.dumps(MANIFEST).encode()),
    ),
)
def test_a_worker_reads_any_model_folder(
    tmp_path_factory: pytest.TempPathFactory, config: bytes, described: bytes
) -> None:
    """What it cannot read is a problem to be told, never a reason to be inactive."""
    model_folder_is_read(tmp_path_factory.getbasetemp() / "folder", config, described)


@effort(60, 20_000)
@given(
    data=st.one_of(spoilt(MAR), spoilt(gzip.compress(TAR)), st.binary(max_size=300)),
    kind=st.sampled_from([".mar", ".tar.gz"]),
)
def test_an_archive_is_read_or_refused_with_its_name_and_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"archive{kind}"
    path.write_bytes(data)
    archive_is_read_or_refused(path)


@pytest.mark.parametrize(("write", "kind"), [(write_mar, ".mar"), (write_tar, ".tar.gz")])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_an_archive_that_was_cut_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: object, kind: str, part: float
) -> None:
    whole = write(tmp_path / f"whole{kind}", files(manifest(), YAML))  # type: ignore[operator]
    cut = tmp_path / f"cut{kind}"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * part)])
    assert main(["config", str(cut)]) == 1
    told = capsys.readouterr().out
    assert "Traceback" not in told
    assert str(cut) in told
