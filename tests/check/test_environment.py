from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.check.environment import configuration_here, metrics_file, worker_environment

INSTALLED, CHECKOUT = "/py/lib/python3/site-packages", "/src/serve"


def path_of(model_dir: Path, handler: str, home: str, **environ: str) -> str:
    return worker_environment(
        environ, {}, home=home, model_dir=str(model_dir), handler=handler
    )["PYTHONPATH"]  # fmt: skip


def test_an_archive_stands_on_the_path_before_an_empty_entry(tmp_path: Path) -> None:
    assert path_of(tmp_path, "h.py", INSTALLED) == f"{tmp_path}:"


def test_a_checkout_of_torchserve_stands_at_the_end(tmp_path: Path) -> None:
    assert path_of(tmp_path, "h.py", CHECKOUT) == f"{tmp_path}:{CHECKOUT}"


def test_the_servers_own_path_comes_before_the_model(tmp_path: Path) -> None:
    assert path_of(tmp_path, "h.py", INSTALLED, PYTHONPATH="/a:/b") == f"/a:/b:{tmp_path}:"


@pytest.mark.parametrize(("handler", "entry"), [("h.py:f", "h.py"), ("a/b/h.py:f", "a/b")])
def test_a_handler_with_a_function_stands_before_all(
    tmp_path: Path, handler: str, entry: str
) -> None:
    assert path_of(tmp_path, handler, INSTALLED) == f"{entry}:{tmp_path}:"


def test_a_folder_is_named_by_its_real_path_and_by_where_its_link_lies(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "models").mkdir()
    link = tmp_path / "models" / "link"
    link.symlink_to(tmp_path / "real")
    assert path_of(link, "h.py", INSTALLED) == f"{tmp_path / 'real'}:{tmp_path / 'models'}:"


def test_variables_of_the_server_are_added_and_hidden_ones_taken_out(tmp_path: Path) -> None:
    properties = {"blacklist_env_vars": "SECRET.*|KEY", "decode_input_request": "false"}
    environ = {"SECRET_A": "1", "KEY": "2", "KEYS": "3", "HOME": "/h"}
    found = worker_environment(
        environ, properties, home=INSTALLED, model_dir=str(tmp_path), handler=None
    )
    assert "SECRET_A" not in found
    assert "KEY" not in found
    assert (found["KEYS"], found["HOME"]) == ("3", "/h")
    assert found["TS_DECODE_INPUT_REQUEST"] == "false"
    assert found["TS_IPEX_ENABLE"] == "false"


def test_the_configuration_named_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.properties").write_text("default_startup_timeout=1\n")
    (tmp_path / "b.properties").write_text("default_startup_timeout=2\n")
    monkeypatch.setenv("TS_CONFIG_FILE", str(tmp_path / "a.properties"))
    assert configuration_here(None).properties["default_startup_timeout"] == "1"
    named = configuration_here(str(tmp_path / "b.properties"))
    assert named.properties["default_startup_timeout"] == "2"


def test_metrics_are_torchserves_own_unless_the_server_names_others() -> None:
    assert metrics_file({}, "/home") == "/home/ts/configs/metrics.yaml"
    assert metrics_file({"metrics_config": "/m.yaml"}, "/home") == "/m.yaml"
