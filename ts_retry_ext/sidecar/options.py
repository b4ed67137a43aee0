"""What the command line tells the sidecar."""

from __future__ import annotations

from dataclasses import dataclass

from ts_retry_ext.settings import ANY_MODEL


@dataclass(frozen=True)
class SidecarOptions:
    """Which server to observe, and where to listen.

    Attributes:
        pid: process id of the frontend, or None.
        ts_config: its configuration file, or None.
        management: its management address, or None.
        inference: its inference address, or None.
        state_dir: the state directory, where not that of the server's settings.
        key_file: its key file, where its working directory cannot be seen.
        address: where to listen, ``http://HOST:PORT``; None for the server's setting.
        allowed_hosts: further names that it may be reached under.
        ready_when: which models keep the server from being ready, see `sidecar.readiness`.
        own_key_file: holds the key that callers have to bring where the server has none, or None.
        exit_with_server: whether to end when the server does.
    """

    pid: int | None = None
    ts_config: str | None = None
    management: str | None = None
    inference: str | None = None
    state_dir: str | None = None
    key_file: str | None = None
    address: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    exit_with_server: bool = False
    own_key_file: str | None = None
    ready_when: str = ANY_MODEL
