"""A file of the archive that hides a module is named, and nothing else is taken for one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.judge import Host, Outcome, failure_from_record, failure_from_text, judge
from ts_retry_ext.judge.shadowing import shadowing_file

UNPACKED = "/home/model-server/tmp/models/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("message", "file"),
    [
        (f"cannot import name 'MappingProxyType' from 'types' ({UNPACKED}/types.py)", "types.py"),
        (
            f"cannot import name 'Auto' from partially initialized module 'transformers' ({UNPACKED}/transformers.py)",
            "transformers.py",
        ),
        (f"cannot import name 'nn' from 'torch' ({UNPACKED}/torch/__init__.py)", "torch/"),
        (
            f"module 'random' has no attribute 'Random' (consider renaming '{UNPACKED}/random.py' since it has the same name)",
            "random.py",
        ),
        ("No module named 'yaml.nodes'; 'yaml' is not a package", "yaml.py"),
        # The model's own module, another package's, and a library that lacks a name.
        (f"cannot import name 'clean' from 'preprocess' ({UNPACKED}/preprocess.py)", None),
        ("cannot import name 'x' from 'torch' (/opt/venv/site-packages/torch/__init__.py)", None),
        ("module 'torch' has no attribute 'compile'", None),
        ("No module named 'torch.foo'", None),
    ],
)
def test_a_text_that_gives_the_file_names_it(message: str, file: str | None) -> None:
    kind = "AttributeError" if "attribute" in message else "ImportError"
    failure = failure_from_record({"exc_type": kind, "message": message})
    assert shadowing_file(failure, Host()) == file
    verdict = judge(failure)
    assert (verdict.rule == "module-shadowed") is (file is not None)
    assert file is None or (file in verdict.remedy and "Rename" in verdict.remedy)


@pytest.mark.parametrize("module", ["logging", "types", "enum"])
def test_python_s_own_words_for_a_shadow_are_understood(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("NOTHING = 1\n")
    ran = subprocess.run(
        [sys.executable, "-c", "import concurrent.futures.thread, logging.config"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    host = Host(model_dir=str(tmp_path), exists=os.path.exists)
    verdict = judge(failure_from_text(ran.stderr), host=host)
    assert (verdict.rule, verdict.verdict) == ("module-shadowed", Outcome.NON_RECOVERABLE)
    assert f"Rename {module}.py" in verdict.remedy
