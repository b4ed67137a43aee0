"""Remote calls: gRPC, Ray, model servers, and what retries them."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "ray-head-not-reached",
        When(
            message=any_of(r"""
                ray client (?:connection )?(?:timeout|timed out)|ray client .{0,40}(?:disconnected|timed out)|failed to connect to (?:the )?gcs
                gcs server .{0,40}(?:fail|unavailable|timed|not)
            """)
        ),
        "The head of the Ray cluster ({address|RAY_ADDRESS}) does not answer, or not in time.",
        "Nothing to repair in the model; look whether the head node runs and its port (10001 for ray://, 6379 for the GCS) can "
        "be reached from this host, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "ray-node-without-memory",
        When(message=r"node running low on memory"),
        "Ray ended a task or an actor, because its node ran low on memory.",
        "Nothing to repair in the model; give the node more memory or the actor a larger memory=, or let fewer of them run on "
        "one node, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "server-behind-the-proxy-away",
        # Envoy, Istio and their kin
        When(message=r"no healthy upstream|upstream connect error"),
        "A proxy answers ({address|the address that is called}), and cannot reach the service behind it.",
        "Nothing to repair in the model; look at the service behind {address|the proxy} (its pods, their readiness and ports), "
        "not at the proxy, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "remote-call-too-slow",
        When(message=r"statuscode\.deadline_exceeded"),
        "{address|The service} did not answer the call before its deadline.",
        "Nothing to repair in the model; look at the load of {address|the service}, or give the call a longer timeout, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "remote-call-without-room",
        When(message=r"statuscode\.resource_exhausted"),
        "{address|The service} has no room for the call: a quota, a limit of requests or its memory is used up at this moment.",
        "Nothing to repair in the model; look at the limit that the message names, and let fewer workers ask at once, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "remote-call-unavailable",
        When(
            message=any_of(r"""
                # gRPC
                statuscode\.(?:unavailable|aborted|cancelled)|failed to connect to all addresses
                failed to connect to remote host|socket closed|goaway|rst_stream
                # Ray
                actor ?unavailable|the actor is temporarily|node (?:is )?dead
                # model servers and several others
                no hosts? available|server (?:is )?(?:starting|not ready|shutting down|unavailable|is not live)
                # what serves others, not a table or a person
                not ready\b.{0,60}(?:server|service|model)|not (?:yet ready|ready yet)
                \b(?:server|service|model|cluster|nodes?|broker|database|store|endpoint|gateway|replica\w*|instance|shards?|index|pod|container| \
                backend|engine|deployment|actor|head|leader|controller|session|connection|catalog|\bit)s? (?:\S{1,80} )?(?:is |are |was )?not (?:yet )?ready
                still (?:loading|starting|initializing)|warming up|in progress, try|currently overloaded|over capacity
            """)
        ),
        "{connection|The service is not ready, or has no room at this moment}.",
        "Nothing to repair in the model; {connection_step|look whether the service is started and ready} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "retries-used-up",
        When(
            message=any_of(r"""
                # tenacity, retrying, backoff: what was raised at last
                retryerror\[.{0,200}raised \w{0,60}(?:connect\w*|timeout|timedout|unavailable|network|transport|socket|protocol|serviceerror|throttl\w*|ratelimit\w*| \
                too\w*requests|operational|interface|broken\w*|http)(?:error|exception|refused|reset|aborted)?\b
                giving up after \d+ (?:tries|attempts|retries).{0,200}(?:connect|time|unavailable|\b50[0234]\b)
            """)
        ),
        "A call was tried several times, and a connection failed each time. {connection|The message names the last failure}.",
        "Nothing to repair in the model; {connection_step|look at the service} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "remote-client-is-throttled",
        When(
            type=(
                "google.api_core.exceptions.TooManyRequests",
                "openai.RateLimitError",
                "anthropic.RateLimitError",
                "cohere.errors.TooManyRequestsError",
                "groq.RateLimitError",
                "together.error.RateLimitError",
            ),
            unless=r"insufficient_quota|exceeded your current quota|billing",
        ),
        "The service takes no more requests of this account at this moment.",
        "Nothing to repair in the model; let fewer workers ask at once, or raise the account's limit, if it goes on.",
        since="2026-11-26",
    ),
    curable(
        "remote-client-says-so",
        When(
            type=(
                "ActorUnavailableError",
                "GetTimeoutError",
                "google.api_core.exceptions.ServiceUnavailable",
                "google.api_core.exceptions.DeadlineExceeded",
                "google.api_core.exceptions.InternalServerError",
                "google.api_core.exceptions.RetryError",
                "google.api_core.exceptions.Aborted",
                "google.api_core.exceptions.GatewayTimeout",
                "google.api_core.exceptions.BadGateway",
                "google.auth.exceptions.TransportError",
                "azure.core.exceptions.ServiceRequestError",
                "azure.core.exceptions.ServiceResponseError",
                "openai.APIConnectionError",
                "openai.APITimeoutError",
                "openai.InternalServerError",
                "anthropic.APIConnectionError",
                "anthropic.APITimeoutError",
                "anthropic.OverloadedError",
                "anthropic.InternalServerError",
                "cohere.errors.ServiceUnavailableError",
                "mistralai.exceptions.MistralConnectionException",
                "queue.Empty",
                "_queue.Empty",
            ),
            unless=r"insufficient_quota|exceeded your current quota|billing",
        ),
        "{connection|The service could not be reached, is not ready, or gave nothing in time}.",
        "Nothing to repair in the model; {connection_step|look at the service} if it goes on.",
        since=_SINCE,
    ),
)
