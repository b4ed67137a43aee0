from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from tests.check.models import pack, stub_torch
from tests.e2e.archives import initialize
from ts_retry_ext.cli.main import _parser

ROOT = Path(__file__).resolve().parents[2]
SOUND = initialize("pass")
CHECK = (sys.executable, "-m", "ts_retry_ext.cli.main", "check")


def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temp").mkdir(exist_ok=True)
    environ = {**stub_torch(tmp_path), "TMPDIR": str(tmp_path / "temp")}
    environ["PYTHONPATH"] += os.pathsep + str(ROOT)
    return environ


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHECK, *arguments],
        capture_output=True, text=True, env=environment(tmp_path), cwd=tmp_path, timeout=240, check=False,
    )  # fmt: skip


def test_several_models_side_by_side_for_people(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    pack(store, "broken", "def handle(data, context)\n")
    pack(store, "sound", SOUND)
    done = run(tmp_path, str(store), "--jobs", "2", "--junit", "out.xml")
    assert done.returncode == 3, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "RESULT", "VERDICT", "LOAD", "LIMIT", "MEMORY", "WINDOW"]
    assert lines[1].split()[:3] == ["broken", "fails", "non_recoverable"]
    assert lines[2].split()[:3] == ["sound", "loads", "-"]
    assert f"broken ({store}/broken.mar)" in lines
    assert "SyntaxError: expected ':'" in done.stdout or "SyntaxError: invalid" in done.stdout
    assert "non_recoverable (syntax-error)" in done.stdout
    assert lines[-1] == "1 of 2 load"
    assert {line.split(": ")[1] for line in done.stderr.splitlines()} == {"fails", "loads"}
    cases = Xml.parse(tmp_path / "out.xml").iter("testcase")
    assert [case.get("name") for case in cases] == ["broken", "sound"]
    assert not os.listdir(tmp_path / "temp")


def test_one_sound_model_as_json_with_a_request(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text("{}")
    archive = pack(tmp_path, "sound", SOUND)
    done = run(tmp_path, archive, "--json", "--data", "body.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    [row] = json.loads(done.stdout)
    assert (row["model"], row["result"], row["archive"]) == ("sound", "loads", archive)
    assert (row["request"]["status"], row["request"]["body"]) == (200, "sound")
    document = (ROOT / "docs" / "check.md").read_text()
    keys = document.partition("The keys of its entries: `")[2].partition("`")[0]
    assert [k.strip().partition("[")[0].partition("{")[0] for k in _split(keys)] == list(row)


def _split(keys: str) -> list[str]:
    depth, found = 0, [""]
    for character in keys:
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            found.append("")
        else:
            found[-1] += character
    return found


def test_a_folder_without_a_manifest_is_a_model_where_the_server_has_a_default_handler(
    tmp_path: Path,
) -> None:
    """SageMaker's layout. TorchServe 0.12.0 serves it, tried by hand."""
    code = tmp_path / "ml" / "model" / "code"
    code.mkdir(parents=True)
    (code.parent / "weights.txt").write_text("sound")
    (code / "inference.py").write_text(
        "def handle(data, context):\n"
        "    folder = context.system_properties['model_dir']\n"
        "    return [open(folder + '/weights.txt').read()] * len(data) if data else None\n"
    )
    (tmp_path / "body.json").write_text("{}")
    handler = f"default_service_handler={code}/inference.py:handle\n"
    (tmp_path / "config.properties").write_text(handler)
    done = run(tmp_path, str(code.parent), "--json", "--data", "body.json")
    [row] = json.loads(done.stdout)
    assert (row["model"], row["result"], row["request"]["body"]) == ("model", "loads", "sound")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["absent.mar"], 1, "absent.mar: there is no such file or folder"),
        (["empty"], 1, "only with default_service_handler in its config.properties"),
        (["lsp.mar"], 1, "C++ workers (LSP) cannot be checked."),
        (["evil.mar"], 3, "evil.mar: is no zip archive"),
        (["evil.mar", "--data", "absent"], 1, "cannot read absent"),
        (["evil.mar", "--junit", "absent/x.xml"], 1, "cannot write absent/x.xml"),
        (["evil.mar", "--ts-config", "absent"], 1, "absent"),
        (["evil.mar", "--jobs", "0"], 2, "invalid whole number of at least 1 value: '0'"),
        (["evil.mar", "--timeout", "-1"], 2, "invalid number above 0 value: '-1'"),
        ([], 2, "PATH"),
    ],
)
def test_what_cannot_be_checked_is_told_with_its_exit_code(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "evil.mar").write_bytes(b"evil")
    lsp = {"runtime": "LSP", "model": {"modelName": "lsp", "handler": "h"}}
    pack(tmp_path, "lsp", SOUND, files={"MAR-INF/MANIFEST.json": json.dumps(lsp)})
    done = run(tmp_path, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_report_stays_until_there_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "out.xml").write_text("older")
    archive = pack(tmp_path, "sound", SOUND)
    assert run(tmp_path, archive, "--junit", "out.xml", "--ts-config", "absent").returncode == 1
    assert (tmp_path / "out.xml").read_text() == "older"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_ended_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    note = tmp_path / "pid"
    body = f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)"
    archive = pack(tmp_path, "hangs", initialize(body))
    with subprocess.Popen(
        [*CHECK, archive], env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + 120
        while not (note.exists() and note.read_text()):
            assert time.monotonic() < until, "the load never began"
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code, said.decode()
    assert b"Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
    assert not os.listdir(tmp_path / "temp")


def test_the_pre_commit_hooks_and_the_workflow_run_the_command_as_it_is() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["ts-retry-check", "ts-retry-check-isolated"]
    workflow = (ROOT / "deploy" / "github-actions" / "check-models.yaml").read_text()
    steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
    used = [f"{hook['entry']} x.mar" for hook in hooks]
    used += [s["run"] for s in steps if s.get("run", "").startswith("ts-retry")]
    assert len(used) == 3
    for line in used:
        words = line.split()[1:]
        assert _parser(words).parse_args(words).paths


def test_a_handler_that_kills_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    temp = tmp_path / "t"
    temp.mkdir()
    pack(tmp_path, "kills", initialize("import os\nos.kill(os.getppid(), 9)"))
    done = subprocess.run(
        [*CHECK, "kills.mar"],
        capture_output=True, env={**environment(tmp_path), "TMPDIR": str(temp)}, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -9
    until = time.monotonic() + 60
    while list(temp.iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    assert list(temp.iterdir()) == []
