"""Stores and services that say that they are in trouble, or asked too often, or that an object is kept back."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "account-rate-limited",
        When(
            message=any_of(r"""
                # OpenAI, Anthropic, and who speaks their protocol
                (?:rate.?limit|too many requests|quota|limit exceeded|\b429\b).{0,600}(?:please try (?:again|your request)|try again later|retry your request)
                request_limit_exceeded
            """),
        ),
        "The account's limit is reached at this moment: {limit|too many requests for the plan it has}.",
        "Nothing to repair in the model; let fewer workers ask at once, ask for less at load time, or raise the account's limit "
        "at the service, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "table-capacity-used-up",
        # DynamoDB
        When(message=r"provisionedthroughputexceeded"),
        "The table's provisioned capacity is used up at this moment.",
        "Nothing to repair in the model; raise the table's capacity or make it on-demand, read in smaller portions, or let fewer workers start at once, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "storage-account-busy",
        # Azure
        When(message=r"serverbusy"),
        "The storage account answers that it is busy: overloaded at this moment, or at its limits.",
        "Nothing to repair in the model; look at the account's throttling in its metrics, let fewer workers start at once, or raise the client's retry_total, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "store-throttles",
        When(
            message=any_of(r"""
                # AWS
                \((?:slowdown|throttling\w*|requestthrottled|bandwidthlimitexceeded|requestlimitexceeded|toomanyrequestsexception)\)
            """),
        ),
        "The service asks for fewer requests: more come than it takes from this account or for this prefix at this moment.",
        "Nothing to repair in the model; let fewer workers start at once, spread the keys over prefixes, raise the client's "
        "retries (mode adaptive), or ask for a higher limit, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "drive-file-asked-too-often",
        When(
            message=any_of(r"""
                # gdown
                too many users have viewed
            """),
        ),
        "Google Drive gives the file to nobody for some hours, because too many have fetched it.",
        "Wait (up to 24 hours), or keep the file in a store of your own and pack it into the archive; Google Drive is no place to load models from.",
        since="2026-11-27",
    ),
    curable(
        "resource-still-made",
        When(
            message=any_of(r"""
                is being (?:created|started|provisioned|restored)
            """),
        ),
        "What is asked for is being made or restored by the service at this moment.",
        "Nothing to repair in the model; wait until the service has made it.",
        since="2026-11-27",
    ),
    curable(
        "identity-provider-not-reached",
        When(
            message=any_of(r"""
                # AWS STS
                couldn't retrieve verification key|idpcommunicationerror
            """),
        ),
        "AWS could not reach the identity provider that signed this process's token.",
        "Nothing to repair in the model; look whether the provider's address (its /.well-known/openid-configuration) can be "
        "reached from the internet if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "documents-contended",
        # Firestore
        When(message=r"too much contention on these documents"),
        "Others write the same documents at this moment.",
        "Nothing to repair in the model; let fewer workers claim one document at once, or spread them over several, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "store-in-trouble",
        When(
            message=any_of(r"""
                # S3 and other services of AWS
                \((?:internalerror|serviceunavailable|requesttimeout|operationaborted| \
                503|500|502|504|internalservererror|internalfailure|priorrequestnotcomplete|transactioninprogress)\)
                we encountered an internal error|conditionalrequestconflict
                # Google
                backend ?error
                # Azure
                operationtimedout|currently unable to handle
                # OAuth 2
                temporarily_unavailable
                # Several
                retry your request|please try (?:again|your request)|try again later|ingresserror
            """)
        ),
        "The service answers that it is in trouble at this moment, or that the request should be tried again.",
        "Nothing to repair in the model; look at the status page or the log of {address|the service} that the message names if it goes on.",
        since=_SINCE,
    ),
    curable(
        "object-leased",
        When(
            message=r"currently a lease on the (?:blob|container)|leaseidmissing|leasealreadypresent|leaseismodified|blobbeingrehydrated"
        ),
        "Another client holds a lease on the object.",
        "Nothing to repair in the model; look at who holds the lease if it goes on.",
        since="2026-11-26",
    ),
    ambiguous(
        "object-archived",
        When(
            message=r"\(?invalidobjectstate\)?|not valid for the object's storage class|blobarchived|this operation is not permitted on an archived blob"
        ),
        "The object lies in an archive class: it can be read once somebody has it restored, which takes minutes to hours.",
        "Restore the object (aws s3api restore-object), or keep the model in a class that is read at once.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
)
