from __future__ import annotations

import pytest

from ts_retry_ext.worker.command_line import WorkerAddress, is_worker_script, worker_address

SCRIPT = "/venv/lib/python3.11/site-packages/ts/model_service_worker.py"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([SCRIPT, "--sock-type", "unix"], True),
        (["model_service_worker.py"], True),
        (["/usr/bin/torchrun", "--nnodes", "1", SCRIPT], False),
        (["-m"], False),
        (["/x/my_model_service_worker.py"], False),
        (["-c", SCRIPT], False),
        ([""], False),
        ([], False),
    ],
)
def test_only_the_script_itself_is_a_worker(argv: list[str], expected: bool) -> None:
    assert is_worker_script(argv) is expected


@pytest.mark.parametrize(
    ("arguments", "environ", "expected", "text"),
    [
        (
            "--sock-type unix --sock-name /tmp/.ts.sock.9000 --metrics-config /m.yaml",
            {},
            WorkerAddress("/tmp/.ts.sock.9000", "", 0),
            "/tmp/.ts.sock.9000",
        ),
        (
            "--sock-type unix --sock-name /tmp/.ts.sock.9000 --async",
            {"LOCAL_RANK": "3"},
            WorkerAddress("/tmp/.ts.sock.9003", "", 0),
            "/tmp/.ts.sock.9003",
        ),
        (
            "--sock-type tcp --port 9000",
            {},
            WorkerAddress(None, "127.0.0.1", 9000),
            "127.0.0.1:9000",
        ),
        (
            "--sock-type=tcp --port=9000 --host=::1",
            {"LOCAL_RANK": "1"},
            WorkerAddress(None, "::1", 9001),
            "::1:9001",
        ),
    ],
)
def test_a_worker_listens_where_torchserves_own_script_would(
    arguments: str, environ: dict[str, str], expected: WorkerAddress, text: str
) -> None:
    address = worker_address([SCRIPT, *arguments.split()], environ)
    assert address == expected
    assert str(address) == text


@pytest.mark.parametrize(
    "arguments", ["", "--sock-type unix", "--sock-type tcp", "--sock-type tcp --port x", "--port 1"]
)
def test_arguments_without_a_socket_are_refused(arguments: str) -> None:
    with pytest.raises(ValueError):
        worker_address([SCRIPT, *arguments.split()], {})
