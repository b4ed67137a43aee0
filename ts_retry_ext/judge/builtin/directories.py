"""Directories and coordination: LDAP, ZooKeeper, etcd, Consul, Vault, Kerberos, DNS."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "vault-sealed",
        When(
            message=any_of(r"""
                vault is (?:sealed|not initialized|not yet initialized|in standby)|barrier is sealed
                (?:local|cluster) node not active but active cluster node not found|active (?:cluster )?node not found
            """),
        ),
        "Vault is sealed, not initialized, or has no active node, and gives no secret until somebody or its auto-unseal ends that.",
        "Nothing to repair in the model; unseal {address|Vault} (vault operator unseal), or look at its auto-unseal and its "
        "active node, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "resolver-does-not-answer",
        When(
            message=any_of(r"""
                servfail|all nameservers failed|no nameservers|the dns operation timed out|the resolution lifetime expired
            """),
        ),
        "The DNS servers that this host or the code asks do not answer, or answer with a failure.",
        "Nothing to repair in the model; look at the resolver of this host or pod (/etc/resolv.conf, CoreDNS) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "share-not-reached",
        When(
            message=any_of(r"""
                # SMB (NTSTATUS)
                status_(?:connection_(?:disconnected|reset|aborted|refused|invalid)|network_name_deleted|io_timeout|host_(?:unreachable|down)| \
                network_(?:unreachable|busy)|insufficient_resources|insuff_server_resources|server_unavailable|pipe_(?:busy|not_available|disconnected)| \
                user_session_deleted|network_session_expired|request_not_accepted|too_many_sessions|unexpected_network_error)\b
            """),
        ),
        "The SMB server could not be reached, has ended the session, or has no room for a further one.",
        "Nothing to repair in the model; look at {address|the file server} and at its limit of sessions if it goes on.",
        since="2026-11-27",
    ),
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
                # Kerberos
                cannot contact any kdc|kdc (?:is )?(?:unreachable|unavailable)|clock skew too great|cannot (?:find|locate) (?:a )?kdc
            """)
        ),
        "{connection|The directory or coordination service has no leader, or cannot be reached, at this moment}.",
        "Nothing to repair in the model; {connection_step|look at the members of the service} if it goes on.",
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
        "{connection|The directory or share could not be reached, or is not ready}.",
        "Nothing to repair in the model; {connection_step|look at the service and its address} if it goes on.",
        since=_SINCE,
    ),
)
