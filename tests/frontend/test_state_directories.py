from __future__ import annotations

from pathlib import Path

from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.state_directories import own_state_directories, state_directories
from ts_retry_ext.settings import resolve


def test_state_directories_are_tried_in_the_order_the_settings_promise(tmp_path: Path) -> None:
    logs, environ = str(tmp_path / "logs"), {"TEMP": "/scratch"}
    plain = ServerConfiguration(str(tmp_path), None, {}, logs, environ)
    default = (str(tmp_path / "logs" / "ts_retry"), "/scratch/ts_retry-7")

    assert state_directories(plain, resolve({}, {})[0], 7) == default
    configured = {"retry_state_dir": "state"}
    expected = (str(tmp_path / "state"), *default)
    assert state_directories(plain, resolve(configured, {})[0], 7) == expected
    assert own_state_directories(plain._replace(properties=configured), 7) == expected
