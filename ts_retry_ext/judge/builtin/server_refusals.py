"""Servers that refuse a client: a right, a way to log in, or a part that they lack."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RULES = (
    fatal(
        "database-right-missing",
        When(
            message=any_of(r"""
                permission denied for (?:table|schema|relation|sequence|database|function|view) [\w\"]|must be owner of
                not authorized on \w+ to execute|command \w+ requires authentication|requires? (?:the )?\w+ privilege
                command denied to user|attempt to write a readonly database
            """)
        ),
        "The user is known to the database, and lacks a right that the model needs.",
        "Grant the right to this user, or name another one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "database-password-missing",
        When(
            message=any_of(r"""
                fe_sendauth: no password supplied
            """),
        ),
        "The database asks for a password, and the client has none.",
        "Give it in the connection string, PGPASSWORD or a .pgpass file with the rights 0600.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "database-tls-disagrees",
        When(
            message=any_of(r"""
                server does not support ssl, but ssl was required|ssl connection (?:is )?required|connections using insecure transport are prohibited
            """),
        ),
        "Client and database do not agree on TLS: one asks for it, and the other does not have it or does not use it.",
        "Set it in the client as the server wants it (sslmode=require or disable, ssl_mode, tls=true).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "database-of-another-protocol",
        When(
            message=any_of(r"""
                reports wire version|unsupported (?:server|frontend|protocol) (?:version|protocol)|client does not support authentication protocol
                authentication plugin .{1,80}(?:not supported|cannot be loaded)|scram authentication requires
                authentication method .{1,40}(?:not supported|unknown)
            """),
        ),
        "Client and server are of versions, or of ways to log in, that the other does not have.",
        "Update the client library (psycopg2 or libpq 10 and newer for SCRAM, PyMySQL with cryptography, pymongo), or install "
        "the version that fits the server.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "database-login-not-possible",
        When(
            message=any_of(r"""
                # PostgreSQL
                invalid (?:port number|sslmode|connection option)|(?:must|should|to) be escaped according to rfc ?3986
            """)
        ),
        "The connection string holds an option, or a way to log in, that is not known.",
        "Correct the option that the message names in the connection string.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "redis-cluster-needs-its-client",
        When(
            message=any_of(r"""
                ^moved \d+ [\w.:\-]+$|^crossslot[ ]|cluster support disabled
            """),
        ),
        "The client and Redis do not agree whether this is a cluster, or keys of one call lie on different nodes of it.",
        "Use redis.cluster.RedisCluster for a cluster and redis.Redis for a single server; put keys of one call under one hash "
        "tag (the part in braces).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "queue-declared-otherwise",
        When(
            message=any_of(r"""
                precondition_failed - inequivalent arg
            """),
        ),
        "The queue or exchange is there, and was declared with other arguments than the code declares it with.",
        "Declare it as the message says that it is (durable, TTL, type), with passive=True, or delete the old one.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "server-lacks-feature",
        When(
            message=any_of(r"""
                unknown command ['\"`]?[\w.]+['\"`]?,? with args|no such module: \w+|extension .{1,60} is not available
            """)
        ),
        "The server is there, but without the module or extension that the code relies on.",
        "Install it on the server (Redis Stack for FT., JSON. and TS. commands; CREATE EXTENSION), or correct what the code asks for.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
