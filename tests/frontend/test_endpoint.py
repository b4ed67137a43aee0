from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import endpoint_of
from ts_retry_ext.frontend.server_configuration import ServerConfiguration


def configuration(folder: Path, **properties: str) -> ServerConfiguration:
    keys = str(folder / "key_file.json")
    return ServerConfiguration(str(folder), None, properties, "", {}, key_file=keys)


def test_api_of_a_server_takes_address_keys_and_certificate_from_it(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    properties = {"management_address": "https://0.0.0.0:8444", "certificate_file": "cert.pem"}

    found = endpoint_of(configuration(tmp_path, **properties))

    assert found.management == "https://127.0.0.1:8444"
    assert found.key_file == str(tmp_path / "key_file.json")
    assert found.certificate_file == str(tmp_path / "cert.pem")


def test_unix_socket_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManagementError, match="is a Unix socket"):
        endpoint_of(configuration(tmp_path, management_address="unix:/tmp/m.sock"))


def test_a_setting_forbids_to_renew_keys(tmp_path: Path) -> None:
    assert endpoint_of(configuration(tmp_path)).renews_keys
    assert not endpoint_of(configuration(tmp_path, retry_renew_keys="false")).renews_keys
