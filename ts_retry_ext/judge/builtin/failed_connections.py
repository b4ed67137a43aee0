"""Connections that fail: refused, broken off, without an answer, without a name."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "mount-does-not-answer",
        # Of a file: the number stands before its path.
        When(
            errno=(
                "ETIMEDOUT",
                "EHOSTDOWN",
                "EHOSTUNREACH",
                "ENETUNREACH",
                "ECONNRESET",
                "ECONNABORTED",
                "ESHUTDOWN",
            ),
            message=r"(?:timed out|host is down|no route to host|network is unreachable|reset by peer|caused connection abort|endpoint shutdown): b?['\"]/",
        ),
        "The mount under {path|the path} does not answer: its server (NFS, SMB, Lustre, a bucket) is away or has cut this host off, or the network between is down.",
        "Look at the mount and its server (findmnt, dmesg, nfsstat); the model connects to nothing itself.",
        since="2026-11-27",
    ),
    curable(
        "connection-errno",
        When(
            errno=(
                "ECONNREFUSED",
                "ECONNRESET",
                "ECONNABORTED",
                "ETIMEDOUT",
                "EHOSTUNREACH",
                "ENETUNREACH",
                "ENETDOWN",
                "EHOSTDOWN",
                "ENETRESET",
                "EPIPE",
                "ENOTCONN",
                "ESHUTDOWN",
                "ECOMM",
                "ENOLINK",
            ),
        ),
        "{connection|A connection was refused, broken off, or got no answer}.",
        "Nothing to repair in the model; {connection_step|look at the service that it connects to} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "connection-type",
        When(
            type=(
                "ConnectionError",
                "requests.exceptions.Timeout",
                "ConnectTimeout",
                "ReadTimeout",
                "ChunkedEncodingError",
                "urllib3.exceptions.ProtocolError",
                "urllib3.exceptions.TimeoutError",
                "NewConnectionError",
                "RemoteDisconnected",
                "httpx.TransportError",
                "httpx.NetworkError",
                "httpx.TimeoutException",
                "aiohttp.ClientConnectionError",
                "ServerDisconnectedError",
                "http.client.IncompleteRead",
                "IncompleteRead",
                "socket.gaierror",
                "socket.herror",
                "EndpointConnectionError",
                "ConnectTimeoutError",
                "ReadTimeoutError",
                "ConnectionClosedError",
                "MaxRetryError",
                "SSLEOFError",
                "SSLZeroReturnError",
                "ClientOSError",
                "ServerTimeoutError",
                "ResponseStreamingError",
                "IncompleteReadError",
                "BadStatusLine",
                "ConnectionFailedError",
                "botocore.exceptions.HTTPClientError",
                "ftplib.error_temp",
                "smtplib.SMTPServerDisconnected",
                "smtplib.SMTPConnectError",
                "imaplib.IMAP4.abort",
            ),
            unless=r"offline mode is enabled|outgoing traffic has been disabled",
        ),
        "{connection|A connection failed}.",
        "Nothing to repair in the model; {connection_step|look at the service that it connects to} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "name-resolution",
        When(
            message=any_of(r"""
                # glibc
                name or service not known|temporary failure in name resolution|no address associated with hostname
                # macOS
                nodename nor servname
                # Python on Windows
                getaddrinfo failed
                # curl, git
                could not resolve host
                # urllib3
                failed to resolve|name resolution (?:error|failed)
                # libpq
                could not translate host name
                # Go programs, resolvers
                dns (?:error|resolution|lookup)|no such host|nxdomain|unknown host
            """)
        ),
        "{connection|This host could not resolve a name}.",
        "Nothing to repair in the model; {connection_step|look at the name and at the resolver of this host or pod "
        "(/etc/resolv.conf), not at the service,} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "store-not-reached",
        When(
            message=any_of(r"""
                # pyarrow with the SDKs of AWS and Google
                aws error (?:network_connection|request_timeout|unknown) during|google::cloud::status\((?:unavailable|deadline_exceeded)
                curl ?(?:code|error):? ?\[?(?:5|6|7|28|35|52|55|56)\b|couldn't resolve host name
            """)
        ),
        "This host got no connection, or no answer in time, from the store of {bucket|what it reads}.",
        "Nothing to repair in the model; look at the way from this host to the store (DNS, proxy, firewall, the store's "
        "endpoint in this network) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "store-answers-trouble",
        When(
            message=any_of(r"""
                aws error (?:slow_down|service_unavailable|internal_failure|throttling) during
                google::cloud::status\((?:resource_exhausted|aborted)
            """)
        ),
        "The store of {bucket|what the model reads} answers that it is overloaded or gets too many requests at this moment.",
        "Nothing to repair in the model; let fewer workers read at once, or ask for a higher limit, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "connection-text",
        When(
            message=any_of(r"""
                # Sockets
                connections? (?:was |were |is |has been )?(?:unexpectedly )?(?:refused|reset|aborted|timed out|closed|broken|lost|dropped)
                failed to (?:establish|open) a (?:new )?connection|network is unreachable|no route to host|host is unreachable
                broken pipe
                # urllib3, http.client, requests
                max retries exceeded|remote end closed connection|incomplete ?read|connection pool|response ended prematurely
                # OpenSSL
                eof occurred in violation of protocol|unexpected_eof_while_reading|decryption_failed_or_bad_record_mac
                bad record mac
                # aiohttp, httpx, node
                server disconnected|socket hang up|peer closed connection|payload is not completed
                # reqwest
                error sending request|error reading a body
                # librdkafka
                all_brokers_down|brokers? are down
                # botocore
                total bytes expected is
                # paramiko
                ssh protocol banner
                # Gloo
                connectfullmesh
                # clients in their own words
                (?:server|service|host|endpoint|broker|cluster|database|gateway|peer|registry) (?:is )?(?:currently )?(?:unreachable|down|offline)\b
                couldn't connect to|could not connect to|failed to connect|cannot connect to|unable to connect
                did not start up in|connection to .{1,80} (?:was )?lost
                invalid status '(?:service unavailable|bad gateway|gateway timeout|internal server error|too many requests)
                unexpected eof (?:during|while reading)|error while downloading|check your (?:internet |network )?connection
                internet connection|network (?:error|failure|issue|unreachable)|connection error|not reachable
                server closed the connection|stream (?:was )?(?:reset|closed)
            """)
        ),
        "{connection|A connection failed}.",
        "Nothing to repair in the model; {connection_step|look at the service that it connects to} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "command-took-too-long",
        When(type=("subprocess.TimeoutExpired",)),
        "The program {command|that the model starts} did not end in the time that the model's code gives it.",
        "Nothing to repair in the model if it passes; if it goes on, run the command by hand on this host, and look at what it waits for (nvidia-smi: the driver, and Xid lines of dmesg).",
        since="2026-11-27",
    ),
    curable(
        "still-being-made",
        When(
            message=r"\b(?:is|are) still being (?:copied|written|downloaded|uploaded|created|built|synced|synchronized|unpacked|extracted|converted)\b"
        ),
        "What the model needs is still being made by something else, as its message says.",
        "Nothing to repair in the model; look at what copies or makes {path|it} if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "time-out",
        When(
            message=any_of(r"""
                \b(?:read|connect(?:ion)?|request|operation|socket|gateway|write|response|handshake) ?time(?:d)?[ -]?out
                timed? out (?:after|waiting|while|connecting|reading)|deadline ?exceeded
                \bthe (?:read|write|handshake) operation timed out|took too long to respond|^timed out$|time-?out was reached
                wait timeout
            """)
        ),
        "Something took longer than it may.",
        "Nothing to repair in the model; look at {address|the service it waits for}, and at the way to it, if it goes on.",
        since=_SINCE,
    ),
)
