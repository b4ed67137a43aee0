"""Databases and services that answer and refuse: a login, a name, an address, a call."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"
#: What says that a refused login may pass.
_LOGIN_PASSES = (
    r"timed?[ -]?out|aadsts50196|transient|try again|temporar|metadata|cas (?:service|client) error"
)

FATAL_IN_DISGUISE = (
    fatal(
        "database-host-not-in-pg-hba",
        When(
            message=any_of(r"""
                # PostgreSQL
                no pg_hba\.conf entry
            """),
            unless=_LOGIN_PASSES,
        ),
        "PostgreSQL's pg_hba.conf has no line that lets this user in from this host, for this database and with or without TLS as it was tried.",
        "Add a line to pg_hba.conf of {address|the server} (a managed one: admit this network), or connect with sslmode=require "
        "if the message ends with 'no encryption'.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "database-user-missing",
        When(
            message=any_of(r"""
                # PostgreSQL
                role [\"'].{1,100}[\"'] does not exist
            """),
            unless=_LOGIN_PASSES,
        ),
        "The database server has no user (role) of the name that the model logs in with.",
        "Create it, or correct the user in the connection string or PGUSER; without one, libpq takes the name of the system's user.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "cache-password-not-given",
        When(
            message=any_of(r"""
                # Redis
                noauth authentication
            """),
            unless=_LOGIN_PASSES,
        ),
        "Redis asks for a password, and the client gives none.",
        "Give it to the client (password=, or redis://:PASSWORD@host), in the model's configuration or environment.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "cache-password-not-wanted",
        When(
            message=any_of(r"""
                # Redis
                client sent auth, but no password|called without any password configured
            """),
            unless=_LOGIN_PASSES,
        ),
        "The client sends a password, and this Redis has none set.",
        "Leave the password out, or set requirepass on the server; look whether host and port are those of the Redis that is meant.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "client-lacks-a-right",
        When(
            message=any_of(r"""
                # Redis, Kafka
                noperm|has no permissions? to run|topic ?authorization|group ?authorization
            """),
            unless=_LOGIN_PASSES,
        ),
        "The login is accepted, and this user may not do what the model asks for.",
        "Give the user the right that the message names (Redis: ACL SETUSER; Kafka: an ACL for the topic and the group), or use another user.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "database-login-refused",
        When(
            message=any_of(r"""
                # PostgreSQL
                password authentication failed|sslmode value
                # MySQL
                access denied for user
                # SQL Server
                login failed for user
                # Redis
                wrongpass|invalid username-password pair
                # RabbitMQ
                access_refused|probableauthenticationerror
                # Kafka
                sasl .{0,40}(?:fail|invalid)
                # Elasticsearch
                security_exception|unable to authenticate|missing authentication credentials
                # Oracle
                ora-01017
                # Snowflake
                incorrect username or password
                # gRPC
                unauthenticated\b|status(?:code)?\.unauthenticated
                # MongoDB and several others
                authentication failed|invalid password|authentication required(?:\W{0,3}$|[.:,;])
                auth(?:entication)? (?:error|failure|unsuccessful)|bad auth\b|\bbad credentials(?:\W{0,3}$|:)|invalid credentials(?:\W{0,3}$|[:.,])
            """),
            unless=_LOGIN_PASSES,
        ),
        "{address|The service} refuses this user, password or key.",
        "Correct user and password (or key) in the model's configuration or environment; look for a line break or a blank in them.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "oracle-thin-mode-refuses",
        # errors.py of python-oracledb: DPY-3001 to 3028 name what its thin mode cannot do. DPY-6005, "cannot connect", may stand before.
        When(message=r"dpy-30\d\d: [^\n]{0,300}\b(?:thin|thick) mode"),
        "python-oracledb cannot talk to this database without Oracle's client library: its thin mode lacks what the server asks for.",
        "Install Oracle Instant Client in the image, and call oracledb.init_oracle_client() before connecting (thick mode).",
        since="2026-11-26",
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
            # MongoDB: some member of the replica set answers, only none that may do the work.
            unless=r"errno -3|temporary failure|try again|no replica set members match selector|no primary available",
        ),
        "The name of the database's host is not known here: a wrong setting, or the service is not registered yet.",
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
                invalid db index|keyspace .{1,80} does not exist
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
        "rpc-method-unknown",
        When(
            message=any_of(r"""
                statuscode\.unimplemented
            """),
        ),
        "The service does not know the call: another service listens at {address|this address}, or another version of it.",
        "Compare address and port with those of the service, and the .proto files of the client with the server's version.",
        since="2026-11-27",
    ),
    fatal(
        "rpc-refused",
        When(message=r"statuscode\.(?:permission_denied|unauthenticated)"),
        "The service knows the call, and does not allow it to this client.",
        "Give the client credentials with the right to make the call, or grant the right.",
        since=_SINCE,
    ),
    fatal(
        "database-url-refused-by-its-parser",
        # What parses a connection string before anything is connected to. No OSError is a ValueError.
        When(
            type=("ValueError", "pymongo.errors.InvalidURI"),
            frame=(
                "pymongo.uri_parser",
                "pymongo.uri_parser_shared",
                "redis.connection.parse_url",
                "redis.asyncio.connection.parse_url",
                "valkey.connection.parse_url",
                "sqlalchemy.engine.url",
                "kafka.cluster.get_ip_port_afi",
                "kafka.conn.get_ip_port_afi",
                "aiokafka.conn.get_ip_port_afi",
                "asyncpg.connect_utils._parse_connect_dsn_and_args",
                "kombu.utils.url",
            ),
        ),
        "The client cannot parse the connection string: a port that is no number, an option with a wrong value, or a password "
        "with characters that need quoting.",
        "Correct the connection string; quote user and password with urllib.parse.quote_plus.",
        since="2026-11-26",
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
        "Correct the address: its scheme names the driver (postgresql, not postgres), which has to be installed.",
        since=_SINCE,
    ),
)
