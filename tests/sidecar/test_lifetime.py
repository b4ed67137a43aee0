from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.cli.main import main
from ts_retry_ext.sidecar.lifetime import AddressError, as_configured, host_and_port
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.target import SidecarOptions


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8083", ("127.0.0.1", 8083)),
        ("http://[::1]:0", ("::1", 0)),
        ("http://0.0.0.0:9", ("0.0.0.0", 9)),
    ],
)
def test_address_has_host_and_port(address: str, expected: tuple[str, int]) -> None:
    assert host_and_port(address) == expected


@pytest.mark.parametrize(
    "address", ["", "8083", "127.0.0.1:8083", "https://127.0.0.1:8083", "http://h", "http://h:x"]
)
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(AddressError, match="is no address such as"):
        host_and_port(address)


def test_command_line_beats_environment_beats_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.properties"
    config.write_text("retry_sidecar_address=http://127.0.0.1:1\n")
    options = SidecarOptions(ts_config=str(config))
    assert as_configured(options).address == "http://127.0.0.1:1"
    monkeypatch.setenv("TS_RETRY_SIDECAR_ADDRESS", "http://127.0.0.1:2")
    assert as_configured(options).address == "http://127.0.0.1:2"
    given = SidecarOptions(ts_config=str(config), address="http://127.0.0.1:3")
    assert as_configured(given).address == "http://127.0.0.1:3"


def test_bug_that_ends_the_observing_is_logged_and_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run(_: Observer) -> None:
        msg = "a bug"
        raise LookupError(msg)

    monkeypatch.setattr(Observer, "run", run)
    assert main(["sidecar", "--address", "http://127.0.0.1:0"]) == 1
    assert "the sidecar cannot observe any more: LookupError('a bug')" in capsys.readouterr().err
    assert "Traceback" in caplog.text
