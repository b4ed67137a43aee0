"""Databases, caches, queues, RPC: what they say when they are not there yet, and when they refuse."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

FATAL_IN_DISGUISE = (
    fatal(
        "database-login-refused",
        When(
            message=any_of(r"""
                # PostgreSQL
                password authentication failed|no pg_hba\.conf entry|role [\"'].{1,100}[\"'] does not exist|sslmode value
                # MySQL
                access denied for user
                # SQL Server
                login failed for user
                # Redis
                wrongpass|noauth authentication|invalid username-password pair|client sent auth, but no password
                called without any password configured|noperm|has no permissions? to run
                # RabbitMQ
                access_refused|probableauthenticationerror
                # Kafka
                sasl .{0,40}(?:fail|invalid)|topic ?authorization|group ?authorization
                # Elasticsearch
                security_exception|unable to authenticate|missing authentication credentials
                # Oracle
                ora-01017
                # Snowflake
                incorrect username or password
                # gRPC
                unauthenticated\b|status(?:code)?\.unauthenticated
                # MongoDB and several others
                authentication failed|invalid password|authentication required
                auth(?:entication)? (?:error|failure|unsuccessful)|bad auth|bad credentials|invalid credentials
            """),
            unless=r"timed?[ -]?out|aadsts50196|transient|try again|temporar|metadata|cas (?:service|client) error",
        ),
        "The service refuses these credentials.",
        "Correct user, password or rights in the model's configuration or environment.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "database-host-not-allowed",
        When(message=r"is not allowed to connect to this m(?:ysql|ariadb) server"),
        "The server admits no client from this host; while it sets itself up it says the same.",
        "Grant the user access from this host.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "database-host-unknown",
        When(
            type=(
                "OperationalError",
                "InterfaceError",
                "ServerSelectionTimeoutError",
                "redis.exceptions.ConnectionError",
                "ConfigurationError",
            ),
            message=r"\[?errno -2\]?|error -2 connecting|name or service not known|nodename nor servname|unknown (?:mysql )?server host|no address associated|\(11001\)",
            unless=r"errno -3|temporary failure|try again",
        ),
        "The name of the database's host isn't known here: a wrong setting, or the service isn't registered yet.",
        "Correct the host in the connection string; in a container, check its network.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "cluster-worker-gone",
        When(
            message=any_of(r"""
                actor ?died|the actor is dead|raylet|placement group|insufficient (?:cluster )?resources
                worker (?:unexpectedly )?(?:died|crashed)|worker died or was killed
                deployment .{1,120}(?:is unhealthy|failed to (?:start|update))|error raised in its creation task
            """),
            unless=r"no module named|node running low on memory|temporarily|unable to connect|failed to connect|timed out",
        ),
        "A worker of the cluster ended or got no place; its own log says why.",
        "Look for the traceback in the cluster's logs.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "database-missing",
        When(
            message=any_of(r"""
                database [\"'].{1,100}[\"'] does not exist|unknown database|cannot open database|\bdb index is out of range
                invalid db index|keyspace .{1,80} does not exist|index_not_found|no such index
            """)
        ),
        "The server is there, but not the database that is asked for.",
        "Correct its name, or create it.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "rpc-message-too-large",
        When(
            message=r"received message larger than max|sent message larger than max|trying to send message larger"
        ),
        "A message is larger than the RPC channel allows.",
        "Raise grpc.max_receive_message_length and max_send_message_length on both sides.",
        since=_SINCE,
    ),
    fatal(
        "rpc-refused",
        When(
            message=r"statuscode\.(?:unimplemented|permission_denied|invalid_argument|unauthenticated)"
        ),
        "The service refuses the call or doesn't know it.",
        "Correct the address, the version or the credentials.",
        since=_SINCE,
    ),
    fatal(
        "database-url-malformed",
        When(
            message=any_of(r"""
                could not parse (?:sqlalchemy|rfc1738) url|could not parse sqlalchemy|can't load plugin: sqlalchemy
                invalid (?:dsn|connection (?:option|string|uri))|redis url must specify|invalid uri scheme|mongodb://.{0,20}must
                invalid connection string|missing \"=\" after|unsupported (?:uri|url) scheme
            """)
        ),
        "The address of the database is malformed, or its driver is missing.",
        "Correct the address.",
        since=_SINCE,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "database-not-ready",
        When(
            message=any_of(r"""
                # PostgreSQL, psycopg
                the database system is (?:starting up|shutting down|in recovery|not yet accepting)
                not (?:yet )?accepting connections|remaining connection slots|server closed the connection unexpectedly
                terminating connection due to|ssl syscall error|could not receive data from server|timeout expired
                canceling statement due to|connection already closed|ssl connection has been closed|could not serialize access
                # MySQL
                too many (?:clients|connections)|can't connect to (?:local )?(?:mysql )?server|can't connect to
                lost connection to|server has gone away|lock wait timeout|deadlock (?:found|detected)
                # SQLite
                database (?:is|table is) locked
                # Redis
                redis is loading the dataset|loading redis is loading|busyloading|max number of clients reached
                you can't write against a read only|clusterdown|masterdown|tryagain multiple|readonly you
                # MongoDB
                no primary|not primary|notprimary|notmaster|not master|interruptedatshutdown|primarysteppeddown
                serverselectiontimeout|no (?:replica set members|servers) (?:match|found|available)
                # Kafka
                nobrokersavailable|no brokers available|coordinator (?:is )?(?:not available|load)|leader ?not ?available
                not_leader
                # Consul, etcd, ZooKeeper
                no (?:cluster )?leader|\b(?:leader|primary|master)? ?election\b
                # Cassandra
                nohostavailable|unable to connect to any servers
                # Milvus
                fail connecting to server
                # gRPC
                statuscode\.(?:unavailable|deadline_exceeded|resource_exhausted|aborted|cancelled)
                failed to connect to all addresses|failed to connect to remote host|socket closed|goaway|rst_stream
                # Elasticsearch
                master_not_discovered|cluster_block
                # SQLAlchemy's pool
                queuepool limit|pool timeout|connection pool (?:is )?(?:exhausted|full)|could not obtain a connection
                # Ray
                actor ?unavailable|the actor is temporarily|node (?:is )?dead|node running low on memory
                failed to connect to (?:the )?gcs|gcs server .{0,40}(?:fail|unavailable|timed|not)
                # Model servers, vaults and several others
                no hosts? available|server (?:is )?(?:starting|not ready|shutting down|unavailable|is not live)
                not ready\b.{0,60}(?:server|service|model|yet)|(?:server|service|model|yet|is|are) not (?:yet )?ready
                still (?:loading|starting|initializing)|warming up|in progress, try|vault is sealed|replica .{0,40}not available
            """)
        ),
        "The service isn't ready, or has no room at this moment.",
        "Nothing to repair in the model; start the service first if it goes on.",
        since=_SINCE,
    ),
    curable(
        "database-operational",
        When(
            type=(
                "redis.exceptions.ConnectionError",
                "redis.exceptions.TimeoutError",
                "redis.exceptions.BusyLoadingError",
                "redis.exceptions.ReadOnlyError",
                "redis.exceptions.ClusterDownError",
                "AutoReconnect",
                "ServerSelectionTimeoutError",
                "NetworkTimeout",
                "NoBrokersAvailable",
                "KafkaTimeoutError",
                "KafkaConnectionError",
                "AMQPConnectionError",
                "NoHostAvailable",
                "OperationTimedOut",
                "TooManyConnectionsError",
                "CannotConnectNowError",
                "ConnectionDoesNotExistError",
                "NotPrimaryError",
                "VaultDown",
                "LockTimeoutError",
                "ActorUnavailableError",
                "GetTimeoutError",
                "google.api_core.exceptions.ServiceUnavailable",
                "google.api_core.exceptions.DeadlineExceeded",
                "google.api_core.exceptions.TooManyRequests",
                "google.api_core.exceptions.InternalServerError",
                "google.api_core.exceptions.RetryError",
                "google.api_core.exceptions.Aborted",
                "google.api_core.exceptions.GatewayTimeout",
                "google.api_core.exceptions.BadGateway",
                "google.auth.exceptions.TransportError",
                "azure.core.exceptions.ServiceRequestError",
                "azure.core.exceptions.ServiceResponseError",
            )
        ),
        "The service couldn't be reached, or isn't ready.",
        "Nothing to repair in the model; look at the service if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    ambiguous(
        "database-content-missing",
        When(
            message=any_of(r"""
                no such table|relation [\"'].{1,100}[\"'] does not exist|table .{1,100} doesn't exist|undefinedtable
                no such column|unknown column|column .{1,100} does not exist|topic .{1,100} not (?:found|available)
                unknown_topic
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
    ),
)
