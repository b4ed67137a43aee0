"""Databases, caches, queues, RPC: what they say when they are not there yet, and when they refuse."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.damaged_file import DATABASES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "oracle-service-not-registered",
        When(
            message=any_of(r"""
                ora-(?:12514|12528|12526|12505)\b
            """),
        ),
        "Oracle's listener answers, and does not know the service, or not as one that is open: the database starts, or the name is wrong.",
        "Nothing to repair in the model; if it goes on, compare the service name (or SID) of the connection string with lsnrctl "
        "status on the server.",
        since="2026-11-27",
    ),
    curable(
        "oracle-without-listener",
        When(
            message=any_of(r"""
                tns:no listener|ora-12541\b
            """),
        ),
        "Nothing listens at the address of the Oracle database at this moment.",
        "Nothing to repair in the model; start the listener (lsnrctl start), or correct host and port, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "azure-sql-throttles",
        When(
            message=any_of(r"""
                # Azure SQL: 40501, 49918 to 49920
                \(?(?:40501|49918|49919|49920)\)?\b.{0,200}(?:retry|available|busy|resources)|the service (?:is currently busy)
            """),
        ),
        "Azure SQL refuses the request, because the database or its pool is at the limit of its resources.",
        "Nothing to repair in the model; raise the tier of the database or the pool, or let fewer workers connect at once, if it goes on.",
        since="2026-11-27",
    ),
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
                ora-(?:01033|01034|01089|01090|01109|27101)\b
                # SQL Server, Azure SQL: 40613, 40197
                database .{1,120} (?:on server .{1,120} )?is not currently available
                \(?(?:40613|40197)\)?\b.{0,200}(?:retry|available|busy|resources)
                the service has encountered an error processing|is being recovered
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
        "connection-pool-used-up",
        When(
            message=any_of(r"""
                # SQLAlchemy, HikariCP, asyncpg, pymongo
                queuepool limit|pool timeout|connection pool (?:is )?(?:exhausted|full)|could not obtain a connection
                connection is not available, request timed out
                pool (?:is )?exhausted|timeout waiting for (?:a )?connection from (?:the )?pool|waitqueuetimeout|couldn't get a connection after
            """),
        ),
        "The pool of connections of this process has none left: all are in use, or were not given back.",
        "Nothing to repair in the model; if it goes on, look for connections that the code does not close, or raise the pool's "
        "size (pool_size, max_overflow, maxPoolSize).",
        since="2026-11-27",
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
            """)
        ),
        "The database, or the pooler in front of it, has as many connections as it allows at this moment.",
        "Nothing to repair in the model; raise its limit, put a pooler before it, or let fewer workers connect, if it goes on.",
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
        "sqlite-file-locked",
        When(
            message=any_of(r"""
                database (?:is|table is|schema is) locked
            """),
        ),
        "Another process, or another connection of this one, writes to the SQLite file at this moment.",
        "Nothing to repair in the model; if it goes on, look at who has the file open (fuser), raise the timeout of "
        "sqlite3.connect, use WAL, or give each worker a file of its own; on NFS its locks do not work.",
        since="2026-11-27",
    ),
    curable(
        "standby-canceled",
        # PostgreSQL, of a hot standby
        When(message=r"canceling statement due to conflict with recovery"),
        "A replica of the database canceled the query, because it had to apply a change of the primary.",
        "Nothing to repair in the model; if it goes on, read from the primary, or set hot_standby_feedback or max_standby_streaming_delay on the replica.",
        since="2026-11-27",
    ),
    curable(
        "statement-canceled",
        When(
            message=any_of(r"""
                maximum statement execution time exceeded|canceling statement due to (?:statement|user)
            """),
        ),
        "The database canceled the statement: its time limit was reached, or somebody ended it.",
        "Nothing to repair in the model; if it goes on, raise statement_timeout for this user, or make the query faster (look "
        "at its plan and at locks).",
        since="2026-11-27",
    ),
    curable(
        "database-deadlock",
        When(
            message=r"deadlock (?:found|detected)|chosen as the deadlock victim|was deadlocked on|ora-00060\b"
        ),
        "Two transactions waited for each other, and the database ended that of this model.",
        "Nothing to repair if it passes; if it goes on, let all writers lock the rows in one order, and repeat the transaction in the model's code.",
        since="2026-11-27",
    ),
    curable(
        "database-locked",
        When(
            message=any_of(r"""
                # PostgreSQL: 40001, 40P01, 55P03
                could not serialize access|could not obtain lock
                canceling statement due to lock|lock not available
                restart transaction
                # MySQL: 1205, 1213
                lock wait timeout
                # Oracle, SQL Server: 1205, 1222
                ora-(?:00054|30006|08177)\b|lock request time out
            """)
        ),
        "Another transaction holds what the model asks for.",
        "Nothing to repair in the model; find the transaction that holds it (pg_stat_activity, SHOW ENGINE INNODB STATUS), and end or shorten it, if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "mongo-secondary-asked",
        When(message=r"secondaryok=false|notprimarynosecondaryok"),
        "The server that was asked is no primary: an election is under way, or the address is that of one member.",
        "Nothing to repair in the model; if it goes on, connect with the URI of the whole replica set, or read with readPreference=secondaryPreferred.",
        since="2026-11-27",
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
        "Correct what the message names, or install a driver that fits the server's version (python-oracledb: thick mode, "
        "oracledb.init_oracle_client()).",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "topic-missing",
        When(
            message=any_of(r"""
                # Kafka
                topic .{1,100} not (?:found|available)|unknown_topic
            """),
        ),
        "The broker does not have the topic (or partition) that is asked for; another process may create it.",
        "Create the topic, or correct its name; brokers make none by themselves if auto.create.topics.enable is off.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "database-content-missing",
        When(
            message=any_of(r"""
                no such table|relation [\"'].{1,100}[\"'] does not exist|table .{1,100} doesn't exist|undefinedtable
                no such column|unknown column|column .{1,100} does not exist
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
