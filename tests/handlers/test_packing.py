"""Every handler is packed with the command that stands in its docstring, and the real ones serve."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HANDLERS = PROJECT / "handlers"

PREDICT = """
import json, os, sys
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.model_loader import TsModelLoader
import ts
name, model_dir, handler, request = sys.argv[1:]
os.chdir(model_dir)
sys.path.insert(0, model_dir)
metrics = MetricsCacheYamlImpl(os.path.join(ts.__path__[0], "configs", "metrics.yaml"))
metrics.initialize_cache()
service = TsModelLoader().load(name, model_dir, handler, None, 1, None, True, metrics)
service.set_cl_socket(None)
value = open(request, "rb").read()
batch = [{"requestId": b"1", "parameters": [{"name": "body", "value": value, "contentType": "text/plain"}]}]
answer = service.predict(batch)
print("ANSWER", json.dumps(bytes(answer).decode("latin-1")))
"""


def packing_commands() -> dict[str, str]:
    """Return the command of every file that has one, by the name of the model."""
    commands = {}
    for path in sorted(HANDLERS.rglob("*.py")):
        match = re.search(
            r"^    (torch-model-archiver (?:.*\\\n)*.*)$", path.read_text("utf-8"), re.MULTILINE
        )
        if match:
            command = match[1].replace("\\\n", " ")
            commands[command.split("--model-name ")[1].split()[0]] = command
    return commands


COMMANDS = packing_commands()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the models."""
    folder = tmp_path_factory.mktemp("model_weights")
    subprocess.run([sys.executable, HANDLERS / "make_models.py", folder], check=True, timeout=120)
    return folder


def pack(name: str, weights: Path, store: Path) -> Path:
    """Run the command of `name` as it is told, but for the two directories."""
    command = COMMANDS[name].replace("model_weights", str(weights))
    arguments = shlex.split(command.replace("model_store", str(store)))
    program = Path(sysconfig.get_path("scripts"), arguments[0])
    # The archiver deletes TMPDIR/<model name> before it packs, whatever that is.
    environ = {**os.environ, "TMPDIR": str(store)}
    subprocess.run([program, *arguments[1:]], cwd=PROJECT, env=environ, check=True, timeout=60)
    return store / f"{name}.mar"


@pytest.mark.xdist_group("handlers")
@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_in_the_docstring_packs_the_handler(
    name: str, weights: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(pack(name, weights, tmp_path)) as archive:
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
        assert manifest["model"]["handler"] in archive.namelist()


def test_every_directory_of_handlers_has_a_command() -> None:
    folders = {path.parent.name for path in HANDLERS.rglob("*.py")} - {"handlers"}
    assert set(COMMANDS) == folders


def test_the_readme_lists_every_directory() -> None:
    readme = (HANDLERS / "README.md").read_text("utf-8")
    assert {f"`{name}/`" for name in COMMANDS} <= set(re.findall(r"`[a-z_]+/`", readme))


@pytest.mark.xdist_group("handlers")
@pytest.mark.parametrize(
    ("name", "request_file", "expected"),
    [
        ("digits", "digits/seven.txt", {"digit": 7}),
        ("language", "language/question.txt", {"language": "de"}),
    ],
)
def test_the_real_models_answer_their_sample_request(
    name: str, request_file: str, expected: dict[str, object], weights: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(pack(name, weights, tmp_path)) as archive:
        archive.extractall(tmp_path / "model")
    arguments = [name, str(tmp_path / "model"), f"{name}_handler.py", str(HANDLERS / request_file)]
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("ANSWER "))
    body = json.loads(re.search(r"\{.*\}", json.loads(line[7:]), re.DOTALL)[0])  # type: ignore[index]
    assert expected.items() <= body.items()
    assert body["probability"] > 0.9


def parses(path: Path) -> bool:
    try:
        ast.parse(path.read_text("utf-8"))
    except SyntaxError:
        return False
    return True


def test_only_the_sources_of_two_models_do_not_parse() -> None:
    broken = {
        path.relative_to(HANDLERS).as_posix() for path in HANDLERS.rglob("*.py") if not parses(path)
    }
    assert broken == {
        "broken/syntax_error/handler.py",
        "broken/syntax_error_in_import/scaling.py",
    }
