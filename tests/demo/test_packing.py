from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ts_retry_ext.demo import DemoError, packing
from ts_retry_ext.demo.models import MODELS, DemoModel
from ts_retry_ext.demo.packing import lay_out_handlers, pack, packing_arguments
from ts_retry_ext.snapshot.state import State


def test_every_handler_is_part_of_the_demo_and_tells_how_to_pack_it(tmp_path: Path) -> None:
    lay_out_handlers(tmp_path)
    handlers = tmp_path / packing.HANDLERS
    told = {
        path.relative_to(handlers).as_posix()
        for path in handlers.rglob("*.py")
        if "    torch-model-archiver" in path.read_text("utf-8")
    }
    assert told == {model.source for model in MODELS}
    for model in MODELS:
        arguments = packing_arguments((handlers / model.source).read_text("utf-8"))
        assert arguments[arguments.index("--model-name") + 1] == model.name
        assert model.request is None or (handlers / model.request).is_file()


def test_sources_of_a_wheel_get_their_names_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed"
    (installed / "broken").mkdir(parents=True)
    (installed / "make_models.py").write_text("")
    (installed / "broken" / "handler.py.txt").write_text("def f(:\n")
    (installed / "question.txt").write_text("?")
    monkeypatch.setattr(packing, "INSTALLED_HANDLERS", installed)
    lay_out_handlers(tmp_path)
    found = {path.name for path in (tmp_path / packing.HANDLERS).rglob("*") if path.is_file()}
    assert found == {"make_models.py", "handler.py", "question.txt"}


def test_an_archive_is_packed_with_the_command_of_its_handler(tmp_path: Path) -> None:
    lay_out_handlers(tmp_path)
    (broken,) = [model for model in MODELS if model.name == "syntax_error_in_import"]
    ticks: list[int] = []
    pack(tmp_path, broken, {}, lambda: ticks.append(1))
    with zipfile.ZipFile(tmp_path / packing.STORE / "syntax_error_in_import.mar") as archive:
        assert {"handler.py", "scaling.py"} <= set(archive.namelist())
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
    assert manifest["model"]["modelName"] == "syntax_error_in_import"
    assert ticks


def test_a_failed_archiver_is_an_error_with_its_output(tmp_path: Path) -> None:
    (tmp_path / packing.HANDLERS).mkdir()
    command = (
        "torch-model-archiver --model-name x --version 1 --handler handlers/missing.py --wrong"
    )
    (tmp_path / packing.HANDLERS / "x.py").write_text(f'"""\n    {command}\n"""\n')
    with pytest.raises(DemoError, match="packing x failed") as caught:
        pack(tmp_path, DemoModel("x", "x.py", State.HALTED), {}, lambda: None)
    assert "unrecognized arguments: --wrong" in caught.value.log


def test_a_text_without_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="no torch-model-archiver command"):
        packing_arguments('"""Nothing here."""')
