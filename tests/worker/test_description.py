"""What a handler says of itself once its worker has loaded it, in a process that looks like a worker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = str(Path(__file__).resolve().parents[2])
PROGRAM = """
import json, os, sys, types
sys.path.insert(0, {root!r})
from tests.faults.killing import in_child, lay_out, open_worker
from ts_retry_ext.worker.guard import LoadGuard

class Base:
    def handle(self, data, context):
        return [self.describe_handle()]
    def describe_handle(self):
        pass

class Inherits(Base):
    pass

class Own(Base):
    def describe_handle(self):
        return {{"mine": 1}}

class Above(Own):
    def describe_handle(self):
        return {{**super().describe_handle(), "above": 2}}

class Taken(Base):
    def describe_handle(self):
        return {{"retry": "mine"}}

class Words(Base):
    def describe_handle(self):
        return ["some", "words"]

class Fails(Base):
    def describe_handle(self):
        raise KeyError("no description")

class Static(Base):
    @staticmethod
    def describe_handle():
        return {{"mine": 1}}

class Sealed(type):
    def __setattr__(self, name, value):
        raise TypeError("sealed")

class Refuses(Base, metaclass=Sealed):
    pass

class Plain:
    def handle(self, data, context):
        return [{{"a": "prediction"}}]

def function(data, context):
    return [{{"a": "prediction"}}]

made = {made}

class TsModelLoader:
    def load(self, name):
        entry_point = made if made is function else made().handle
        return types.SimpleNamespace(_entry_point=entry_point)

def worker():
    session = open_worker(model_dir)
    guard = LoadGuard(session)
    guard.install()
    guard._wrap(types.SimpleNamespace(TsModelLoader=TsModelLoader))
    service = TsModelLoader().load("m")
    {before}
    try:
        (said,) = service._entry_point([{{}}], None)
    except KeyError as error:
        said = repr(error)
    print(json.dumps([said, Base().describe_handle()]), file=sys.stderr)

model_dir = lay_out(os.getcwd())
in_child(worker)
"""


def described(folder: Path, made: str, before: str = "pass") -> Any:
    """Return what a handler of a class says of itself; what it inherits must say nothing."""
    program = PROGRAM.format(root=ROOT, made=made, before=before)
    command = [sys.executable, "-c", program, MAIN_CLASS]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr.strip(), done.stdout
    said, inherited = json.loads(done.stderr.splitlines()[-1])
    assert inherited is None
    return said


@pytest.mark.parametrize(
    ("made", "own"),
    [("Inherits", {}), ("Own", {"mine": 1}), ("Above", {"mine": 1, "above": 2})],
)
def test_what_is_in_force_stands_beside_the_handlers_own_description(
    made: str, own: dict[str, object], tmp_path: Path
) -> None:
    said = described(tmp_path, made)

    part = said.pop("retry")
    assert said == own
    assert (part["model"], part["version"], part["state"]) == ("m", "1.0", "serving")
    found = {row["name"]: (row["value"], row["source"]) for row in part["parameters"]}
    assert found["maxRetryTimeoutInSec"] == (300, "default")
    assert found["retry_on_fatal"] == ("hold", "default")
    assert "retry_sidecar" not in found


@pytest.mark.parametrize(
    ("made", "own"),
    [
        ("Taken", {"retry": "mine"}),
        ("Words", ["some", "words"]),
        ("Fails", "KeyError('no description')"),
        ("Refuses", None),
        ("Plain", {"a": "prediction"}),
        ("function", {"a": "prediction"}),
    ],
)
def test_anything_else_is_what_it_was(made: str, own: object, tmp_path: Path) -> None:
    assert described(tmp_path, made) == own


def test_a_static_method_is_left_alone(tmp_path: Path) -> None:
    assert described(tmp_path, "Static") == {"mine": 1}


def test_a_part_that_cannot_be_made_leaves_the_own_description(tmp_path: Path) -> None:
    assert described(tmp_path, "Own", "session.settings = None") == {"mine": 1}
