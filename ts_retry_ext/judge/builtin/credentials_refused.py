"""Credentials that a cloud, a store or an identity service refuses, each for a reason of its own."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

#: What makes a refusal one that may pass.
_PASSES = r"transient|aadsts50196|try again|timed? ?out|temporar|throttl|reasonable timeframe|iat and exp|max retries"

FATAL_IN_DISGUISE = (
    fatal(
        "entra-secret-expired",
        When(
            message=any_of(r"""
                aadsts7000222\b
            """),
            unless=_PASSES,
        ),
        "The client secret of the application in Microsoft Entra ID has expired.",
        "Make a new secret for the application that the message names, and give it to the process (AZURE_CLIENT_SECRET), or use "
        "a certificate or a managed identity.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "entra-refuses-the-application",
        When(
            message=any_of(r"""
                aadsts\d+
            """),
            unless=_PASSES,
        ),
        "Microsoft Entra ID refuses to sign the application or the user in; the number behind AADSTS says why.",
        "Correct what the number stands for: 7000215 a wrong secret (its value is needed, not its ID), 700016 a wrong "
        "application or tenant, 90002 a wrong tenant, 50126 a wrong user or password, 65001 a consent that is missing.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "account-not-enabled",
        When(
            message=any_of(r"""
                # AWS, Google, Azure
                accountproblem|notsignedup|optinrequired|accountisdisabled|billing (?:account|has not)
            """),
            unless=_PASSES,
        ),
        "The account, or the service in it, is not enabled: billing, a subscription or an opt-in is missing.",
        "Enable the service or its billing for the account; other credentials of the same account meet the same.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "aws-key-unknown",
        When(
            message=any_of(r"""
                invalidaccesskeyid|invalidclienttokenid|unrecognizedclientexception|the aws access key id you provided does not exist
                security token included in the request is invalid|invalid security token
            """),
            unless=_PASSES,
        ),
        "AWS does not know this access key, or the session token does not belong to it.",
        "Give the process a valid key (AWS_ACCESS_KEY_ID, its secret and, for a temporary one, AWS_SESSION_TOKEN), or a role; a "
        "deleted key, and one of another partition or endpoint, says the same.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "service-account-key-refused",
        # Google
        When(message=r"invalid jwt signature", unless=_PASSES),
        "Google refuses the signature of the service account's key: the key was deleted, or private_key in its file is damaged.",
        "Compare private_key_id in the file of GOOGLE_APPLICATION_CREDENTIALS with gcloud iam service-accounts keys list; make a new key file, and look for broken \\n in private_key.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "signature-does-not-match",
        When(
            message=any_of(r"""
                signaturedoesnotmatch|authorizationheadermalformed|server failed to authenticate the request|invalidauthenticationinfo
                ^(?:\W{0,3}40\d\W.{0,80})?invalid signature
            """),
            unless=_PASSES,
        ),
        "The signature of the request does not match: the secret is not that of the key, the region is another, or the clock of this host is wrong.",
        "Compare secret, region and the host's clock with what the service expects; look for a line break or a blank in the secret.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "key-not-readable",
        When(
            message=any_of(r"""
                service account info was not in the expected format|could not deserialize key data|malformed (?:credentials|service account)
                invalid base64-encoded|^incorrect padding$
            """),
            unless=_PASSES,
        ),
        "A key or a token cannot be read as it is given: it is cut, or its line breaks were lost.",
        "Give the whole of it: a key file as a mounted file, or a variable whose line breaks are kept (\\n in JSON).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "credentials-refused",
        When(
            message=any_of(r"""
                # AWS, error codes and texts
                authfailure|invalidtoken\b
                # AWS, configuration
                config profile .{1,80} could not be found
                # OAuth 2 (RFC 6749)
                invalid_grant|invalid_scope\b|unauthorized_client\b|unsupported_grant_type|invalid_client\b
                # Azure
                authenticationfailed|clientauthenticationerror
                # Google, several
                ^account not found\.?$|invalid header value.{0,40}authorization
            """),
            unless=_PASSES,
        ),
        "The service refuses these credentials.",
        "Give the process valid credentials of this service, account and region; the message names what was refused.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
