"""Networks in general: connections, names, time-outs, throttling, servers in trouble."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import (
    PASSING_TYPES,
    TRIED_UNTIL_THEN,
    UNLESS_A_JOB_MAKES_IT,
    WAIT_FOR_THE_JOB,
)
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

THROTTLED = any_of(r"""
    # HTTP 429 in words
    rate[ -]?limit|too many requests|throttl|please (?:retry|try again) (?:later|after|in)|retry[- ]after
    # AWS
    slow ?down\b|reduce your request rate|requestlimitexceeded|provisionedthroughputexceeded
    # Google, OpenAI
    (?<!disk )quota exceeded|exceeded your .{0,20}quota|quotaexceeded|userratelimitexceeded|resource_exhausted
    resource exhausted
    # Azure
    server(?:is)? ?busy
    # Container registries
    toomanyrequests
""")

#: A quota that is given anew by itself, within minutes.
_COMES_BACK = r"retry (?:in|after)|retry_?delay|per[ _]?(?:minute|second)"

FATAL_IN_DISGUISE = (
    fatal(
        "quota-used-up",
        When(
            message=any_of(r"""
                # OpenAI, Azure OpenAI, and who speaks their protocol
                insufficient_quota|billing_hard_limit_reached|billing_not_active|insufficient balance\b
                # Anthropic, Hugging Face
                credit balance is too low|exceeded your monthly included credits
            """),
            unless=_COMES_BACK,
        ),
        "The account has no quota left, whatever the status says; waiting does not bring it back.",
        "Raise the limit or pay under plan and billing of the account, or use the key of an account that has quota.",
        since=_SINCE,
        scope=Scope.HOST,
        though_it_says_retry=True,
    ),
    ambiguous(
        "quota-used-up-or-throttled",
        When(message=r"exceeded your current quota", unless=_COMES_BACK),
        "The account's quota is used up, for a minute or for good: the text does not say which.",
        "Look at plan, billing and limits of the account.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "throttled",
        When(
            message=THROTTLED,
            unless=r"insufficient_quota|billing(?! details)|out of memory|(?:trying|failed) to allocate",
        ),
        "The service answers that it gets too many requests.",
        "Nothing to repair; ask for a higher quota or start fewer workers at once if it goes on.",
        since=_SINCE,
    ),
    curable(
        "http-server-trouble",
        When(
            http_status=("408", "425", "429", "5xx"),
            unless=r"\b50[07] - (?:unknown exception|system out of memory)|\b50[15] (?:not implemented|http version)",
        ),
        "The server answered that it is in trouble or overloaded.",
        "Nothing to repair here; look at the server if it goes on.",
        since=_SINCE,
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
        "A connection was refused, reset or timed out.",
        "Nothing to repair in the model; look at the service it connects to if it goes on.",
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
        "A connection failed.",
        "Nothing to repair in the model; look at the service it connects to if it goes on.",
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
        "A host name could not be resolved.",
        "Check the name and the DNS of the host if it goes on.",
        since=_SINCE,
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
                # pyarrow with the SDKs of AWS and Google
                aws error (?:network_connection|request_timeout|slow_down|service_unavailable|internal_failure|throttling|unknown) during
                curl ?(?:code|error):? ?\[?(?:5|6|7|28|35|52|55|56)\b|couldn't resolve host name
                google::cloud::status\((?:unavailable|deadline_exceeded|resource_exhausted|aborted)
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
        "A connection failed.",
        "Nothing to repair in the model; look at the service it connects to if it goes on.",
        since=_SINCE,
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
        "Nothing to repair in the model; look at the service it waits for if it goes on.",
        since=_SINCE,
    ),
)

FALLBACKS = (
    ambiguous(
        "service-not-ready-by-status",
        When(
            http_status=("400", "404"),
            message=r"/(?:ready|readyz|health|healthz|healthcheck|livez?|status)(?:[\s?)'\".!:;]|$)|not (?:yet )?ready",
        ),
        "A service was asked whether it is ready, and said no in this way.",
        "Correct the address if the service is ready.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    ambiguous(
        "http-file-missing",
        When(
            http_status=("404",),
            message=any_of(r"""
                https?://[^\s'\"<>]{1,500}\.(?:ptl?|pth|bin|safetensors|ckpt|onnx|mar|pkl|joblib|h5|keras|gguf|npz|tflite|engine|plan \
                |tar|t?gz|zip|zst|parquet|faiss)\b
            """),
            unless=r"huggingface\.co|hf\.co|/resolve/",
        ),
        f"The server does not have the file that is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct the address, or upload the file. {TRIED_UNTIL_THEN}",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "http-refused",
        When(
            http_status=(
                "400",
                "401",
                "404",
                "405",
                "406",
                "410",
                "413",
                "414",
                "415",
                "422",
                "451",
            )
        ),
        "The server answers that the thing asked for is not there, or not for these credentials.",
        f"Check address, name and credentials in the model's configuration. {WAIT_FOR_THE_JOB}",
        since=_SINCE,
    ),
    ambiguous(
        "http-forbidden",
        When(http_status=("403",)),
        "The server forbids the access; that can be a missing right or a limit.",
        "Check the credentials and their rights.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "service-unavailable-by-type",
        # By the type alone: a class of this name in a message says nothing.
        When(
            type=PASSING_TYPES,
            unless=any_of(r"""
                credential|auth|forbidden|denied|permission|certificate|licen[cs]e|quota|billing
                unsupported|not (?:installed|supported|compiled|built|found)|no module|cannot import|does not exist
                missing|unknown|invalid|malformed
            """),
        ),
        "The service says by the type of its error that it is away, or has too much to do, at this moment.",
        "Nothing to repair in the model; look at {address|the service} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "service-unavailable-by-word",
        When(
            message=any_of(r"""
                \b(?:system|service|server|api|endpoint|cluster|broker|gateway|database|backend|node|host|site|store|registry|stream)s?\b \
                (?: \S{1,80}){0,3} (?:currently )?temporarily (?:unavailable|not available|down|out of service|offline|overloaded)
            """)
        ),
        "The service says that it is away for a while.",
        "Nothing to repair in the model; look at {address|the service} if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "time-out-by-word",
        When(
            message=r"\btimed[- ]?out\b|\btimeout (?:error|exceeded|reached|expired|occurred|while|after|waiting)|\btimeout$"
        ),
        "Something took longer than it may.",
        "Nothing to repair in the model; look at what it waits for if it goes on.",
        since=_SINCE,
    ),
    curable(
        "time-out-type",
        When(
            type=(
                "TimeoutError",
                "socket.timeout",
                "asyncio.TimeoutError",
                "concurrent.futures.TimeoutError",
                "TimeoutExpired",
                "FutureTimeoutError",
                "fsspec.exceptions.FSTimeoutError",
            )
        ),
        "Something took longer than it may.",
        "Nothing to repair in the model; look at what it waits for if it goes on.",
        since=_SINCE,
    ),
)
