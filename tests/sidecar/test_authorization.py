from __future__ import annotations

import json
from pathlib import Path

import pytest

from ts_retry_ext.sidecar.authorization import bearer, foreign_host, foreign_page, unauthorized

FUTURE, PAST = "2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Host": "127.0.0.1:8083"}, True),
        ({"Host": "[::1]:8083"}, True),
        ({"Host": "localhost:9000"}, True),
        ({"Host": "gpu-box:8083"}, True),
        ({"Host": "GPU-BOX:8083"}, True),
        ({"Host": "127.0.0.1:8083", "Origin": "http://127.0.0.1:8083"}, True),
        ({"Host": "127.0.0.1:8083", "Origin": "http://127.0.0.1:8083", "Sec-Fetch-Site": "same-origin"}, True),
        ({}, False),
        ({"Host": ""}, False),
        ({"Host": "evil.example"}, False),
        ({"Host": "127.0.0.1.evil.example:8083"}, False),
        ({"Host": "[::1"}, False),
        ({"Host": "localhost:8083", "Origin": "http://127.0.0.1:8083"}, False),
        ({"Host": "localhost:8083", "Origin": "http://localhost:8000"}, False),
        ({"Host": "localhost:8083", "Origin": "null"}, False),
        ({"Host": "localhost:8083", "Origin": "http://["}, False),
        ({"Host": "localhost:8083", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Host": "localhost:8083", "Sec-Fetch-Site": "same-site"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_only_the_sidecars_own_pages_and_programs_may_change_something(
    headers: dict[str, str], passes: bool
) -> None:
    refused = foreign_host(headers, ("gpu-box",)) or foreign_page(headers)
    assert (refused is None) is passes


@pytest.mark.parametrize(
    ("presented", "expires", "status"),
    [("right", FUTURE, None), ("right", PAST, 401), ("wrong", FUTURE, 401), (None, FUTURE, 401), ("\u00fc", FUTURE, 401)],
)  # fmt: skip
def test_key_must_be_the_servers_management_key(
    tmp_path: Path, presented: str | None, expires: str, status: int | None
) -> None:
    path = tmp_path / "key_file.json"
    path.write_text(json.dumps({"management": {"key": "right", "expiration time": expires}}))
    refusal = unauthorized(presented, str(path), asked_for=False, remote="10.0.0.7")
    assert (None if refusal is None else refusal.status) == status
    assert refusal is None or "right" not in refusal.message


def test_key_that_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    spoilt = tmp_path / "key_file.json"
    spoilt.write_text("{")
    refusal = unauthorized("any", str(spoilt), asked_for=False, remote="127.0.0.1")
    assert refusal is not None
    assert refusal.status == 503
    for key_file in (None, str(tmp_path / "none")):
        unknown = unauthorized("any", key_file, asked_for=True, remote="127.0.0.1")
        assert unknown is not None
        assert unknown.status == 403


@pytest.mark.parametrize(
    ("remote", "passes"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("127.0.0.2", True),
     ("10.0.0.7", False), ("::ffff:10.0.0.7", False), ("fe80::1%eth0", False), (None, False)],
)  # fmt: skip
def test_where_there_are_no_keys_only_callers_on_this_machine_may_change_something(
    tmp_path: Path, remote: str | None, passes: bool
) -> None:
    for key_file in (None, str(tmp_path / "none")):
        refusal = unauthorized(None, key_file, asked_for=False, remote=remote)
        assert (refusal is None) is passes
        assert refusal is None or refusal.status == 403


@pytest.mark.parametrize(
    ("remote", "headers"),
    [
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}),
        ("127.0.0.1", {"forwarded": "for=10.0.0.7"}),
        ("::1", {"X-Envoy-External-Address": "10.0.0.7"}),
        ("127.0.0.6", {}),
        ("::ffff:127.0.0.6", {}),
    ],
)
def test_without_keys_a_proxy_on_this_machine_speaks_for_nobody(
    tmp_path: Path, remote: str, headers: dict[str, str]
) -> None:
    refusal = unauthorized(None, None, asked_for=False, remote=remote, headers=headers)
    assert refusal is not None
    assert refusal.status == 403

    path = tmp_path / "key_file.json"
    path.write_text(json.dumps({"management": {"key": "right", "expiration time": FUTURE}}))
    with_key = unauthorized("right", str(path), asked_for=False, remote=remote, headers=headers)
    assert with_key is None


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None)],
)
def test_token_is_taken_from_the_header(header: str, token: str | None) -> None:
    assert bearer({"Authorization": header}) == token
    assert bearer({}) is None


@pytest.mark.parametrize(
    ("presented", "status"), [("own", None), ("other", 401), (None, 401)], ids=str
)
@pytest.mark.parametrize("remote", ["127.0.0.1", "10.0.0.7"])
def test_a_key_of_the_sidecars_own_stands_in_for_one_of_a_server_without_keys(
    tmp_path: Path, presented: str | None, status: int | None, remote: str
) -> None:
    own = tmp_path / "own.key"
    own.write_text("own\n")
    refusal = unauthorized(
        presented,
        None,
        asked_for=False,
        remote=remote,
        headers={"X-Forwarded-For": "1.2.3.4"},
        own_key_file=str(own),
    )
    assert (refusal and refusal.status) == status


def test_an_own_key_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path / "empty"):
        (tmp_path / "empty").write_text("\n")
        refusal = unauthorized(
            "", None, asked_for=False, remote="127.0.0.1", own_key_file=str(path)
        )
        assert refusal is not None
        assert refusal.status == 503
