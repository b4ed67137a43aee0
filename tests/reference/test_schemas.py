"""What commands and the sidecar print is what docs/reference/openapi.yaml says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reference.commands_page import all_commands
from reference.openapi import command_schemas, openapi, schema_named
from tests.cli.servers import described, frontend
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.cli.main import main
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.verdict import Basis
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.record import Event

SIDECAR = Path(__file__).parents[2] / "ts_retry_ext" / "sidecar"
#: Pages, and what they are made of.
FOR_PEOPLE = ("/", "/model/{model}", "/model/{model}/{version}", "/static/{name}")
jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema on this machine")
BROKEN = "Traceback (most recent call last):\n  File \"h.py\", line 1, in <module>\nNameError: name 'x' is not defined\n"
LOG = """\
2026-11-26T13:20:04,121 [DEBUG] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - W-9000-m_1.0 State change null -> WORKER_STARTED
2026-11-26T13:20:05,121 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - NameError: name 'x' is not defined
"""


def valid(content: Any, name: str, *, is_list: bool = False) -> None:
    """Fail where content is not as the schema says."""
    schema = schema_named(name)
    if is_list:
        schema = {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": schema.pop("$ref")},
            **schema,
        }
    jsonschema.Draft202012Validator(schema).validate(content)


def answer_schema(path: str, method: str, status: int) -> dict[str, Any]:
    """Return the schema of an answer; fails where the description does not have it."""
    content = openapi()
    found = content["paths"][path][method]["responses"][str(status)]
    if "$ref" in found:
        found = content["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return {**found["content"]["application/json"]["schema"], "components": content["components"]}


def test_every_path_that_the_sidecar_has_for_programs_is_described() -> None:
    taken = {
        (method, path)
        for module in SIDECAR.glob("*.py")
        for method, path in re.findall(r'web\.(get|post)\("([^"]+)"', module.read_text())
        if path not in FOR_PEOPLE
    }
    paths = openapi()["paths"]
    assert taken == {(method, path) for path, methods in paths.items() for method in methods}


def test_every_command_with_json_has_a_schema() -> None:
    schemas = {command.split()[0] for command in command_schemas()}
    # The demo's is for its own tests.
    commands = {one.name for one in all_commands() if "--json" in dict(one.options)} - {"demo"}
    assert schemas == commands


def test_words_of_the_schemas_are_those_of_the_code() -> None:
    schemas = openapi()["components"]["schemas"]
    assert schemas["State"]["enum"] == [state.value for state in State]
    assert schemas["Phase"]["enum"] == [*(phase.value for phase in Phase), None]
    assert schemas["Basis"]["enum"] == [*(basis.value for basis in Basis), None]
    actions = schemas["Model"]["properties"]["action"]["enum"]
    assert actions == [*(value.value for value in OnFatal), None]


def test_what_commands_print_and_the_sidecar_answers_is_as_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "error.txt").write_text(BROKEN)
    (tmp_path / "torn.mar").write_bytes(b"PK\3\4")
    (tmp_path / "ts_log.log").write_text(LOG)

    def printed(command: str, *arguments: str) -> Any:
        capsys.readouterr()
        main([command, "--json", *arguments])
        return json.loads(capsys.readouterr().out)

    valid(printed("classify", str(tmp_path / "error.txt")), "Judgment")
    valid(printed("analyze", str(tmp_path / "ts_log.log")), "Analysis")
    valid(printed("check", str(tmp_path / "torn.mar")), "Check", is_list=True)
    with frontend(tmp_path / "run") as server:
        ready = {"id": "9000", "status": "READY", "pid": 1}
        server.register(described("bad"), described("sound", workers=[ready]))
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        folder = write_journal(
            server.kept / "bad",
            record(Event.START, 0, pid=77, model="bad"),
            failure(1, pid=77, model="bad"),
        )
        hold(folder, 77, model="bad")
        pid = ("--pid", str(server.pid))
        valid(printed("status", *pid), "Status")
        valid(printed("show", "bad", *pid), "Report")
        valid(printed("history", *pid), "History")
        valid(printed("config", *pid), "Window", is_list=True)
        valid(printed("config", "--all", *pid), "Parameters", is_list=True)
        valid(printed("rules", *pid), "Rule", is_list=True)
        valid(printed("doctor", *pid), "Diagnosis")
        with sidecar(tmp_path / "sidecar", *pid, "--inference", server.api.address) as observing:
            observing.wait_for(lambda: observing.states().get("bad") == "halted", "it is seen")
            assert observing.ask("/ping").status == 500
            for path, named, method in (
                *((path, path, "GET") for path in ("/ping", "/livez", "/readyz", "/models")),
                ("/config", "/config", "GET"),
                ("/readyz?model=sound", "/readyz", "GET"),
                ("/readyz?model=none", "/readyz", "GET"),
                ("/models/bad", "/models/{model}", "GET"),
                ("/models/none", "/models/{model}", "GET"),
                ("/models/none/resume", "/models/{model}/resume", "POST"),
                ("/models/sound/resume", "/models/{model}/resume", "POST"),
                ("/models/bad/resume?wait=x", "/models/{model}/resume", "POST"),
                ("/models/bad/resume", "/models/{model}/resume", "POST"),
                ("/causes/none/resume", "/causes/{cause}/resume", "POST"),
            ):
                found = observing.ask(path, method)
                schema = answer_schema(named, method.lower(), found.status)
                jsonschema.Draft202012Validator(schema).validate(found.json())
