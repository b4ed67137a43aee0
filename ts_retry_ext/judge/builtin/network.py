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

CAUSE_LIES_OUTSIDE = True
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
        "http-too-many-requests",
        When(
            http_status=("429",),
            unless=r"\b50[07] - (?:unknown exception|system out of memory)|\b50[15] (?:not implemented|http version)",
        ),
        "{address|The server} answers 429: it gets more requests than it takes from this account or address.",
        "Nothing to repair in the model; start fewer workers at once, or ask for a higher limit, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "http-gateway-without-server",
        When(
            http_status=("502", "504"),
            unless=r"\b50[07] - (?:unknown exception|system out of memory)|\b50[15] (?:not implemented|http version)",
        ),
        "{address|The address} answers 502 or 504: a proxy or load balancer in front got no answer of the server behind it, or none in time.",
        "Nothing to repair in the model; look at the servers behind {address|it} (are they started, ready, overloaded) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "proxy-gives-no-tunnel",
        # http.client, urllib3
        When(message=r"tunnel connection failed: 50\d"),
        "The proxy that this host goes out by (HTTPS_PROXY) gives no way to the service at this moment.",
        "Nothing to repair in the model; look at the proxy in HTTPS_PROXY, not at the service, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "requests-per-second-limited",
        # Alibaba Cloud's OSS answers 503 for it
        When(
            message=r"qpslimitexceeded|downloadtrafficratelimitexceeded|uploadtrafficratelimitexceeded"
        ),
        "The store limits the requests of this account for each second, and more come at this moment.",
        "Nothing to repair in the model; let fewer workers start at once, or ask for a higher limit, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "http-unavailable",
        When(
            http_status=("503",),
            unless=r"\b50[07] - (?:unknown exception|system out of memory)|\b50[15] (?:not implemented|http version)",
        ),
        "{address|The server} answers 503: it, or the server behind it, is not ready or has too much to do at this moment.",
        "Nothing to repair in the model; look whether {address|the server} is started, ready and not overloaded if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "http-server-trouble",
        When(
            http_status=("408", "425", "429", "5xx"),
            unless=r"\b50[07] - (?:unknown exception|system out of memory)|\b50[15] (?:not implemented|http version)",
        ),
        "{address|The server} answered that it is in trouble.",
        "Nothing to repair in the model; look at the log of {address|the server} if it goes on.",
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
        "server-of-this-host-lacks-it",
        # TorchServe itself, a sidecar: whoever is started with this server may come after this worker.
        When(
            http_status=("404",),
            message=r"://(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])[:/]",
        ),
        "A server on this host answers, and does not have what is asked for, or not yet.",
        "Look at {address|the server}; correct the address or the name if what is asked for never comes there.",
        since="2026-11-27",
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
        "http-not-found",
        When(http_status=("404", "410")),
        "{address|The server} answers, and does not have what is asked for at this address.",
        f"Correct the address, name or version in the model's configuration. {WAIT_FOR_THE_JOB}",
        since="2026-11-27",
    ),
    fatal(
        "http-credentials-refused",
        When(http_status=("401",)),
        "{address|The server} answers that it does not take these credentials, or that there are none.",
        f"Give the process valid credentials for {{address|the server}} (a token, a user and password). {WAIT_FOR_THE_JOB}",
        since="2026-11-27",
    ),
    fatal(
        "http-refused",
        When(
            http_status=(
                "400",
                "405",
                "406",
                "413",
                "414",
                "415",
                "422",
                "451",
            )
        ),
        "{address|The server} refuses the request as it is: its address, method, size or content.",
        f"Compare the request with what the server takes; the answer's text mostly names what is wrong. {WAIT_FOR_THE_JOB}",
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
        "Nothing to repair in the model; look at {address|what it waits for} if it goes on.",
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
        "Nothing to repair in the model; look at {address|what it waits for} if it goes on.",
        since=_SINCE,
    ),
)
