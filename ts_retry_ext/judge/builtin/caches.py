"""Caches: Redis, memcached and their kin, when they are not there yet or have no room."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "cache-loads-its-data",
        When(
            message=any_of(r"""
                redis is loading the dataset|loading redis is loading|busyloading
            """),
        ),
        "Redis was started a moment ago and still reads its data from disk.",
        "Nothing to repair in the model; start {address|Redis} before the model if it goes on; a large data set takes minutes.",
        since="2026-11-27",
    ),
    curable(
        "cache-out-of-memory",
        When(
            message=any_of(r"""
                oom command not allowed when used memory|server_error (?:out of memory|object too large)
            """),
        ),
        "The cache has used up its own memory and takes nothing more.",
        "Nothing to repair in the model; raise maxmemory of {address|the cache}, or set a policy that evicts (maxmemory-policy), if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "cache-takes-no-more-clients",
        When(
            message=any_of(r"""
                max number of clients reached
            """),
        ),
        "The cache has as many clients as it allows.",
        "Nothing to repair in the model; raise maxclients of {address|the cache}, or let the workers share a pool, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "cache-cannot-save",
        When(
            message=any_of(r"""
                misconf redis is configured to save
            """),
        ),
        "Redis could not save its data to disk, and takes no writes until it can.",
        "Nothing to repair in the model; look at the disk and the log of {address|Redis} (INFO persistence) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "cache-without-master",
        When(
            message=any_of(r"""
                clusterdown|masterdown|no master found|noreplicas|not enough good replicas|failover in progress|tryagain multiple
            """),
        ),
        "The Redis cluster has no master for the data at this moment: a failover or a move of slots is under way, or too few nodes answer.",
        "Nothing to repair in the model; look at the nodes (CLUSTER INFO, SENTINEL masters) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "cache-not-ready",
        When(
            message=any_of(r"""
                # Redis
                unblocked force unblock|busy redis is busy running
                # memcached
                all servers seem to be down|memcacheunexpectedclose|server_error temporary
                # Hazelcast, Ignite
                client is not active|target ?disconnected|cluster is (?:inactive|not active|in a safe state)|no available servers
            """)
        ),
        "The cache is there but busy, or its cluster has no node that answers, at this moment.",
        "Nothing to repair in the model; look at {address|the cache} and its log if it goes on.",
        since=_SINCE,
    ),
    curable(
        "cache-client-says-so",
        When(
            type=(
                "redis.exceptions.ConnectionError",
                "redis.exceptions.TimeoutError",
                "redis.exceptions.BusyLoadingError",
                "redis.exceptions.ReadOnlyError",
                "redis.exceptions.ClusterDownError",
                "redis.exceptions.MasterDownError",
                "redis.exceptions.MasterNotFoundError",
                "redis.exceptions.SlaveNotFoundError",
                "redis.exceptions.TryAgainError",
                "redis.exceptions.MaxConnectionsError",
                "redis.exceptions.OutOfMemoryError",
                "redis.sentinel.MasterNotFoundError",
                "redis.sentinel.SlaveNotFoundError",
                "valkey.exceptions.ConnectionError",
                "valkey.exceptions.TimeoutError",
                "valkey.exceptions.BusyLoadingError",
                "pymemcache.exceptions.MemcacheUnexpectedCloseError",
                "pymemcache.exceptions.MemcacheServerError",
                "hazelcast.errors.TargetDisconnectedError",
                "hazelcast.errors.ClientOfflineError",
                "hazelcast.errors.OperationTimeoutError",
                "LockTimeoutError",
            ),
            unless=r"invalid username|wrongpass|noauth|certificate verify failed|name or service not known|errno -2\b|error -2 ",
        ),
        "{connection|The cache could not be reached, or is not ready}.",
        "Nothing to repair in the model; {connection_step|look at the cache and its address} if it goes on.",
        since=_SINCE,
    ),
)
