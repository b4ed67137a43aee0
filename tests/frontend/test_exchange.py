from __future__ import annotations

import pytest

from ts_retry_ext.frontend.exchange import UnreachableError, reachable_address


@pytest.mark.parametrize(
    ("binding", "address"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://0.0.0.0:8081", "http://127.0.0.1:8081"),
        ("https://localhost", "https://localhost"),
        ("HTTPS://0.0.0.0:8444/", "https://127.0.0.1:8444"),
        ("http://[::]:8081", "http://[::1]:8081"),
        ("http://10.0.0.7:80", "http://10.0.0.7:80"),
    ],
)
def test_server_bound_to_every_interface_is_reached_through_loopback(
    binding: str, address: str
) -> None:
    assert reachable_address(binding) == address


@pytest.mark.parametrize(
    "binding", ["unix:/tmp/m.sock", "", "8081", "http://:8081", "http://h:x", "http://[h"]
)
def test_what_cannot_be_reached_is_an_error_that_names_it(binding: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        reachable_address(binding)

    assert binding in str(caught.value)


@pytest.mark.parametrize(
    "binding", ["http://me:s3cret@h:x", "ftp://me:s3cr@et@h:1", "http://me:s3cret@h:99999"]
)
def test_password_in_an_address_is_not_shown(binding: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        reachable_address(binding)

    assert "s3cr" not in str(caught.value)


def test_port_of_an_address_without_one_is_what_the_server_takes() -> None:
    ports = {"http": 8081, "https": 8444}

    assert reachable_address("http://0.0.0.0", ports) == "http://127.0.0.1:8081"
    assert reachable_address("https://localhost/", ports) == "https://localhost:8444"
    assert reachable_address("https://localhost:1", ports) == "https://localhost:1"


def test_path_of_a_proxy_stays_in_front_of_the_servers_own_paths() -> None:
    assert reachable_address("https://gateway/ts/a/") == "https://gateway/ts/a"


@pytest.mark.parametrize(
    ("binding", "why"),
    [
        ("http://me:s3cret@h:1/ts", "http://h:1/ts is given with a login, and none is sent"),
        ("http://h:1/ts?a=1", "no http:// or https:// address"),
    ],
)
def test_what_would_not_be_sent_is_refused(binding: str, why: str) -> None:
    with pytest.raises(UnreachableError, match=why):
        reachable_address(binding)
