"""How the APIs of a frontend are reached: addresses, key file and certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.exchange import MANAGEMENT_PORTS, UnreachableError, reachable_address

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server_configuration import ServerConfiguration


class Endpoint(NamedTuple):
    """How the APIs of one frontend are reached.

    Attributes:
        management: URL of the management API, as a client of this machine reaches it.
        inference: the inference address as it is bound, or None where that is not known.
        key_file: path of the key file, or None where no key is asked for.
        renews_keys: whether an expired key may be renewed with the API key (``retry_renew_keys``).
    """

    management: str
    inference: str | None = None
    key_file: str | None = None
    certificate_file: str | None = None
    renews_keys: bool = True


def endpoint_of(configuration: ServerConfiguration) -> Endpoint:
    """Return how the APIs of a server are reached, as its configuration says.

    Raises:
        ManagementError: its management address is one that is not supported.
    """
    settings, _ = configuration.settings()
    try:
        management = reachable_address(configuration.management_address, MANAGEMENT_PORTS)
    except UnreachableError as error:
        msg = f"the management address {error}"
        raise ManagementError(msg, Condition.AWAY) from error
    return Endpoint(
        management,
        configuration.inference_address,
        configuration.key_file,
        configuration.certificate_file,
        bool(settings.renew_keys.value),
    )
