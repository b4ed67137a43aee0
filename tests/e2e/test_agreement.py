"""One failure, one verdict, one phase, one fingerprint: the live server, check, classify and analyze agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, Mapping

import pytest

from tests.e2e.archives import CANNOT_CONNECT, SOUND, initialize, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.record import Event, Record

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("agreement"), pytest.mark.timeout(1200)]

JUDGED = ("verdict", "rule", "fingerprint", "phase")
TORCH = "import torch\n"
_CLASS = "class Handler:\n"
_NET = "torch.nn.Linear(2, 2)"

#: Name -> what the body of `initialize` does.
LOADS: Mapping[str, str] = {
    "name": "threshold = float(THRESHOLD)",
    "attribute": "import json\njson.lodes('{}')",
    "value": "raise ValueError('calibration drifted')",
    "key": "{}['classes']",
    "index": "[][3]",
    "kind": "len(5)",
    "divides": "1 / 0",
    "asserts": "assert context is None",
    "recurses": "f = lambda: f()\nf()",
    "refused": CANNOT_CONNECT,
    "resolves": "import socket\nsocket.getaddrinfo('no-such-host.invalid', 80)",
    "late_socket": "import socket\na, b = socket.socketpair()\na.settimeout(0.1)\na.recv(1)",
    "absent_file": "open(context.system_properties['model_dir'] + '/weights.bin')",
    "absent_mount": "open('/mnt/models-that-nobody-mounted/weights.bin')",
    "folder_for_file": "open('/tmp')",
    "not_allowed": "raise PermissionError(13, 'Permission denied', '/etc/ssl/private/key.pem')",
    "full": "open('/dev/full', 'w').write('x' * 100000)",
    "no_descriptors": (
        "import os, resource\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))\n"
        "try:\n    open('/etc/passwd')\n"
        "finally:\n    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))"
    ),
    "json_cut": "import json\njson.loads('{\"a\": ')",
    "yaml_bad": "import yaml\nyaml.safe_load('a: [1, 2')",
    "pickle_cut": "import pickle\npickle.loads(b'\\x80\\x04\\x95\\x20')",
    "zip_bad": "import io, zipfile\nzipfile.ZipFile(io.BytesIO(b'no zip'))",
    "unicode": "b'\\xff\\xfe'.decode('utf-8')",
    "program": "import subprocess\nsubprocess.run(['no-such-program'])",
    "program_fails": "import subprocess\nsubprocess.run(['false'], check=True)",
    "library": "import ctypes\nctypes.CDLL('libnosuch.so.7')",
    "chained": (
        "try:\n    {}['host']\nexcept KeyError as error:\n    raise RuntimeError('no configuration') from error"
    ),
    "in_context": "try:\n    int('x')\nexcept ValueError:\n    raise RuntimeError('no size')",
    "noted": "raise RuntimeError('several\\nlines\\n  of a message')",
    "module": "import acme_feature_store",
    "name_in_module": "from json import lodes",
    "state_dict": TORCH + f"{_NET}.load_state_dict({{'weight': torch.zeros(3, 2)}})",
    "shapes": TORCH + f"{_NET}(torch.zeros(1, 3))",
    "checkpoint_cut": TORCH + "import io\nb = io.BytesIO()\n"
    "torch.save({'a': torch.zeros(10)}, b)\ntorch.load(io.BytesIO(b.getvalue()[:200]))",
    "no_cuda": TORCH + "torch.zeros(1).cuda()",
    "script_bad": TORCH + "import io\ntorch.jit.load(io.BytesIO(b'no script'))",
    "memory": TORCH + "torch.empty(1 << 50)",
    "exits": "raise SystemExit(3)",
    "interrupts": "raise KeyboardInterrupt",
    "no_message": "raise RuntimeError",
}
#: Name -> a handler's whole source.
HANDLERS: Mapping[str, str] = {
    "syntax": "def handle(data, context)\n",
    "import_fails": "import acme_feature_store\n" + dedent(SOUND),
    "top_level": "SIZES = [64, 128]\nLAST = SIZES[2]\n" + dedent(SOUND),
    "signature": _CLASS
    + "    def __init__(self, threshold):\n        self.threshold = threshold\n",
    "constructs": _CLASS + "    def __init__(self):\n        raise ValueError('no threshold')\n",
    "no_handler": "ANSWER = 42\n",
}
#: Handlers whose process dies without an exception; a log holds nothing of what is judged then.
DEATHS: Mapping[str, str] = {
    "dies": initialize("import os\nos._exit(7)"),
    "segfaults": initialize("import ctypes\nctypes.string_at(0)"),
}


def test_every_reader_of_a_failure_says_the_same_of_it(tmp_path: Path) -> None:
    with_exception = {**{name: initialize(body) for name, body in LOADS.items()}, **HANDLERS}
    sources = {**with_exception, **DEATHS}
    store = tmp_path / "store"
    for name, source in sources.items():
        pack(store, name, source)
    models = {name: f"{name}.mar" for name in sources}
    with TorchServe(tmp_path, models) as server:
        live = {name: told_of(_first_failure(server, name)) for name in sources}
        log = server.log()
        checked = server.command("check", str(store), "--json", timeout=900)
    rows = {row["model"]: row for row in json.loads(checked.stdout)}
    analyzed = _analyzed(tmp_path, log)
    readers: Mapping[str, Mapping[str, Any]] = {
        "check": {name: {key: rows[name][key] for key in JUDGED} for name in sources},
        "classify": {name: _classified(lines_of(log, name)) for name in with_exception},
        "analyze": {name: analyzed.get(name) for name in with_exception},
    }
    different = [
        f"{name}: live {live[name]}, {reader} {told}"
        for reader, by_model in readers.items()
        for name, told in by_model.items()
        if told != live[name]
    ]
    assert len(live) >= 40
    assert not different, "\n".join(different)


def told_of(record: Record) -> dict[str, Any]:
    return {key: getattr(record, key) for key in JUDGED}


def _first_failure(server: TorchServe, model: str) -> Record:
    def found() -> Record | None:
        failed = (Event.FAILURE, Event.CRASH)
        return next((r for r in server.journal_of(model) if r.event in failed), None)

    record = server.wait_for(found, f"{model} has failed", 300)
    assert record is not None
    return record


def lines_of(log: str, model: str) -> str:
    """Return what a person would cut out of the log: the lines of the model's worker."""
    return "\n".join(line for line in log.splitlines() if f"-{model}_1.0" in line)


def _classified(text: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "ts_retry_ext.cli.main", "classify", "--json", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    first = json.loads((done.stdout or "{}").splitlines()[0])
    return {key: first.get(key) for key in JUDGED}


def _analyzed(folder: Path, log: str) -> dict[str, dict[str, Any]]:
    (folder / "whole.log").write_text(log)
    command = [sys.executable, "-m", "ts_retry_ext.cli.main", "analyze", "--json"]
    done = subprocess.run(
        [*command, str(folder / "whole.log")], capture_output=True, text=True, check=False
    )
    return {
        model["model"]: {key: model["causes"][0].get(key) for key in JUDGED}
        for model in json.loads(done.stdout)["models"]
    }
