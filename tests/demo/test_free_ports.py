from __future__ import annotations

import socket

import pytest

from ts_retry_ext.demo.free_ports import free_ports, server_ports


def test_ports_are_none_that_the_system_gives_to_clients() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockname()[1] not in server_ports()


def test_ports_are_free_and_each_is_another_one() -> None:
    found = free_ports(50)
    assert len(set(found)) == 50
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_that_somebody_listens_at_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert free_ports(1, [taken, *server_ports()]) != [taken]
        with pytest.raises(OSError, match="0 ports are free, and 1 are needed"):
            free_ports(1, [taken])
