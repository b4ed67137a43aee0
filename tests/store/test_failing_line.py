from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.store.exception_record import (
    ExceptionRecord,
    FailingLine,
    exception_from_json,
    exception_to_json,
)
from ts_retry_ext.store.failing_line import failing_line
from ts_retry_ext.worker.failure_report import exception_record

WRAPPED = """class H:
    def initialize(self):
        try:
            open("/nowhere/at/all")
        except OSError as error:
            raise RuntimeError("no weights") from error
"""


def raised(folder: Path, source: str) -> ExceptionRecord:
    """Return what a worker keeps of the failure of a handler with this source."""
    (folder / "h.py").write_text(source)
    spec = importlib.util.spec_from_file_location("h_of_this_test", folder / "h.py")
    assert spec is not None
    assert spec.loader is not None
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.H().initialize()
    except Exception as error:
        found = failure_from_exception(error, Phase.INITIALIZE, model_dir=str(folder), secrets=())
        return exception_record(found)
    raise AssertionError(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class H:\n    def initialize(self):\n        self.t = float('x')\n",
         "h.py:3 initialize: self.t = float('x')"),
        ("import json\nclass H:\n    def initialize(self):\n        json.loads('{')\n",
         "h.py:4 initialize: json.loads('{')"),
        ("import no_such_module_anywhere\n", "h.py:1 <module>: import no_such_module_anywhere"),
        ("x = 1\ndef f(:\n", "h.py:2: def f(:"),
        ("def f():\n  x = 1\n    y = 2\n", "h.py:3: y = 2"),
        (WRAPPED, 'h.py:6 initialize: raise RuntimeError("no weights") from error'),
    ],
)  # fmt: skip
def test_the_models_own_innermost_line_is_named(tmp_path: Path, source: str, words: str) -> None:
    found = failing_line(raised(tmp_path, source), str(tmp_path))
    assert found is not None
    assert found.in_words() == words


def test_without_the_directory_the_whole_path_is_shown(tmp_path: Path) -> None:
    found = failing_line(raised(tmp_path, "1 / 0\n"))
    assert found == FailingLine(str(tmp_path / "h.py"), 1, "<module>", "1 / 0")


def test_what_has_no_frame_of_the_model_has_no_line() -> None:
    assert failing_line(ExceptionRecord("ProcessDied", "signal 9")) is None
    assert failing_line(ExceptionRecord("SyntaxError", "cut off")) is None


def test_frame_whose_line_was_not_kept_names_file_and_function(tmp_path: Path) -> None:
    kept = raised(tmp_path, "class H:\n    def initialize(self):\n        1 / 0\n")
    found = failing_line(kept._replace(traceback="Traceback ..."), str(tmp_path))
    assert found is not None
    assert found.in_words() == "h.py initialize"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class H:\n    pass\n\nclass K(H):\n    def __init__(self, size):\n        pass\n", "h.py:4: class K(H)"),
        ("class H:\n    pass\n\nclass K(H):\n    pass\n", "h.py:4: class K(H)"),
        ("class K:\n    def __init__(self, *, token='hf_abcdefghijklmnopqrstuvwxyz0123456789'):\n        pass\n",
         "h.py:1: class K"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("handler", ["h.py", "h", "h.py:handle"])
def test_of_a_class_that_cannot_be_called_so_its_statement_is_named(
    tmp_path: Path, source: str, words: str, handler: str
) -> None:
    (tmp_path / "h.py").write_text(source)
    names: dict[str, type] = {}
    exec(source, names)
    with pytest.raises(TypeError) as caught:
        names["K"]() if "size" in source else names["K"]("unexpected")
    caught.value.__traceback__ = None  # TorchServe's own frame is the last one.
    failure = failure_from_exception(caught.value, Phase.CONSTRUCT, model_dir=str(tmp_path))
    found = exception_record(failure, str(tmp_path), handler).at
    assert found is not None
    assert found.in_words() == words


def test_the_place_is_kept_in_the_record(tmp_path: Path) -> None:
    """A journal that was written and read has it, without the traceback being looked through again."""
    found = raised(tmp_path, "1 / 0\n")
    assert exception_from_json(exception_to_json(found)) == found
    assert found.at is not None


@pytest.mark.parametrize("text", ["no call", "K() takes no arguments"])
def test_without_the_handlers_file_nothing_is_named(tmp_path: Path, text: str) -> None:
    failure = failure_from_exception(TypeError(text), Phase.CONSTRUCT)
    assert exception_record(failure, str(tmp_path), "gone.py").at is None
