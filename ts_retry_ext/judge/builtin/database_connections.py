"""Connections to databases and their clusters: refused, lost, or without a node that takes them."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "database-connection-lost",
        When(
            message=any_of(r"""
                # PostgreSQL, psycopg, pgbouncer
                server closed the connection unexpectedly|terminating connection due to|ssl syscall error|could not receive data from server
                timeout expired|connection already closed|ssl connection has been closed
                pgbouncer cannot connect to server|server_login_retry|server login has been failing|client_idle_timeout|server conn crashed
                the connection is closed
                # MySQL: 2002, 2003, 2006, 2013
                can't connect to|lost connection to|server has gone away
                # Oracle
                ora-(?:03113|03114|03135|12170|12535|12537|12543|12545|12547|12560|12571|25408)\b|dpy-(?:4011|6000|6005|4024)\b
                tns:connection closed
                # SQL Server, ODBC: HYT00, 08001, 08S01, HYT00, 10053, 10054, 10060
                \[?(?:08001|08s01|08003|08006|hyt00|hyt01)\]?\b|login timeout expired|communication link failure|tcp provider: |a transport-level error has occurred
            """)
        ),
        "{connection|The connection to the database was refused or lost}.",
        "Nothing to repair in the model; {connection_step|look at the database and its address} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "replica-set-without-primary",
        When(
            message=any_of(r"""
                # MongoDB
                no replica set members match selector \W{0,3}primary|replicasetnoprimary|no primary (?:is )?available
            """),
        ),
        "The replica set has no primary at this moment: it elects one, or too few of its members answer.",
        "Nothing to repair in the model; look at its members (rs.status()), first at {address|those that do not answer}, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "database-full-by-type",
        When(
            type=(
                "psycopg2.errors.TooManyConnections",
                "psycopg.errors.TooManyConnections",
                "asyncpg.exceptions.TooManyConnectionsError",
                "TooManyConnectionsError",
                "aerospike.exception.ServerFull",
            )
        ),
        "The database has as many connections as it allows at this moment.",
        "Nothing to repair in the model; raise its limit, put a pooler before it, or let fewer workers connect, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "connection-pool-used-up-by-type",
        When(
            type=(
                "psycopg_pool.PoolTimeout",
                "psycopg_pool.TooManyRequests",
                "WaitQueueTimeoutError",
                "sqlalchemy.exc.TimeoutError",
            )
        ),
        "The pool of connections of this process has none left: all are in use, or were not given back.",
        "Nothing to repair in the model; if it goes on, look for connections that the code does not close, or raise the pool's "
        "size (pool_size, max_overflow, maxPoolSize).",
        since="2026-11-27",
    ),
    curable(
        "database-locked-by-type",
        When(
            type=(
                "psycopg2.errors.DeadlockDetected",
                "psycopg2.errors.LockNotAvailable",
                "psycopg2.errors.SerializationFailure",
                "psycopg.errors.DeadlockDetected",
                "psycopg.errors.LockNotAvailable",
                "psycopg.errors.SerializationFailure",
                "asyncpg.exceptions.DeadlockDetectedError",
                "asyncpg.exceptions.SerializationError",
                "google.cloud.spanner_v1.exceptions.Aborted",
            )
        ),
        "Another transaction holds what the model asks for.",
        "Nothing to repair in the model; look at long transactions if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "database-read-only-by-type",
        When(
            type=(
                "psycopg2.errors.ReadOnlySqlTransaction",
                "psycopg.errors.ReadOnlySqlTransaction",
                "asyncpg.exceptions.ReadOnlySQLTransactionError",
                "NotPrimaryError",
                "neo4j.exceptions.ForbiddenOnReadOnlyDatabase",
            )
        ),
        "The server is a replica or is handing its role over: it takes no writes at this moment.",
        "Nothing to repair in the model; if it goes on, connect to the primary (the writer's address), or write nothing while the model loads.",
        since="2026-11-27",
    ),
    curable(
        "too-few-replicas-alive",
        # Cassandra
        When(message=r"cannot achieve consistency level|\[unavailable exception\]"),
        "The database answers, and fewer of its replicas are alive than the consistency level asks for; the address is right.",
        "Nothing to repair in the model; look at the nodes that are down (nodetool status) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "database-client-says-so",
        When(
            type=(
                "psycopg2.errors.AdminShutdown",
                "psycopg2.errors.CannotConnectNow",
                "psycopg2.errors.CrashShutdown",
                "psycopg2.errors.ConnectionFailure",
                "psycopg.errors.AdminShutdown",
                "psycopg.errors.CannotConnectNow",
                "asyncpg.exceptions.CannotConnectNowError",
                "asyncpg.exceptions.ConnectionDoesNotExistError",
                "asyncpg.exceptions.PostgresConnectionError",
                "CannotConnectNowError",
                "ConnectionDoesNotExistError",
                "AutoReconnect",
                "NetworkTimeout",
                "ServerSelectionTimeoutError",
                "cassandra.Unavailable",
                "cassandra.OperationTimedOut",
                "cassandra.ReadTimeout",
                "cassandra.WriteTimeout",
                "cassandra.cluster.NoHostAvailable",
                "NoHostAvailable",
                "OperationTimedOut",
                "neo4j.exceptions.TransientError",
                "neo4j.exceptions.ServiceUnavailable",
                "neo4j.exceptions.SessionExpired",
                "neo4j.exceptions.DatabaseUnavailable",
                "UnAmbiguousTimeoutException",
                "AmbiguousTimeoutException",
                "couchbase.exceptions.TimeoutException",
                "couchbase.exceptions.ServiceUnavailableException",
                "couchbase.exceptions.TemporaryFailException",
                "couchbase.exceptions.RequestCanceledException",
                "aerospike.exception.ClusterError",
                "aerospike.exception.TimeoutError",
                "aerospike.exception.DeviceOverload",
                "arango.exceptions.ServerConnectionError",
                "sqlalchemy.exc.DisconnectionError",
            )
        ),
        "{connection|The database could not be reached, or is not ready: so says the type that its client raises}.",
        "Nothing to repair in the model; {connection_step|look at the database and its address} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "hdfs-safe-mode",
        When(message=r"name ?node is in safe mode|safemodeexception"),
        "The name node of HDFS is in safe mode: it takes no writes until enough blocks are reported, mostly after a start.",
        "Nothing to repair in the model; it leaves that mode by itself. If it goes on: hdfs dfsadmin -safemode get, and the report of missing blocks.",
        since="2026-11-27",
    ),
    curable(
        "document-store-has-no-primary",
        When(
            message=any_of(r"""
                # MongoDB
                no primary|serverselectiontimeout|no (?:replica set members|servers) (?:match|found|available)|no suitable servers found
                shutdowninprogress|notyetinitialized
                # Cassandra
                nohostavailable|unable to connect to any servers|overloadederrormessage
                isbootstrappingerror|operation timed out - received only
                # HBase
                master is initializing|pleaseholdexception|servernotrunningyet|regionserverstopped
                # DynamoDB Local, Elasticsearch and others
                all shards failed|no living connections|no node available|nonodeavailable\w*|no alive nodes
            """)
        ),
        "The cluster has too few nodes that answer at this moment. {connection|The message names those that were asked}.",
        "Nothing to repair in the model; {connection_step|look at the cluster's nodes} if it goes on.",
        since="2026-11-26",
    ),
)
