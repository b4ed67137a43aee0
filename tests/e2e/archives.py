"""Pack and lay out models for a test, with the tools that people use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Mapping

SOUND = """
    class Sound:
        def initialize(self, context):
            pass

        def handle(self, data, context):
            return ["sound"] * len(data)
"""
#: What a load does that cannot connect, really.
CANNOT_CONNECT = """
import socket
with socket.socket() as nobody_listens:
    nobody_listens.bind(("127.0.0.1", 0))
    socket.create_connection(nobody_listens.getsockname())
"""
BROKEN = "import no_such_module_anywhere\n\n\nclass Handler:\n    pass\n"


def initialize(body: str) -> str:
    """Return the source of a handler whose ``initialize`` runs `body` and which then serves."""
    lines = "".join(f"            {line}\n" for line in dedent(body).strip().splitlines())
    return (
        "class Handler:\n        def initialize(self, context):\n"
        + lines
        + "\n        def handle(self, data, context):\n            return ['sound'] * len(data)\n"
    )


def function(name: str, body: str) -> str:
    """Return the source of a handler that is a function: its first call runs `body`, then it serves."""
    lines = "".join(f"        {line}\n" for line in dedent(body).strip().splitlines())
    return f"def {name}(data, context):\n    if data is None:\n{lines}    return ['sound'] * len(data or ())\n"


def refused(times: int, name: str = "context.model_name") -> str:
    """Return what a load does that cannot connect the first `times` times.

    Args:
        times: how many loads of the model fail, whichever of its workers makes them.
        name: what names the model, as Python.
    """
    return f"""
import os
with open(os.path.join(os.environ["TEMP"], "loads-" + {name}), "a+") as loads:
    loads.write("x")
    loads.flush()
    loads.seek(0)
    count = len(loads.read())
if count <= {times}:
{indent(CANNOT_CONNECT, "    ")}
"""


def lacks(name: str = "context.model_name") -> str:
    """Return what a load does that needs a module: it is missing until `TorchServe.supply` brings it.

    It lies outside the model's files. Holders watch where it would be, as that of any missing module.
    """
    return f"""
import importlib, os, sys
sys.path.append(os.environ["TEMP"])
importlib.import_module({name} + "_missing")
"""


def pack(store: Path, name: str, handler: str, files: Mapping[str, str | bytes] | None = None,
         config: str | None = None, serialized: str | None = None, version: str = "1.0") -> str:  # fmt: skip
    """Pack an archive with torch-model-archiver and return its file name.

    Args:
        store: the model store.
        name: the model's name.
        handler: source of the handler.
        files: further files, by name.
        config: text of ``model-config.yaml``, or None for none.
        serialized: which of `files` holds the weights.
        version: the version.
    """
    store.mkdir(parents=True, exist_ok=True)
    source = store.parent / "source" / f"{name}.files"
    source.mkdir(parents=True)
    handler_file = source / f"{name}_handler.py"
    handler_file.write_text(dedent(handler))
    extra = []
    for file, content in (files or {}).items():
        path = source / file
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        if file != serialized:
            extra.append(str(path))
    command = _archiver("model_archiver.model_packaging", "generate_model_archive")
    command += ["--model-name", name, "--version", version, "--handler", str(handler_file)]
    command += ["--export-path", str(store)]
    if extra:
        command += ["--extra-files", ",".join(extra)]
    if serialized:
        command += ["--serialized-file", str(source / serialized)]
    if config is not None:
        (source / "model-config.yaml").write_text(dedent(config))
        command += ["--config-file", str(source / "model-config.yaml")]
    # The archiver deletes and uses TMPDIR/<model name>; tests side by side use the same names.
    environ = {**os.environ, "TMPDIR": str(source.parent)}
    subprocess.run(command, check=True, capture_output=True, env=environ)
    return f"{name}.mar"


def pack_workflow(store: Path, name: str, functions: str, spec: str) -> str:
    """Pack a workflow with torch-workflow-archiver and return its file name.

    Args:
        store: the workflow store.
        name: the workflow's name.
        functions: source of the file that holds its functions.
        spec: text of its specification.
    """
    store.mkdir(parents=True, exist_ok=True)
    source = store.parent / "source" / f"{name}.workflow"
    source.mkdir(parents=True)
    (source / "functions.py").write_text(dedent(functions))
    (source / "spec.yaml").write_text(dedent(spec))
    command = _archiver("workflow_archiver.workflow_packaging", "generate_workflow_archive")
    command += ["--workflow-name", name, "--spec-file", str(source / "spec.yaml")]
    command += ["--handler", str(source / "functions.py"), "--export-path", str(store)]
    environ = {**os.environ, "TMPDIR": str(source.parent)}
    subprocess.run(command, check=True, capture_output=True, env=environ)
    return f"{name}.war"


def _archiver(module: str, function: str) -> list[str]:
    """Return the start of an archiver's command line, whether or not its script is on the path."""
    return [sys.executable, "-c", f"from {module} import {function}; {function}()"]


def lay_out(
    folder: Path,
    name: str,
    handler: str,
    config: str | None = None,
    runtime: str = "python",
    manifest: Mapping[str, str] | None = None,
) -> str:
    """Lay out a model as a directory, as ``--archive-format no-archive`` would; return its path."""
    (folder / "MAR-INF").mkdir(parents=True)
    model = {"modelName": name, "modelVersion": "1.0", "handler": f"{name}_handler.py"}
    model.update(manifest or {})
    if config is not None:
        (folder / "model-config.yaml").write_text(dedent(config))
        model["configFile"] = "model-config.yaml"
    whole = {"runtime": runtime, "model": model, "archiverVersion": "0.12.0"}
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(whole))
    (folder / f"{name}_handler.py").write_text(dedent(handler))
    return str(folder)
