"""Addresses: hosts, URLs and ports that are wrong, taken, or not served yet."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

#: A host's name that only a private resolver knows: one label, or a suffix no public one has.
_PRIVATE_HOST = r"host=\\?['\"](?:[\w\-]{1,63}|[\w.\-]{1,200}\.(?:internal|local|svc|cluster|lan|corp|home|intra|intranet|localdomain|private|test|example))\\?['\"]"

FATAL_IN_DISGUISE = (
    ambiguous(
        "no-socket-on-this-host",
        When(
            message=any_of(r"""
                running locally and accepting|(?:local (?:mysql|mariadb) server|server) through socket
                is the docker daemon running|(?:unix socket|error 2 connecting to /).{0,300}no such file
                server on '(?:localhost|127\.0\.0\.1)' \(\[errno 2\]
                fetching server api version.{0,80}(?:no such file|connection refused)
            """),
        ),
        "The socket of a service on this host is not there: it is not up yet, is not mounted, or is not meant.",
        "Start the service, mount its socket, or set the host that the model is to connect to.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "address-wrong-or-service-late",
        When(
            message=r"either (?:the )?.{1,120} is (?:wrong|incorrect|invalid) or |specify the one to connect to"
        ),
        "The client itself cannot tell a wrong address from a service that is not up yet.",
        "Correct the address, or start the service first.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "private-host-unknown",
        When(
            message=_PRIVATE_HOST
            + r".{0,600}(?:name or service not known|nodename nor servname|errno -2\b|errno 8\])",
            unless=r"temporary failure|errno -3\b|try again",
        ),
        "The name of a service in this network is not known: a wrong setting, or it is not registered yet.",
        "Correct the host's name; in a container, check its network and the service's name.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "url-malformed",
        When(
            exact_type=(
                "MissingSchema",
                "InvalidSchema",
                "InvalidURL",
                "LocationParseError",
                "UnsupportedProtocol",
                # aiohttp
                "InvalidUrlClientError",
                "NonHttpUrlClientError",
                # sentry-sdk, raven
                "BadDsn",
                "InvalidDsn",
                # dj-database-url
                "UnknownSchemeError",
            ),
        ),
        "The address or DSN that is configured is no valid URL.",
        "Correct it in the model's configuration or environment: the whole of it, with its scheme (https://…).",
        since=_SINCE,
    ),
    fatal(
        "header-malformed",
        When(
            message=r"illegal header value|invalid (?:leading whitespace|header value|return character)|header value .{0,40}must be|header part .{0,80}must be of type"
        ),
        "A header holds characters that are not allowed: mostly a token with a line break or blank.",
        "Correct the token in the environment.",
        since=_SINCE,
    ),
    fatal(
        "url-unknown-type",
        When(
            message=any_of(r"""
                # urllib, fsspec, requests
                unknown url type|^protocol not known:[ ]|no connection adapters were found|no host supplied|invalid url '
                # nats, neo4j, minio
                ^nats: invalid uri|uri scheme '[^']{0,40}' is not supported|path in endpoint is not allowed
            """)
        ),
        "The address asked for is no valid URL.",
        "Correct the address in the model's configuration or environment.",
        since=_SINCE,
    ),
    fatal(
        "socket-path-too-long",
        When(
            message=r"af_unix path too long|unix socket path .{0,300}too long|path too long for unix socket",
            type=("OSError", "ValueError", "RuntimeError"),
        ),
        "A socket's path is longer than the system allows (107 characters on Linux, 103 on macOS).",
        "Set TMPDIR to a short directory, or the directory that the library makes its sockets in.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "address-in-use",
        When(errno=("EADDRINUSE",)),
        "Another process has the port: one that is about to end, or one that keeps it.",
        "Find the process that listens on it, or give each worker a port of its own.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "address-not-available",
        When(errno=("EADDRNOTAVAIL",)),
        "The address to bind to is not one of this host, or there is no local port left to connect from.",
        "Correct the address (in a container: 0.0.0.0; localhost without IPv6: 127.0.0.1), or look at the open connections.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "address-in-use-text",
        When(
            message=any_of(r"""
                port .{0,40}(?:is )?(?:already )?in use|failed to listen on any local|cannot find an empty port|failed to bind
                could not bind|address in use|socket already in use|another process is utilizing it
            """)
        ),
        "Another process has the port: one that is about to end, or one that keeps it.",
        "Find the process that listens on it, or give each worker a port of its own.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
