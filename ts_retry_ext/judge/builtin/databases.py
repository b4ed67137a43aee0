"""Databases, caches, queues, RPC: what they say when they are not there yet, and when they refuse."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.damaged_file import DATABASES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "database-starting",
        When(
            message=any_of(r"""
                # PostgreSQL
                the database system is (?:starting up|shutting down|in recovery|not yet accepting)|not (?:yet )?accepting connections
                the database system is in recovery mode|cannotconnectnow
                # MySQL: 1053
                server shutdown in progress
                # Oracle
                ora-(?:01033|01034|01089|01090|01109|12514|12528|12526|12505|27101)\b|tns:no listener|ora-12541\b
                # SQL Server, Azure SQL: 40613, 40197, 40501, 49918 to 49920
                database .{1,120} (?:on server .{1,120} )?is not currently available
                \(?(?:40613|40197|40501|49918|49919|49920)\)?\b.{0,200}(?:retry|available|busy|resources)
                the service (?:is currently busy|has encountered an error processing)|login timeout expired|is being recovered
                database is in transition
                # Neo4j
                neo\.transienterror\.|database is not currently available to serve|no longer possible to write to server
                unable to retrieve routing information
                # Couchbase, ArangoDB, InfluxDB, CockroachDB
                category=couchbase\.common|service unavailable due to startup|node is not ready|server is not accepting clients
            """)
        ),
        "The database is starting, stopping or moving to another host.",
        "Nothing to repair in the model; start the database first if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "database-full",
        When(
            message=any_of(r"""
                # PostgreSQL, its poolers
                too many (?:clients|connections)|remaining connection slots|no more connections allowed|max_client_conn|query_wait_timeout
                max clients reached|connection limit exceeded
                # MySQL: 1040, 1203, 1226
                max_user_connections|exceeded the .max_\w+. resource
                # Oracle
                ora-(?:00018|00020|12516|12518|12519|12520|02391)\b
                # SQL Server, Azure SQL: 10928, 10929
                (?:request|session) limit for the (?:database|elastic pool) is|resource id ?: ?\d
                # pools of SQLAlchemy, HikariCP, asyncpg, pymongo
                queuepool limit|pool timeout|connection pool (?:is )?(?:exhausted|full)|could not obtain a connection
                connection is not available, request timed out
                pool (?:is )?exhausted|timeout waiting for (?:a )?connection from (?:the )?pool|waitqueuetimeout|couldn't get a connection after
            """)
        ),
        "The database or its pool has no connection left at this moment.",
        "Nothing to repair in the model; raise the limit, put a pooler before it, or let fewer workers connect, if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "database-memory-in-use",
        # ClickHouse 241: the total is of all queries together; "(for query)" and "(for user)" are another matter.
        When(message=r"memory limit \(total\) exceeded"),
        "The database's memory is in use by everybody's queries together.",
        "Nothing to repair in the model; if it goes on, raise the server's memory limit, or let the model read less at once.",
        since="2026-11-26",
    ),
    curable(
        "database-file-open-elsewhere",
        When(
            # DuckDB, RocksDB, LMDB, LevelDB: one process at a time has the files.
            message=r"could not set lock on file|conflicting lock is held|mdb_readers_full|io error: (?:while )?lock .{1,300}lock"
        ),
        "Another process has the files of the database open.",
        "Nothing to repair in the model; let the workers open it read-only, or give each its own copy, if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "database-locked",
        When(
            message=any_of(r"""
                # PostgreSQL: 40001, 40P01, 55P03
                could not serialize access|deadlock (?:found|detected)|could not obtain lock
                maximum statement execution time exceeded|canceling statement due to (?:lock|statement|user|conflict)|lock not available
                restart transaction
                # MySQL: 1205, 1213
                lock wait timeout|try restarting transaction
                # SQLite
                database (?:is|table is|schema is) locked
                # Oracle, SQL Server: 1205, 1222
                ora-(?:00054|00060|30006|08177)\b|chosen as the deadlock victim|lock request time out|was deadlocked on
            """)
        ),
        "Another transaction holds what the model asks for.",
        "Nothing to repair in the model; look at long transactions if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "database-read-only",
        When(
            message=any_of(r"""
                # PostgreSQL: 25006
                cannot execute \w[\w ]{0,40} in a read-only transaction|readonlysqltransaction|cannot execute .{1,60} during recovery
                # MySQL: 1290, 1836
                running with the --(?:super-)?read-only option|running in read-only mode
                # Redis
                you can't write against a read only|readonly you can
                # MongoDB: 10107, 11602, 13435, 13436, 189
                not primary|notprimary\w*|notmaster\w*|not master|node is (?:not in primary|recovering)|primarysteppeddown
                interrupted ?(?:at|due)\w*
                # ClickHouse: 242
                table_is_read_only|table is in readonly mode
                # Azure SQL, others
                database .{1,80} is read-only .{0,60}failover
            """)
        ),
        "The server is a replica or is handing its role over: it takes no writes at this moment.",
        "Nothing to repair in the model; if it goes on, connect to the primary (the writer's address), or write nothing while the model loads.",
        since="2026-11-26",
    ),
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
                # SQL Server, ODBC: 08001, 08S01, HYT00, 10053, 10054, 10060
                \[?(?:08001|08s01|08003|08006|hyt00|hyt01)\]?\b|communication link failure|tcp provider: |a transport-level error has occurred
            """)
        ),
        "The connection to the database was refused or lost.",
        "Nothing to repair in the model; look at {address|the database} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "database-client-says-so",
        When(
            type=(
                "psycopg2.errors.AdminShutdown",
                "psycopg2.errors.CannotConnectNow",
                "psycopg2.errors.CrashShutdown",
                "psycopg2.errors.ConnectionFailure",
                "psycopg2.errors.TooManyConnections",
                "psycopg2.errors.ReadOnlySqlTransaction",
                "psycopg2.errors.DeadlockDetected",
                "psycopg2.errors.LockNotAvailable",
                "psycopg2.errors.SerializationFailure",
                "psycopg.errors.AdminShutdown",
                "psycopg.errors.CannotConnectNow",
                "psycopg.errors.TooManyConnections",
                "psycopg.errors.ReadOnlySqlTransaction",
                "psycopg.errors.DeadlockDetected",
                "psycopg.errors.LockNotAvailable",
                "psycopg.errors.SerializationFailure",
                "psycopg_pool.PoolTimeout",
                "psycopg_pool.TooManyRequests",
                "asyncpg.exceptions.TooManyConnectionsError",
                "asyncpg.exceptions.CannotConnectNowError",
                "asyncpg.exceptions.ConnectionDoesNotExistError",
                "asyncpg.exceptions.PostgresConnectionError",
                "asyncpg.exceptions.ReadOnlySQLTransactionError",
                "asyncpg.exceptions.DeadlockDetectedError",
                "asyncpg.exceptions.SerializationError",
                "TooManyConnectionsError",
                "CannotConnectNowError",
                "ConnectionDoesNotExistError",
                "AutoReconnect",
                "NetworkTimeout",
                "NotPrimaryError",
                "WaitQueueTimeoutError",
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
                "neo4j.exceptions.ForbiddenOnReadOnlyDatabase",
                "UnAmbiguousTimeoutException",
                "AmbiguousTimeoutException",
                "couchbase.exceptions.TimeoutException",
                "couchbase.exceptions.ServiceUnavailableException",
                "couchbase.exceptions.TemporaryFailException",
                "couchbase.exceptions.RequestCanceledException",
                "aerospike.exception.ClusterError",
                "aerospike.exception.TimeoutError",
                "aerospike.exception.ServerFull",
                "aerospike.exception.DeviceOverload",
                "arango.exceptions.ServerConnectionError",
                "google.cloud.spanner_v1.exceptions.Aborted",
                "sqlalchemy.exc.TimeoutError",
                "sqlalchemy.exc.DisconnectionError",
            )
        ),
        "The client of the database says by its type that the failure passes.",
        "Nothing to repair in the model; look at {address|the database} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "document-store-has-no-primary",
        When(
            message=any_of(r"""
                # MongoDB
                no primary|serverselectiontimeout|no (?:replica set members|servers) (?:match|found|available)|no suitable servers found
                shutdowninprogress|notyetinitialized
                # Cassandra
                nohostavailable|unable to connect to any servers|cannot achieve consistency level|\[unavailable exception\]|overloadederrormessage
                isbootstrappingerror|operation timed out - received only
                # HBase, HDFS
                master is initializing|name ?node is in safe mode|safemodeexception|pleaseholdexception|servernotrunningyet|regionserverstopped
                # DynamoDB Local, Elasticsearch and others
                all shards failed|no living connections|no node available|nonodeavailable\w*|no alive nodes
            """)
        ),
        "The cluster has too few nodes that answer at this moment.",
        "Nothing to repair in the model; look at the cluster's nodes if it goes on.",
        since="2026-11-26",
    ),
)

RULES = (
    fatal(
        "database-lacks-what-is-asked",
        # PEP 249: the database does not support the call; psycopg2 and SQLAlchemy build on it.
        When(
            type=(
                "psycopg2.NotSupportedError",
                "psycopg.NotSupportedError",
                "psycopg.errors.NotSupportedError",
                "pymysql.err.NotSupportedError",
                "MySQLdb.NotSupportedError",
                "oracledb.exceptions.NotSupportedError",
                "cx_Oracle.NotSupportedError",
                "pyodbc.NotSupportedError",
                "sqlite3.NotSupportedError",
                "duckdb.NotSupportedError",
                "sqlalchemy.exc.NotSupportedError",
                "snowflake.connector.errors.NotSupportedError",
                "clickhouse_connect.driver.exceptions.NotSupportedError",
                "databricks.sql.exc.NotSupportedError",
            ),
            unless=r"cached plan|recovery|read[- ]only|standby|replica|starting|temporar|try again",
        ),
        "The database, or its driver, does not support what is asked of it.",
        "Correct what the message names, or install a driver that fits the server's version (python-oracledb: thick mode, oracledb.init_oracle_client()).",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "database-content-missing",
        When(
            message=any_of(r"""
                no such table|relation [\"'].{1,100}[\"'] does not exist|table .{1,100} doesn't exist|undefinedtable
                no such column|unknown column|column .{1,100} does not exist|topic .{1,100} not (?:found|available)
                unknown_topic
                # ClickHouse, Oracle, SQL Server, Cassandra, Trino, Snowflake, BigQuery
                \(unknown_(?:table|identifier)\)|ora-00942\b|invalid object name '|unconfigured table|table_not_found
                object .{1,200} does not exist or not authorized|not found: (?:table|dataset)[ ]
            """)
        ),
        "The database lacks a table or column; a migration may be under way.",
        "Run the migration, or correct the name.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "database-file-damaged",
        When(
            message=r"file is not a database|database disk image is malformed|file is encrypted or is not a database"
        ),
        "The database file is damaged or of another kind.",
        "Restore the file.",
        since=_SINCE,
        damaged_file=DATABASES,
    ),
)
