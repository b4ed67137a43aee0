"""Caches: Redis, memcached and their kin, when they aren't there yet or have no room."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "cache-not-ready",
        When(
            message=any_of(r"""
                # Redis
                redis is loading the dataset|loading redis is loading|busyloading|max number of clients reached|clusterdown|masterdown
                tryagain multiple
                no master found|noreplicas|not enough good replicas|misconf redis is configured to save|unblocked force unblock
                busy redis is busy running|failover in progress
                oom command not allowed when used memory
                # memcached
                all servers seem to be down|memcacheunexpectedclose|server_error (?:out of memory|object too large|temporary)
                # Hazelcast, Ignite
                client is not active|target ?disconnected|cluster is (?:inactive|not active|in a safe state)|no available servers
            """)
        ),
        "The cache is loading, electing a master, or has no room at this moment.",
        "Nothing to repair in the model; look at {address|the cache} if it goes on.",
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
        "The cache could not be reached, or is not ready.",
        "Nothing to repair in the model; look at {address|the cache} if it goes on.",
        since=_SINCE,
    ),
)
