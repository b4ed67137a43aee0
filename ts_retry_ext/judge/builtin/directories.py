"""Directories and coordination: LDAP, ZooKeeper, etcd, Consul, Vault, Kerberos, DNS."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "coordination-not-ready",
        When(
            message=any_of(r"""
                # Consul, etcd, ZooKeeper
                no (?:cluster )?leader|\b(?:leader|primary|master)? ?election\b
                etcdserver: (?:leader changed|request timed out|no leader|too many requests|not capable)|connectionloss|session expired
                rpc error making call
                quorum (?:is )?(?:lost|not reached)|not enough peers
                # LDAP, Active Directory
                can't contact ldap server|server_down|ldap.{0,40}(?:server is (?:busy|unavailable|unwilling)|socket (?:open|connection) error)
                unable to open socket
                # Vault
                vault is (?:sealed|not initialized|not yet initialized|in standby)
                (?:local|cluster) node not active but active cluster node not found|active (?:cluster )?node not found|barrier is sealed
                # Kerberos
                cannot contact any kdc|kdc (?:is )?(?:unreachable|unavailable)|clock skew too great|cannot (?:find|locate) (?:a )?kdc
                # SMB (NTSTATUS)
                status_(?:connection_(?:disconnected|reset|aborted|refused|invalid)|network_name_deleted|io_timeout|host_(?:unreachable|down)| \
                network_(?:unreachable|busy)|insufficient_resources|insuff_server_resources|server_unavailable|pipe_(?:busy|not_available|disconnected)| \
                user_session_deleted|network_session_expired|request_not_accepted|too_many_sessions|unexpected_network_error)\b
                # resolvers
                servfail|all nameservers failed|no nameservers|the dns operation timed out|the resolution lifetime expired
            """)
        ),
        "The directory has no leader, is sealed, or cannot be reached at this moment.",
        "Nothing to repair in the model; look at {address|the service} if it goes on (a sealed Vault has to be unsealed).",
        since=_SINCE,
    ),
    curable(
        "directory-client-says-so",
        When(
            type=(
                "ldap.SERVER_DOWN",
                "ldap.BUSY",
                "ldap.UNAVAILABLE",
                "ldap.TIMEOUT",
                "ldap.CONNECT_ERROR",
                "LDAPSocketOpenError",
                "LDAPSocketReceiveError",
                "LDAPSocketSendError",
                "LDAPServerPoolExhaustedError",
                "LDAPSessionTerminatedByServerError",
                "LDAPMaximumRetriesError",
                "kazoo.exceptions.ConnectionLoss",
                "kazoo.exceptions.SessionExpiredError",
                "kazoo.exceptions.ConnectionClosedError",
                "kazoo.exceptions.OperationTimeoutError",
                "kazoo.exceptions.NoNodeAvailable",
                "kazoo.handlers.threading.KazooTimeoutError",
                "KazooTimeoutError",
                "ConnectionLoss",
                "etcd3.exceptions.ConnectionFailedError",
                "etcd3.exceptions.ConnectionTimeoutError",
                "etcd3.exceptions.InternalServerError",
                "hvac.exceptions.VaultDown",
                "hvac.exceptions.VaultNotInitialized",
                "hvac.exceptions.BadGateway",
                "hvac.exceptions.InternalServerError",
                "hvac.exceptions.RateLimitExceeded",
                "VaultDown",
                "VaultNotInitialized",
                "dns.exception.Timeout",
                "dns.resolver.LifetimeTimeout",
                "dns.resolver.NoNameservers",
                "smbprotocol.exceptions.SMBConnectionClosed",
                "smbprotocol.exceptions.SMBResponseException",
                "SMBConnectionClosed",
                "pynfs.NFSException",
            ),
            unless=r"access_denied|logon_failure|bad_network_name|object_name_not_found|status_object",
        ),
        "The directory or share could not be reached, or is not ready.",
        "Nothing to repair in the model; look at {address|the service} if it goes on.",
        since=_SINCE,
    ),
)
