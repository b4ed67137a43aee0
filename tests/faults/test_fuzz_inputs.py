"""What operators and model makers hand in, spoilt: configurations and archives."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.mutating import effort, replaced, spoilt
from tests.frontend.packing import files, manifest, write_mar, write_tar
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend.archive import ArchiveError, read_archive
from ts_retry_ext.frontend.properties import parse_properties, read_properties, resolve_environment
from ts_retry_ext.settings import SETTINGS, resolve
from ts_retry_ext.worker.model_files import read_config_section, read_manifest

ROOT = Path(__file__).parents[2]
CONFIG = (ROOT / "config.properties").read_bytes() + b"".join(
    f"{row.property_key} = {row.default}\n".encode() for row in SETTINGS if row.property_key
)
YAML = (
    "minWorkers: 1\nmaxWorkers: 1\nmaxRetryTimeoutInSec: 20\nhandler: {a: [1, 2.5, null, ~]}\n"
    "retry:\n  onFatal: hold\n  maxHardCrashes: 2\n  rules:\n  - {id: a, when: {type: X}}\n"
)
#: Words of YAML that a mutation of single bytes hardly ever makes.
TOKENS = st.sampled_from(
    ["!!int x", "!!timestamp", "&a [*a]", "*none", "? [a]", "<<: 1", "2024-13-99", "!!python/name:os.system",
     "\t", "%YAML 9", "---\n---", "'", "{", "0x" + "f" * 400, "1e999", "\x00", "\ud7ff", "- " * 60]
)  # fmt: skip


def _mar() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(manifest(configFile="model-config.yaml"), YAML).items():
            archive.writestr(name, content)
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files(manifest(configFile="model-config.yaml"), YAML).items():
            info = tarfile.TarInfo("m/" + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _refusal(path: Path) -> str | None:
    try:
        read_archive(str(path))
    except ArchiveError as refused:
        return str(refused)
    return None


@effort(60, 20_000)
@given(data=st.one_of(spoilt(CONFIG), st.binary(max_size=300), st.text().map(str.encode)))
def test_any_configuration_is_read_and_gives_settings(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "config.properties"
    path.write_bytes(data)
    properties = resolve_environment(read_properties(str(path)), {"HOME": "/root"})
    settings, problems = resolve(properties, {}, config_file=str(path))
    assert settings.max_hard_crashes.value >= 0
    assert settings.on_fatal.value in ("hold", "reject", "retire", "shutdown", "observe")
    assert all(str(path) in problem for problem in problems)


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
@given(
    config=st.one_of(
        spoilt(YAML.encode()),
        st.tuples(st.sampled_from(["", "retry: ", "retry:\n  onFatal: ", "retry:\n"]), TOKENS)
        .map("".join)
        .map(str.encode),
    ),
    described=st.one_of(
        replaced(manifest(configFile="model-config.yaml")),
        spoilt(json.dumps(manifest(configFile="model-config.yaml")).encode()),
    ),
)
def test_a_worker_reads_any_model_folder(
    tmp_path_factory: pytest.TempPathFactory, config: bytes, described: bytes
) -> None:
    """What it cannot read is a problem to be told, never a reason to be inactive."""
    folder = tmp_path_factory.getbasetemp() / "folder"
    (folder / "MAR-INF").mkdir(parents=True, exist_ok=True)
    (folder / "MAR-INF" / "MANIFEST.json").write_bytes(described)
    (folder / "model-config.yaml").write_bytes(config)
    section, _ = read_config_section(str(folder), read_manifest(str(folder)), "retry")
    settings, _ = resolve({}, {}, section)
    assert settings.max_hard_crashes.value >= 0


@effort(60, 20_000)
@given(
    data=st.one_of(spoilt(_mar()), spoilt(_tar()), st.binary(max_size=300)),
    kind=st.sampled_from([".mar", ".tar.gz"]),
)
def test_an_archive_is_read_or_refused_with_its_name_and_a_reason(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    kind: str,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"archive{kind}"
    path.write_bytes(data)
    why = _refusal(path)
    assert why is None or (why.startswith(f"{path}: ") and len(why) > len(f"{path}: "))
    code = main(["config", "--json", str(path)])
    shown = json.loads(capsys.readouterr().out)
    assert [row["archive"] for row in shown] == [str(path)]
    unread = shown[0]["max_retry_timeout_sec"] is None
    assert code == int(unread)
    assert not unread or shown[0]["problems"]


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
