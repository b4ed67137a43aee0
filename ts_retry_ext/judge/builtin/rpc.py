"""Remote calls: gRPC, Ray, model servers, and what retries them."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "remote-call-unavailable",
        When(
            message=any_of(r"""
                # gRPC
                statuscode\.(?:unavailable|deadline_exceeded|resource_exhausted|aborted|cancelled)|failed to connect to all addresses
                failed to connect to remote host|socket closed|goaway|rst_stream
                # Ray
                actor ?unavailable|the actor is temporarily|node (?:is )?dead|node running low on memory|failed to connect to (?:the )?gcs
                gcs server .{0,40}(?:fail|unavailable|timed|not)|ray client .{0,40}(?:disconnected|timed out)
                # model servers and several others
                no hosts? available|server (?:is )?(?:starting|not ready|shutting down|unavailable|is not live)
                # what serves others, not a table or a person
                not ready\b.{0,60}(?:server|service|model)|not (?:yet ready|ready yet)
                \b(?:server|service|model|cluster|nodes?|broker|database|store|endpoint|gateway|replica\w*|instance|shards?|index|pod|container| \
                backend|engine|deployment|actor|head|leader|controller|session|connection|catalog|\bit)s? (?:\S{1,80} )?(?:is |are |was )?not (?:yet )?ready
                still (?:loading|starting|initializing)|warming up|in progress, try|currently overloaded|over capacity|no healthy upstream
                upstream connect error
            """)
        ),
        "The service is not ready, or has no room at this moment.",
        "Nothing to repair in the model; start {address|the service} first if it goes on.",
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
        "A call was tried several times, and a connection failed each time.",
        "Nothing to repair in the model; look at {address|the service} if it goes on.",
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
        "The service could not be reached, is not ready, or gave nothing in time.",
        "Nothing to repair in the model; look at {address|the service} if it goes on.",
        since=_SINCE,
    ),
)
